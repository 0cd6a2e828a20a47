# SPDX-License-Identifier: Apache-2.0
"""Is a commit meant for the ref that it was found under?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.formats.commit import collection_binding, ref_bindings
from ostrya.repo.errors import BindingMismatch

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.formats.gvariant.vardict import VarDict


def check_bindings(
    metadata: VarDict, checksum: Checksum, collection_id: str | None, ref: str | None
) -> None:
    """Compare a commit's bindings with where it was found.

    Args:
        metadata: The commit's.
        checksum: The commit; for messages.
        collection_id: The collection that it was found in, if any.
        ref: The ref that it was found under, if any.

    Raises:
        BindingMismatch: It belongs elsewhere, or should say where and does not.
    """
    reason = _ref_problem(metadata, collection_id, ref) or _collection_problem(
        metadata, collection_id
    )
    if reason:
        raise BindingMismatch(f"Commit {checksum}: {reason}")


def _ref_problem(metadata: VarDict, collection_id: str | None, ref: str | None) -> str:
    bound = ref_bindings(metadata)
    if bound is None:
        # Commits from before bindings have none; a collection promises them.
        if collection_id is None:
            return ""
        return "Expected commit metadata to have ref binding information, found none"
    if ref is None or ref in bound:
        return ""
    quoted = ", ".join(f"‘{name}’" for name in bound)
    shown = f"({quoted or 'no refs'})"
    return f"Commit has no requested ref ‘{ref}’ in ref binding metadata {shown}"


def _collection_problem(metadata: VarDict, collection_id: str | None) -> str:
    if collection_id is None:
        return ""
    bound = collection_binding(metadata)
    if bound is None:
        return "Expected commit metadata to have collection ID binding information, found none"
    if bound == collection_id:
        return ""
    return (
        f"Commit has collection ID ‘{bound}’ in collection binding metadata, "
        f"while the remote it came from has collection ID ‘{collection_id}’"
    )
