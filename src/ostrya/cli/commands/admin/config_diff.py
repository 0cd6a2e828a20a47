# SPDX-License-Identifier: Apache-2.0
"""``admin config-diff``: list what was changed in ``/etc``: M modified, D deleted, A added."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import open_dir, open_dir_below
from ostrya.cli.options import text
from ostrya.cli.output import write, write_json
from ostrya.cli.sysroot_lookup import reading_sysroot
from ostrya.sysroot.etc_merge import diff_etc
from ostrya.sysroot.order import require_merge_deployment

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.tree.diff import TreeDiff

PARAMETERS = ""
OPTIONS = (
    text("os", "STATEROOT", "The system; default: the running one"),
    text("stateroot", "STATEROOT", "The same"),
)


def run(arguments: Arguments, context: Context) -> int:
    """List it."""
    named = arguments.text("stateroot") or arguments.text("os")
    with reading_sysroot(arguments, context.environment) as (sysroot, loaded), ExitStack() as stack:
        deployment = require_merge_deployment(loaded, named)
        tree_fd = open_dir(deployment.path, dir_fd=sysroot.dir_fd, follow=True)
        stack.callback(os.close, tree_fd)
        fds = []
        for path in ("usr/etc", "etc"):
            fds.append(open_dir_below(tree_fd, path))
            stack.callback(os.close, fds[-1])
        found = diff_etc(*fds)
    if context.json:
        write_json({key: [path[1:] for path in paths] for key, paths in found._asdict().items()})
    else:
        _print(found)
    return 0


def _print(found: TreeDiff) -> None:
    for letter, paths in (("M", found.modified), ("D", found.removed), ("A", found.added)):
        write("".join(f"{letter}    {path[1:]}\n" for path in paths))
