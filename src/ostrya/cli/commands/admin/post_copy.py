# SPDX-License-Identifier: Apache-2.0
"""``admin post-copy``: do what is left after a sysroot was copied file by file.

Where the repository's settings want it, objects and composefs images are sealed with fs-verity,
which no copy takes along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.sysroot_lookup import changing_sysroot
from ostrya.sysroot.post_copy import seal_copied

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS: tuple[Option, ...] = ()


def run(arguments: Arguments, context: Context) -> int:
    """Do it."""
    with changing_sysroot(arguments, context.environment) as (sysroot, _):
        seal_copied(sysroot)
    return 0
