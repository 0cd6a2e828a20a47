# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.repo.errors import RepoModeError
from ostrya.repo.modes import RepoMode
from ostrya.repo.runtime import Runtime
from ostrya.repo.stores.archive import ArchiveStore
from ostrya.repo.stores.bare import BareSplitXattrsStore, BareStore, BareUserOnlyStore
from ostrya.repo.stores.bare_user import BareUserStore
from ostrya.repo.stores.base import Destination
from support.small_repos import make_repo

STORES = {
    RepoMode.ARCHIVE: ArchiveStore,
    RepoMode.BARE: BareStore,
    RepoMode.BARE_USER: BareUserStore,
    RepoMode.BARE_USER_ONLY: BareUserOnlyStore,
    RepoMode.BARE_SPLIT_XATTRS: BareSplitXattrsStore,
}


@pytest.mark.parametrize("mode", STORES, ids=str)
def test_the_store_of_each_mode(tmp_path, mode):
    with make_repo(tmp_path / "repo", mode) as repo:
        assert type(repo.store) is STORES[mode]
        assert repo.store is repo.store


def test_split_xattrs_are_for_reading(tmp_path):
    from ostrya.formats.file_header import FileHeader

    with make_repo(tmp_path / "r", RepoMode.BARE_SPLIT_XATTRS, runtime=Runtime()) as repo:
        destination = Destination(repo.objects_fd, scratch_fd=repo.tmp_fd, sync_each=False)
        with pytest.raises(RepoModeError, match="Not allowed due to repo mode"):
            repo.store.put(destination, "ab" * 32, FileHeader(0, 0, 0o100644), b"")
