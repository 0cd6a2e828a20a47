# SPDX-License-Identifier: Apache-2.0
"""``admin grow-disk``: the last partition of a disk, and the file system in it, grow to its end.

PATH is where an ext4 on that partition is mounted; by default /var, which is on the disk of the
system. It works while the system runs, needs no other program, and may be interrupted at any time:
what is done already is not done again.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya.cli.options import text
from ostrya.cli.output import write_line
from ostrya.cli.stamps import write_stamp
from ostrya.image.grow import grow_mounted

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "[PATH]"
OPTIONS = (text("stamp", "FILE", "Write this file when it is done"),)
_MIB = 1 << 20


def run(arguments: Arguments, context: Context) -> int:
    """Grow it."""
    if len(arguments.positionals) > 1:
        raise context.usage_error("only one PATH may be given")
    path = arguments.positionals[0] if arguments.positionals else "/var"
    grown = grow_mounted(os.path.abspath(path))
    if grown.after > grown.before:
        write_line(f"{path} grew from {grown.before // _MIB} to {grown.after // _MIB} MiB")
    else:
        write_line(f"{path} has {grown.after // _MIB} MiB, and there is no more")
    write_stamp(arguments.text("stamp"))
    return 0
