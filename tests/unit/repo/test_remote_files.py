# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya.errors import RepoError
from ostrya.repo import remote_files
from ostrya.repo.config_writer import write_config
from ostrya.repo.errors import RepoConfigError
from ostrya.repo.modes import RepoMode
from ostrya.repo.remote_settings import RemoteSettings
from ostrya.repo.remotes import add_remote, delete_remote, list_remotes, remote_url
from ostrya.repo.repository import create_repository, open_repository
from ostrya.repo.runtime import Runtime


@pytest.fixture
def root(tmp_path):
    (tmp_path / "ostree").mkdir()
    return tmp_path


@pytest.fixture
def system(root):
    runtime = Runtime(system_root=str(root))
    with create_repository(str(root / "ostree/repo"), RepoMode.BARE, runtime=runtime) as repo:
        yield repo


@pytest.fixture
def folder(root):
    path = root / "etc/ostree/remotes.d"
    path.mkdir(parents=True)
    return path


def test_the_systems_repository_has_files_for_its_remotes(system, root):
    add_remote(system, "os", "https://os", [("gpg-verify", False)])
    file = root / "etc/ostree/remotes.d/os.conf"
    assert file.read_text() == '[remote "os"]\nurl=https://os\ngpg-verify=false\n'
    assert file.stat().st_mode & 0o777 == 0o644
    assert "remote" not in (root / "ostree/repo/config").read_text()
    assert list_remotes(system) == ["os"]
    assert remote_url(system, "os") == "https://os"
    assert not RemoteSettings(system, "os").gpg_verify
    with pytest.raises(RepoError, match=f'"os" already exists: {file}'):
        add_remote(system, "os", "https://other", [])
    add_remote(system, "os", "https://other", [], keep=True)
    assert remote_url(system, "os") == "https://os"
    add_remote(system, "os", "https://other", [], replace=True)
    assert file.read_text() == '[remote "os"]\nurl=https://other\n'
    delete_remote(system, "os")
    assert not file.exists()
    assert list_remotes(system) == []


def test_another_repository_has_none(system, root, folder):
    (folder / "os.conf").write_text('[remote "os"]\nurl=https://os\n')
    other = str(root / "other")
    with create_repository(other, RepoMode.BARE, runtime=system.runtime) as repo:
        assert remote_files.remotes_dir(repo) is None
        assert list_remotes(repo) == []
        add_remote(repo, "x", "https://x", [])
        assert '[remote "x"]' in (root / "other/config").read_text()
    nowhere = Runtime(system_root=None)
    with open_repository(system.path, runtime=nowhere) as repo:
        assert list_remotes(repo) == []
    # By another path, it is still the system's.
    os.symlink(root / "ostree", root / "link")
    with open_repository(str(root / "link/repo"), runtime=system.runtime) as repo:
        assert list_remotes(repo) == ["os"]


def test_the_setting_that_keeps_new_remotes_together(system, root, folder):
    (folder / "old.conf").write_text('[remote "old"]\nurl=https://old\n')
    keyfile = system.config.keyfile
    keyfile.set_boolean("core", "add-remotes-config-dir", False)
    write_config(system, keyfile)
    system.reload_config()
    add_remote(system, "new", "https://new", [])
    assert '[remote "new"]' in (root / "ostree/repo/config").read_text()
    assert list_remotes(system) == ["new", "old"]
    add_remote(system, "old", "https://newer", [], replace=True)
    assert (folder / "old.conf").read_text() == '[remote "old"]\nurl=https://newer\n'


def test_what_else_is_in_a_file_stays(system, folder):
    file = folder / "two.conf"
    file.write_text('# ours\n[remote "a"]\nurl=https://a\n\n[remote "b"]\nurl=https://b\n')
    delete_remote(system, "a")
    assert file.read_text() == '# ours\n\n[remote "b"]\nurl=https://b\n'
    assert list_remotes(system) == ["b"]


def test_other_files_are_left_alone(system, folder):
    (folder / "x.conf.rpmnew").write_text("no key file")
    (folder / "y.conf").mkdir()
    (folder / "z.conf").symlink_to("/dev/zero")
    assert list_remotes(system) == []


def test_a_remote_is_said_once(system, folder):
    (folder / "a.conf").write_text('[remote "os"]\nurl=https://os\n')
    (folder / "b.conf").write_text('[remote "os"]\nurl=https://os\n')
    with pytest.raises(RepoConfigError, match='Multiple specifications found for remote "os"') as e:
        list_remotes(system)
    assert str(folder / "a.conf") in e.value.hint
    assert str(folder / "b.conf") in e.value.hint


def test_damaged_files_are_named(system, folder):
    file = folder / "a.conf"
    file.write_text("damaged")
    with pytest.raises(RepoConfigError, match=f"Reloading remotes: {file}: "):
        list_remotes(system)
    file.write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(RepoConfigError, match=f"{file} is too large"):
        list_remotes(system)


def test_parents_have_theirs(system, root, folder):
    (folder / "os.conf").write_text('[remote "os"]\nurl=https://os\ngpg-verify=false\n')
    with create_repository(str(root / "child"), RepoMode.BARE) as made:
        keyfile = made.config.keyfile
        keyfile.set_string("core", "parent", system.path)
        write_config(made, keyfile)
    with open_repository(str(root / "child"), runtime=system.runtime) as child:
        assert list_remotes(child) == ["os"]
        assert remote_url(child, "os") == "https://os"
        assert remote_files.find_remote(child, "os") is None
        assert len(remote_files.find_in_chain(child, "os")) == 1
