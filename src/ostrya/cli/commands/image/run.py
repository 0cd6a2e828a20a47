# SPDX-License-Identifier: Apache-2.0
"""``image run``: start an image in QEMU, its console on this terminal.

Ctrl-A X ends it. The board is that of --board, of the manifest beside the image, or what the image
itself says. A compressed image is unpacked to where nobody sees it, and what is written to it is
forgotten; of others that is so with --snapshot. What stands behind ``--`` and the image goes to
QEMU.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import tempfile
from contextlib import ExitStack
from typing import TYPE_CHECKING

from ostrya._linux.process import run_interactive
from ostrya.cli.options import flag, number, text, texts
from ostrya.cli.output import write_line, write_message
from ostrya.cli.sizes import parse_size
from ostrya.image.board import board_names, load_board
from ostrya.image.errors import BoardError, DiskError
from ostrya.image.reading.disk import DiskImage
from ostrya.image.reading.report import board_of
from ostrya.image.reading.system import find_system
from ostrya.image.running import (
    Wishes,
    check_there,
    choose_qemu,
    command_line,
    parse_port,
    ssh_port,
)

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.image.board import Board

PARAMETERS = "IMAGE [-- QEMU-ARGUMENT...]"
OPTIONS = (
    text("board", "NAME", "What it was built for, if it does not say"),
    flag("bios", "Start it with firmware of the old kind"),
    flag("snapshot", "Forget what is written to it"),
    text("memory", "SIZE", "How much memory it has, as 512M; default: what the board says"),
    flag("kvm", "Run it on this machine's processor, which has to be like it"),
    flag("no-kvm", "Emulate its processor, which is the default"),
    text("display", "KIND", "Show its screen: gtk, sdl, curses; default: none"),
    number("ssh-port", "PORT", "Lead this port of 127.0.0.1 to its SSH"),
    texts("port", "HERE:THERE", "Lead a port of 127.0.0.1 to one of its own; udp:HERE:THERE too"),
    flag("dry-run", "Print the command line, and start nothing"),
)
_MANIFEST = ".manifest.json"
_SUFFIXES = (".img", ".wic", ".qcow2", ".raw")
_COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
_UNPACKERS = {"gz": "gzip", "bz2": "bzip2", "xz": "xz", "zst": "zstd"}
_MOST_MANIFEST = 64 << 20


def run(arguments: Arguments, context: Context) -> int:
    """Start it; return QEMU's exit status."""
    if not arguments.positionals:
        raise context.usage_error("An IMAGE must be specified")
    image, *more = arguments.positionals
    wishes = _wishes(arguments, tuple(more))
    with ExitStack() as stack:
        disk = stack.enter_context(DiskImage(image))
        board = _board(arguments.text("board"), disk)
        qemu = choose_qemu(board, wishes)
        form, _, compression = disk.format.partition(".")
        path = image
        if compression:
            path, wishes = disk.file_path, wishes._replace(snapshot=True)
        if arguments.flag("dry-run"):
            if compression:
                path = "disk.img"
                unpacked = shlex.join([_UNPACKERS[compression], "-dc", image])
                write_line(f"{unpacked} > {path}")
            _print(board, wishes, path, form)
            return 0
        check_there(qemu, shutil.which(qemu.program))
        if not wishes.snapshot and not os.access(path, os.W_OK):
            raise DiskError(
                f"{path} cannot be written to", hint="--snapshot starts it nevertheless"
            )
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ostrya-run-"))
        variables = ""
        if qemu.firmware_vars:
            variables = shutil.copy(qemu.firmware_vars, f"{folder}/vars")
            os.chmod(variables, 0o600)
        argv = command_line(board, wishes, path, form, variables)
        write_message("Ctrl-A X ends it")
        return run_interactive(argv)


def _wishes(arguments: Arguments, more: tuple[str, ...]) -> Wishes:
    ports = [parse_port(word) for word in arguments.texts("port")]
    ssh = arguments.number("ssh-port")
    if ssh is not None:
        ports.append(ssh_port(ssh))
    memory = arguments.text("memory")
    mib = 0 if memory is None else parse_size(memory, "--memory") >> 20
    if memory is not None and not mib:
        raise BoardError("--memory: less than a megabyte starts nothing")
    return Wishes(
        arguments.flag("bios"),
        arguments.flag("kvm") and not arguments.flag("no-kvm"),
        arguments.flag("snapshot"),
        mib,
        arguments.text("display") or "none",
        tuple(ports),
        more,
    )


def _board(name: str | None, disk: DiskImage) -> Board:
    if name:
        return load_board(name)
    found = _manifest_board(disk.path)
    if not found:
        system = find_system(disk)
        found = board_of(system) if system is not None else ""
    hint = f"--board takes one of {', '.join(board_names())}, or a description"
    if not found:
        raise BoardError(f"nobody says which board {disk.path} is for", hint=hint)
    # Not a path: what comes with an image does not say which files here are read.
    if found not in board_names():
        raise BoardError(f"{disk.path} is for the board '{found}', which is not known", hint=hint)
    return load_board(found)


def _manifest_board(image: str) -> str:
    """Return the board that the manifest beside an image names; empty without one."""
    stem = image
    for suffixes in (_COMPRESSED, _SUFFIXES):
        stem = next((stem.removesuffix(one) for one in suffixes if stem.endswith(one)), stem)
    path = f"{stem}{_MANIFEST}"
    try:
        with open(path, "rb") as stream:
            found = json.loads(stream.read(_MOST_MANIFEST))
    except FileNotFoundError:
        return ""
    except ValueError as exc:
        raise DiskError(f"{path} is no manifest: {exc}") from exc
    board = found.get("board") if isinstance(found, dict) else None
    name = board.get("name") if isinstance(board, dict) else None
    if not isinstance(name, str):
        raise DiskError(f"{path} names no board")
    return name


def _print(board: Board, wishes: Wishes, path: str, form: str) -> None:
    qemu = choose_qemu(board, wishes)
    variables = ""
    if qemu.firmware_vars:
        variables = "vars.fd"
        write_line(shlex.join(["cp", qemu.firmware_vars, variables]))
    write_line(shlex.join(command_line(board, wishes, path, form, variables)))
