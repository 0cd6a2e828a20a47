# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from pathlib import Path

import pytest

from ostrya.errors import RepoError
from ostrya.formats.errors import RefNameError
from ostrya.repo import keyrings
from ostrya.repo.remotes import add_remote
from ostrya.repo.runtime import Runtime
from ostrya.sign.errors import InvalidKey
from support.gpg_keys import gpg_user
from support.small_repos import make_repo


@pytest.fixture
def repo(tmp_path):
    system = tmp_path / "trusted.gpg.d"
    system.mkdir()
    (system / "a.gpg").write_bytes(b"system")
    (system / "a.txt").write_bytes(b"other")
    (system / "trustdb.gpg").write_bytes(b"other")
    (system / "b.gpg").symlink_to("a.gpg")
    runtime = Runtime(gpg_home=str(system), system_root=str(tmp_path))
    (tmp_path / "ostree").mkdir()
    (tmp_path / "ostree/repo").symlink_to("../repo")
    with make_repo(tmp_path / "repo", runtime=runtime) as repo:
        add_remote(repo, "R", "http://r", [])
        yield repo


def contents(found):
    return [data for _, data in found.keyrings], [data for _, data in found.key_files]


def add_path(repo, value):
    add_remote(repo, "R", "http://r", [("gpgkeypath", value)], replace=True)


def test_a_remote_without_a_keyring_has_the_systems(repo):
    assert contents(keyrings.remote_keyrings(repo, "R")) == ([b"system"], [])
    assert contents(keyrings.remote_keyrings(repo, "R", with_global=False)) == ([], [])


def test_a_keyring_stands_for_itself(repo, tmp_path):
    folder = tmp_path / "etc/ostree/remotes.d"
    (folder / "R.trustedkeys.gpg").write_bytes(b"in etc")
    found = keyrings.remote_keyrings(repo, "R")
    assert contents(found) == ([b"in etc"], [])
    (Path(repo.path) / "R.trustedkeys.gpg").write_bytes(b"own")
    found = keyrings.remote_keyrings(repo, "R")
    assert contents(found) == ([b"own"], [])
    (folder / "R.trustedkeys.gpg").unlink()
    keyrings.delete_keyring(repo, "R")
    keyrings.delete_keyring(repo, "R")
    assert contents(keyrings.remote_keyrings(repo, "R")) == ([b"system"], [])


def test_key_paths(repo, tmp_path):
    folder = tmp_path / "keys"
    folder.mkdir()
    (folder / "one.asc").write_bytes(b"1")
    (folder / "two").write_bytes(b"2")
    os.mkfifo(folder / "pipe")
    add_path(repo, f"{folder},{folder}/two,")
    found = keyrings.remote_keyrings(repo, "R", with_global=False)
    assert contents(found) == ([], [b"1", b"2", b"2"])
    add_path(repo, f"{folder}/two;{folder}/one.asc")
    found = keyrings.remote_keyrings(repo, "R", with_global=False)
    assert contents(found) == ([], [b"2", b"1"])


def test_key_paths_that_are_refused(repo, tmp_path):
    add_path(repo, "a,b;c")
    with pytest.raises(InvalidKey, match="key value list contains more than one separator"):
        keyrings.remote_keyrings(repo, "R")
    for value in ("", ",/nonexistent", ";"):
        add_path(repo, value)
        with pytest.raises(InvalidKey, match=r"opendir\(\): No such file or directory"):
            keyrings.remote_keyrings(repo, "R")
    for value in ("/nonexistent", f"{tmp_path},/nonexistent/"):
        add_path(repo, value)
        with pytest.raises(FileNotFoundError):
            keyrings.remote_keyrings(repo, "R")
    os.mkfifo(tmp_path / "pipe")
    add_path(repo, str(tmp_path / "pipe"))
    with pytest.raises(InvalidKey, match="pipe is not a regular file"):
        keyrings.remote_keyrings(repo, "R")


def test_keyrings_have_a_size(repo, monkeypatch):
    monkeypatch.setattr(keyrings, "MAX_KEYRING_BYTES", 3)
    with pytest.raises(InvalidKey, match=r"a\.gpg is larger than"):
        keyrings.global_keyrings(repo)
    (Path(repo.path) / "R.trustedkeys.gpg").write_bytes(b"more")
    with pytest.raises(InvalidKey, match=r"R\.trustedkeys\.gpg is too large"):
        keyrings.import_remote_keys(repo, "R", [])


def test_all(repo, tmp_path):
    (Path(repo.path) / "R.trustedkeys.gpg").write_bytes(b"R")
    (Path(repo.path) / "S.trustedkeys.gpg").write_bytes(b"S")
    home = tmp_path / "home"
    home.mkdir()
    (home / "pubring.gpg").write_bytes(b"mine")
    (home / "secring.gpg").write_bytes(b"secret")
    found = keyrings.all_keyrings(repo, extra_dir=str(home))
    assert contents(found) == ([b"R", b"S", b"system", b"mine"], [])
    found = keyrings.global_keyrings(repo, extra_dir=str(home))
    assert contents(found) == ([b"system", b"mine"], [])


def test_no_such_remote(repo):
    with pytest.raises(RepoError, match='Remote "S" not found'):
        keyrings.remote_keyrings(repo, "S")
    with pytest.raises(RepoError, match='Remote "S" not found'):
        keyrings.import_remote_keys(repo, "S", [])
    with pytest.raises(RefNameError):
        keyrings.keyring_name("../x")


def test_import(repo):
    with gpg_user() as user:
        key = user.make_key("A <a@b>")
        sources = [("a", user.export(key, armored=True))]
        assert keyrings.import_remote_keys(repo, "R", sources) == 1
        assert keyrings.import_remote_keys(repo, "R", sources, [key]) == 0
    path = Path(repo.path) / "R.trustedkeys.gpg"
    assert path.stat().st_mode & 0o777 == 0o644
    assert contents(keyrings.remote_keyrings(repo, "R"))[0] == [path.read_bytes()]
