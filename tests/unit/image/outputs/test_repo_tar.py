# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import tarfile

from ostrya.image.outputs.repo_tar import RepoRelease, write_repo_tar
from ostrya.image.outputs.sinks import NewFile


def test_it_has_the_release_its_ref_and_nothing_of_the_way(repo, releases, tmp_path):
    (tmp_path / "scratch").mkdir()
    release = RepoRelease(repo, releases[1].checksum, "os/stable", 1700000000)
    with NewFile(str(tmp_path / "tar")) as file:
        write_repo_tar(release, file, str(tmp_path / "scratch"))
        file.finish()
        file.appear()
    with tarfile.open(tmp_path / "tar") as tar:
        names = tar.getnames()
        config = tar.extractfile("./config").read().decode()
        ref = tar.extractfile("./refs/heads/os/stable").read().decode()
        assert {one.mtime for one in tar.getmembers()} == {1700000000}
        assert {(one.uid, one.mode) for one in tar.getmembers()} == {(0, 0o755), (0, 0o644)}
    assert ref.strip() == releases[1].checksum
    assert "mode=archive-z2" in config
    assert "fsync" not in config
    assert not [name for name in names if name.startswith("./tmp/")]
    other = releases[0].checksum
    assert f"./objects/{other[:2]}/{other[2:]}.commit" not in names
    assert list((tmp_path / "scratch").iterdir()) == []
