# SPDX-License-Identifier: Apache-2.0
"""``/bin``, ``/sbin`` and ``/lib*`` become links to those in ``/usr``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.image.steps.links import lead_on

if TYPE_CHECKING:
    from ostrya.image.decisions import Report
    from ostrya.image.tree import TreeEditor

_MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_HINT = "merge them in the root file system, as Debian's usrmerge does"


def merge_usr(editor: TreeEditor, report: Report) -> None:
    """Move what is in them, unless there is another file already; links are no other files."""
    conflicts: list[str] = []
    for name in _MERGED:
        if editor.find_dir(name) is None:
            continue
        place = _place(editor, name)
        lead_on(editor, name, place, alike=_MERGED)
        conflicts += editor.move(name, place)
        if editor.find(name) is None:
            editor.link(name, f"usr/{name}")
            report.tell("usr.merged", name, f"merged /{name} into /{place}")
    if conflicts:
        shown = ", ".join(f"/{path}" for path in conflicts)
        report.conflict(
            "usr.conflict",
            conflicts[0],
            f"/usr cannot be merged: other files are there already: {shown}",
            _HINT,
        )


def _place(editor: TreeEditor, name: str) -> str:
    """Return where a directory is merged into: ``/usr/lib64`` may be a link to ``lib``."""
    target = editor.link_target(f"usr/{name}") or ""
    beside = f"usr/{target.removeprefix('/usr/')}"
    return beside if editor.find_dir(beside) is not None and target else f"usr/{name}"
