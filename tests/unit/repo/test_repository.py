# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import subprocess
import sys
from errno import EOPNOTSUPP
from pathlib import Path

import pytest

from ostrya.errors import FormatError, OstryaError
from ostrya.repo.config_writer import write_config
from ostrya.repo.errors import RepoConfigError, RepoModeError, RepoNotFound
from ostrya.repo.modes import TRAITS, RepoMode, parse_mode
from ostrya.repo.repository import create_repository, open_repository, require_writable
from ostrya.repo.runtime import DEFAULT_RUNTIME, Runtime
from support.small_repos import configure, make_repo, open_fds


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _fd: None)


@pytest.fixture(autouse=True)
def no_leaks():
    before = open_fds()
    yield
    assert open_fds() == before


@pytest.mark.parametrize(
    ("utf8", "words"),
    [("0", "NamesNotUtf8 ascii hint: PYTHONUTF8=1"), ("1", "opened")],
    ids=["ascii", "utf-8"],
)
@pytest.mark.parametrize(
    "deed", ["open_repository(path)", "create_repository(path, RepoMode.BARE)"]
)
def test_names_that_python_takes_for_another_encoding(tmp_path, deed, utf8, words):
    path = str(tmp_path / "repo")
    create_repository(path, RepoMode.BARE_USER_ONLY).close()
    program = (
        "from ostrya.errors import OstryaError\n"
        "from ostrya.repo.modes import RepoMode\n"
        "from ostrya.repo.repository import create_repository, open_repository\n"
        f"path = {path!r}\n"
        "try:\n"
        f"    {deed}.close()\n"
        "    print('opened')\n"
        "except OstryaError as exc:\n"
        "    hint = 'PYTHONUTF8=1' if 'PYTHONUTF8=1' in exc.hint else exc.hint\n"
        "    print(type(exc).__name__, exc.encoding, 'hint:', hint)\n"
    )
    surroundings = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": utf8}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == (f"{words}\n", "")


def test_made_and_opened_again(tmp_path):
    path = str(tmp_path / "repo")
    with create_repository(path, RepoMode.ARCHIVE, collection_id="org.example.X") as repo:
        assert repo.mode == RepoMode.ARCHIVE
        assert repo.writable
    # An existing one stays as it is.
    with create_repository(path, RepoMode.BARE_USER_ONLY) as repo:
        assert repo.mode == RepoMode.ARCHIVE
        assert repo.config.collection_id == "org.example.X"
    names = {str(p.relative_to(path)) for p in Path(path).rglob("*")}
    assert names == {
        "config", "extensions", "objects", "refs", "refs/heads", "refs/mirrors", "refs/remotes",
        "state", "tmp", "tmp/cache",
    }  # fmt: skip


def test_one_that_was_not_finished_is_finished(tmp_path):
    """objects/ comes last, so without it there is no repository yet."""
    (tmp_path / "repo/refs").mkdir(parents=True)
    with create_repository(str(tmp_path / "repo"), RepoMode.ARCHIVE) as repo:
        assert repo.mode == RepoMode.ARCHIVE


def test_a_bad_collection_leaves_nothing(tmp_path):
    with pytest.raises(FormatError):
        create_repository(str(tmp_path / "repo"), RepoMode.ARCHIVE, collection_id="bad")
    assert not (tmp_path / "repo").exists()


