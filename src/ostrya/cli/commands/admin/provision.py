# SPDX-License-Identifier: Apache-2.0
"""``admin provision``: do what this device is told at its first start.

Told it is by FILE; without one by QEMU's -fw_cfg name=opt/org.ostrya.provision,file=FILE, or by the
file ostrya-provision.toml of the FAT partition. Host name, time zone, networks, accounts, keys for
SSH and remotes are taken from there, as a recipe has them; all of it is checked before anything is
done.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.process import run as run_program
from ostrya.cli.options import flag, text
from ostrya.cli.output import write_line
from ostrya.cli.stamps import write_stamp
from ostrya.errors import ImageError
from ostrya.image.live_tree import LiveTree
from ostrya.image.provision import Document, find_document, provision
from ostrya.repo.repository import open_repository

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "[FILE]"
OPTIONS = (
    text("root", "PATH", "The device's files; default: /"),
    text("stamp", "FILE", "Write this file when it is done"),
    flag("dry-run", "Only say whether there is something, and what is wrong with it"),
)
_MOUNT_POINT = "/run/ostrya/provision"
_HOSTNAME = "/proc/sys/kernel/hostname"


def run(arguments: Arguments, context: Context) -> int:
    """Do it."""
    if len(arguments.positionals) > 1:
        raise context.usage_error("only one FILE may be given")
    root = arguments.text("root") or "/"
    document = _document(arguments.positionals)
    if document is None:
        write_line("this device is told nothing")
        return 0
    if arguments.flag("dry-run"):
        from ostrya.image.recipe.read import read_provisioning

        read_provisioning(document.text, document.file, lambda _file, name: name)
        write_line(f"{document.file} can be used")
        return 0
    repository = os.path.join(root, "ostree/repo")
    if os.path.isdir(repository):
        with open_repository(repository) as repo:
            recipe = provision(LiveTree(root), repo, document, write_line)
    else:
        recipe = provision(LiveTree(root), None, document, write_line)
    if os.path.realpath(root) == "/":
        _take_effect(recipe.system.hostname)
    write_stamp(arguments.text("stamp"))
    return 0


def _document(given: list[str]) -> Document | None:
    if not given:
        return find_document(_MOUNT_POINT)
    try:
        with open(given[0], encoding="utf-8") as stream:
            return Document(stream.read(), given[0])
    except UnicodeDecodeError:
        raise ImageError(f"{given[0]} is no text in UTF-8") from None


def _take_effect(hostname: str) -> None:
    if hostname:
        with open(_HOSTNAME, "w", encoding="ascii") as stream:
            stream.write(hostname)
    if os.path.isdir("/run/systemd/system"):
        # Units may have been enabled just now.
        run_program(["systemctl", "daemon-reload"])
