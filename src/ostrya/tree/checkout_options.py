# SPDX-License-Identifier: Apache-2.0
"""How a commit is to be laid out on the disk."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.tree.devino import DevInoCache
    from ostrya.tree.modifier import FileInfo


class Overwrite(Enum):
    """What happens to files that are there already; directories are shared in all but NONE."""

    NONE = "none"
    UNION_FILES = "union-files"
    ADD_FILES = "add-files"
    UNION_IDENTICAL = "union-identical"


class CheckoutOptions(NamedTuple):
    """Options of a checkout.

    Attributes:
        user_mode: Owners and xattrs are left out, for users without privilege.
        overwrite: What happens to files that are there already.
        process_whiteouts: Whiteouts of OCI layers remove what they name.
        process_passthrough_whiteouts: Quoted overlayfs whiteouts become whiteouts again.
        require_hardlinks: Fail rather than copy.
        force_copy: Never link, always copy.
        bareuseronly_dirs: Directories get the modes that bare-user-only keeps.
        uncompressed_cache: User-mode checkouts of archives keep inflated content, and link it.
        fsync: Whether files and directories are synced one by one.
        skip_paths: What to leave out, as absolute paths within the tree; those of
            directories end in a slash, as in libostree, else they match nothing.
        filter: Called with path and info; False leaves the path out.
        label_for: SELinux label by path and mode; needs ``force_copy``.
        label_prefix: Where the checkout will be, for labels.
        devino: Filled with what was linked.
    """

    user_mode: bool = False
    overwrite: Overwrite = Overwrite.NONE
    process_whiteouts: bool = False
    process_passthrough_whiteouts: bool = False
    require_hardlinks: bool = False
    force_copy: bool = False
    bareuseronly_dirs: bool = False
    uncompressed_cache: bool = False
    fsync: bool = False
    skip_paths: frozenset[str] = frozenset()
    filter: Callable[[str, FileInfo], bool] | None = None
    label_for: Callable[[str, int], str | None] | None = None
    label_prefix: str = "/"
    devino: DevInoCache | None = None
