# SPDX-License-Identifier: Apache-2.0
"""``keygen``: make a pair of keys, NAME.secret to sign with and NAME.public to verify with."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.atomic import TmpFile, write_all
from ostrya._linux.dirfd import exists, open_dir
from ostrya.cli.errors import UsageError
from ostrya.cli.options import text
from ostrya.cli.output import write_line
from ostrya.sign.engine import DEFAULT_ENGINE
from ostrya.sign.generate import generate_keys
from ostrya.sign.policy import require_engine

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "NAME"
OPTIONS = (text("sign-type", "NAME", "Engine: ed25519 (the default) or spki", short="s"),)
SUFFIXES = (".secret", ".public")
MODES = (0o600, 0o644)


def run(arguments: Arguments, context: Context) -> int:
    """Make the two files; one that is there already stays as it is."""
    if len(arguments.positionals) != 1:
        raise context.usage_error("Need the NAME of the keys to make")
    engine = arguments.text("sign-type") or DEFAULT_ENGINE
    require_engine(engine)
    folder, _, name = arguments.positionals[0].rpartition("/")
    if not name:
        raise UsageError(f"'{arguments.positionals[0]}' does not end in a name")
    folder = folder or ("/" if arguments.positionals[0].startswith("/") else ".")
    pair = generate_keys(engine)
    dir_fd = open_dir(folder, follow=True)
    try:
        for suffix in SUFFIXES:
            if exists(f"{name}{suffix}", dir_fd=dir_fd):
                raise UsageError(
                    f"{arguments.positionals[0]}{suffix} exists already",
                    hint="keys are never replaced: take another name, or delete it first",
                )
        for suffix, mode, data in zip(SUFFIXES, MODES, pair, strict=True):
            _write(f"{name}{suffix}", data, mode, dir_fd)
        os.fsync(dir_fd)
    finally:
        os.close(dir_fd)
    write_line(f"Keep {arguments.positionals[0]}.secret to yourself: it signs")
    write_line(f"Give {arguments.positionals[0]}.public to devices: it verifies")
    return 0


def _write(name: str, data: bytes, mode: int, dir_fd: int) -> None:
    try:
        with TmpFile(dir_fd, mode) as tmp:
            write_all(tmp.fd, data)
            os.fsync(tmp.fd)
            tmp.link(name, dir_fd=dir_fd)
    except OSError as exc:
        exc.filename, exc.filename2 = name, None
        raise
