# SPDX-License-Identifier: Apache-2.0
"""Compiled Python that is valid where every file is of 1970."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.image import bytecode

if TYPE_CHECKING:
    from ostrya.image.decisions import Report
    from ostrya.image.tree import TreeEditor


def unbind_python(editor: TreeEditor, report: Report) -> None:
    """Take the time of the source out of every compiled file."""
    count = 0
    for path in [path for path in editor.files_below("usr") if path.endswith(bytecode.SUFFIX)]:
        if not editor.is_file(path):
            continue
        data = bytecode.unbind(editor.read(path, max_bytes=bytecode.MAX_BYTES))
        if data is not None:
            editor.rewrite(path, data)
            count += 1
    if count:
        report.tell(
            "python.unbound",
            "usr",
            f"unbound {count} files of compiled Python from the time of their source",
        )
