# SPDX-License-Identifier: Apache-2.0
"""Which store belongs to which mode; each is imported only when a repository needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.repo.modes import RepoMode

if TYPE_CHECKING:
    from ostrya.repo.config import RepoConfig
    from ostrya.repo.runtime import Runtime
    from ostrya.repo.stores.base import ContentStore


def make_store(config: RepoConfig, runtime: Runtime, *, as_zlib: bool = False) -> ContentStore:
    """Make the content store of a repository's mode.

    Args:
        config: Says the mode.
        runtime: What the surroundings say.
        as_zlib: Whether archives have to get the very bytes that zlib makes.
    """
    mode = config.mode
    if mode == RepoMode.ARCHIVE:
        from ostrya.repo.stores.archive import ArchiveStore

        return ArchiveStore(config.zlib_level, as_zlib=as_zlib)
    if mode == RepoMode.BARE_USER:
        from ostrya.repo.stores.bare_user import BareUserStore

        return BareUserStore()
    from ostrya.repo.stores import bare

    if mode == RepoMode.BARE_USER_ONLY:
        return bare.BareUserOnlyStore()
    if mode == RepoMode.BARE_SPLIT_XATTRS:
        return bare.BareSplitXattrsStore(may_write=runtime.write_split_xattrs)
    return bare.BareStore(with_xattrs=not config.disable_xattrs)
