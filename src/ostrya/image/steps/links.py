# SPDX-License-Identifier: Apache-2.0
"""Relative links that lead where they did, though the directory that they are in is moved.

``/bin/x``, a link to ``../usr/share/x``, would be ``/usr/bin/x``, a link to ``/usr/usr/share/x``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

    from ostrya.image.tree import TreeEditor


def lead_on(editor: TreeEditor, folder: str, place: str, *, alike: Container[str] = ()) -> None:
    """Change the links below a directory that lead out of it, before it is moved.

    Args:
        editor: The tree.
        folder: The directory.
        place: Where it is moved to.
        alike: Directories of the root that are moved likewise: from one to another the way stays.
    """
    if editor.find_dir(folder) is None:
        return
    for path in list(editor.files_below(folder)):
        target = editor.link_target(path)
        if not target or target.startswith("/"):
            continue
        end = os.path.normpath(f"/{os.path.dirname(path)}/{target}")
        new_path = f"/{place}{path[len(folder) :]}"
        leads_out = not f"{end}/".startswith(f"/{folder}/")
        # What leads to its own new place is dropped by whoever moves it.
        if leads_out and end.split("/")[1] not in alike and end != new_path:
            editor.relink(path, os.path.relpath(end, os.path.dirname(new_path)))
