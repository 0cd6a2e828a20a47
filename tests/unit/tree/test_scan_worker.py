# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import stat

import pytest

from ostrya.repo.transaction import Transaction
from ostrya.tree.errors import ChangedWhileRead
from ostrya.tree.scan_worker import make_scan_worker
from support.small_repos import open_fds


def task(path, relative, **changes) -> tuple:
    found = path.lstat()
    fields = {
        "relative": relative, "name": path.name, "uid": 0, "gid": 0, "mode": found.st_mode,
        "inode": found.st_ino, "size": found.st_size, "mtime": found.st_mtime_ns, "xattrs": (),
        "adopt": False,
    }  # fmt: skip
    return tuple((fields | changes).values())


def test_checksums_in_the_order_of_the_tasks(repo, tmp_path):
    for name in ("a/x", "b/y", "a/z"):
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "tree/l").symlink_to("target")
    root = os.open(tmp_path / "tree", os.O_RDONLY)
    with Transaction(repo) as tx:
        work = make_scan_worker(tx, root, "tree", skip_xattrs=True)()
        before = open_fds()
        places = [("a", "x"), ("b", "y"), ("a", "z"), ("", "l")]
        tasks = [task(tmp_path / "tree" / folder / name, folder) for folder, name in places]
        number, checksums, (counts, sizes) = work((7, tasks))
        assert open_fds() == before
        assert (number, counts[2], counts[3], sizes) == (7, 4, 4, None)
        assert len(set(checksums)) == 4
        assert work((8, tasks[::-1]))[1] == checksums[::-1]
    os.close(root)


@pytest.mark.parametrize("change", [{"size": 3}, {"mtime": 1}, {"inode": 1}, {"size": 10**6}])
def test_a_file_that_is_not_what_it_was(repo, tmp_path, change):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/f").write_text("content")
    root = os.open(tmp_path / "tree", os.O_RDONLY)
    with Transaction(repo) as tx:
        work = make_scan_worker(tx, root, "tree", skip_xattrs=True)()
        before = open_fds()
        with pytest.raises(ChangedWhileRead, match=r"^tree/f: "):
            work((0, [task(tmp_path / "tree/f", "", **change)]))
        assert open_fds() == before
    os.close(root)


@pytest.mark.root
@pytest.mark.parametrize("size", [10, 20 << 20], ids=["small", "large"])
@pytest.mark.parametrize("adopt", [False, True], ids=["read", "adopted"])
def test_a_device_in_place_of_a_file(repo, tmp_path, size, adopt):
    """/dev/zero never ends."""
    (tmp_path / "tree").mkdir()
    os.mknod(tmp_path / "tree/f", stat.S_IFCHR | 0o644, os.makedev(1, 5))
    root = os.open(tmp_path / "tree", os.O_RDONLY)
    with Transaction(repo) as tx:
        work = make_scan_worker(tx, root, "tree", skip_xattrs=True)()
        as_found = task(tmp_path / "tree/f", "", size=size, mode=stat.S_IFREG | 0o644, adopt=adopt)
        with pytest.raises(ChangedWhileRead, match=r"^tree/f: "):
            work((0, [as_found]))
    os.close(root)