def test_relative_to_a_directory(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    create_repository("repo", RepoMode.ARCHIVE, dir_fd=fd).close()
    open_repository("repo", dir_fd=fd).close()
    os.close(fd)


def test_bare_user_without_user_xattrs(tmp_path, monkeypatch):
    def unsupported(*_args, **_kwargs):
        raise OSError(EOPNOTSUPP, os.strerror(EOPNOTSUPP))

    monkeypatch.setattr(os, "setxattr", unsupported)
    with pytest.raises(RepoModeError, match=r"fsetxattr\(user.ostreemeta\)") as caught:
        create_repository(str(tmp_path / "repo"), RepoMode.BARE_USER)
    assert "bare-user-only" in caught.value.hint
    assert not (tmp_path / "repo/objects").exists()


@pytest.mark.parametrize("make", [os.fspath, Path.mkdir, Path.touch])
def test_no_repository(tmp_path, make):
    make(tmp_path / "repo")
    with pytest.raises(RepoNotFound, match="opening repo") as caught:
        open_repository(str(tmp_path / "repo"))
    assert "ostrya init" in caught.value.hint


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"nonsense", b"[core]\nrepo_version=1\nmode=future\n", b"x" * (17 << 20)],
    ids=["empty", "not-utf8", "no-keyfile", "future", "huge"],
)  # fmt: skip
def test_a_config_nobody_can_use(tmp_path, content):
    make_repo(tmp_path / "repo").close()
    (tmp_path / "repo/config").write_bytes(content)
    with pytest.raises(OstryaError):
        open_repository(str(tmp_path / "repo"))


def test_tmp_is_made_anew(tmp_path):
    make_repo(tmp_path / "repo").close()
    (tmp_path / "repo/tmp/cache").rmdir()
    (tmp_path / "repo/tmp").rmdir()
    open_repository(str(tmp_path / "repo")).close()
    assert (tmp_path / "repo/tmp").is_dir()


def test_without_cache(tmp_path):
    make_repo(tmp_path / "repo").close()
    (tmp_path / "repo/tmp/cache").rmdir()
    open_repository(str(tmp_path / "repo"), runtime=Runtime(use_cache=False)).close()
    assert not (tmp_path / "repo/tmp/cache").exists()
    assert DEFAULT_RUNTIME.use_cache


class TestParents:
    def chain(self, tmp_path, names: str, last: str) -> None:
        for name, parent in zip(names, [*names[1:], last], strict=True):
            with make_repo(tmp_path / name) as repo:
                if parent:
                    configure(repo, parent=str(tmp_path / parent))

    def test_are_opened_too(self, tmp_path):
        self.chain(tmp_path, "abc", "")
        with open_repository(str(tmp_path / "a")) as repo:
            assert repo.parent.parent.path == str(tmp_path / "c")
            assert repo.parent.parent.parent is None

    def test_in_a_circle(self, tmp_path):
        self.chain(tmp_path, "abc", "a")
        with pytest.raises(RepoConfigError, match="parent chain without end"):
            open_repository(str(tmp_path / "a"))

    def test_too_many(self, tmp_path):
        self.chain(tmp_path, "abcdefghijklm", "")
        with pytest.raises(RepoConfigError, match="parent chain without end"):
            open_repository(str(tmp_path / "a"))

    def test_that_are_not_there(self, tmp_path):
        self.chain(tmp_path, "a", "nowhere")
        with pytest.raises(RepoConfigError, match="While checking parent repository"):
            open_repository(str(tmp_path / "a"))


def test_closing_twice(tmp_path):
    repo = make_repo(tmp_path / "repo")
    repo.close()
    repo.close()


def test_what_cannot_be_written_is_refused_early(tmp_path):
    with make_repo(tmp_path / "repo") as repo:
        require_writable(repo)
        repo.writable = False
        with pytest.raises(PermissionError, match="repo/objects"):
            require_writable(repo)


def test_the_config_written_anew(tmp_path):
    with make_repo(tmp_path / "repo") as repo:
        repo.config.keyfile.set_value("core", "tmp-expiry-secs", "9")
        write_config(repo, repo.config.keyfile)
        assert repo.config.tmp_expiry_s != 9
        repo.reload_config()
        assert repo.config.tmp_expiry_s == 9


@pytest.mark.parametrize("mode", RepoMode)
def test_modes(mode):
    assert parse_mode(mode.value) == mode
    assert TRAITS[mode].is_bare is (mode != RepoMode.ARCHIVE)
    assert TRAITS[mode].keeps_ownership is (mode != RepoMode.BARE_USER_ONLY)


def test_modes_that_are_none():
    assert parse_mode("archive") == RepoMode.ARCHIVE
    for text in ("", "Bare", "bare ", "archive-z3"):
        with pytest.raises(RepoConfigError, match="Invalid mode"):
            parse_mode(text)
