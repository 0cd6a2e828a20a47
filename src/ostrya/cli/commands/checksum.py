# SPDX-License-Identifier: Apache-2.0
"""``checksum``: the checksum that a file would have as an object."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya.cli.options import flag
from ostrya.cli.output import write_json, write_line
from ostrya.errors import OstryaError

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "PATH"
OPTIONS = (flag("ignore-xattrs", "Look away from extended attributes"),)


def run(arguments: Arguments, context: Context) -> int:
    """Print the checksum."""
    if not arguments.positionals:
        raise OstryaError("A filename must be given")
    path = arguments.positionals[0]
    checksum = _checksum(path, ignore_xattrs=arguments.flag("ignore-xattrs"))
    if context.json:
        write_json({"path": path, "checksum": checksum})
    else:
        write_line(checksum)
    return 0


def _checksum(path: str, *, ignore_xattrs: bool) -> str:
    if os.path.isdir(path) and not os.path.islink(path):
        from contextlib import closing

        from ostrya.tree.diff import HostView, open_host_tree

        with closing(open_host_tree(path, HostView(with_xattrs=not ignore_xattrs))) as tree:
            return tree.meta_checksum()
    from ostrya.cli.dump import naming
    from ostrya.tree.file_checksum import file_checksum

    with naming(path):
        return file_checksum(path, ignore_xattrs=ignore_xattrs)
