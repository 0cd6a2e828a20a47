# SPDX-License-Identifier: Apache-2.0
"""Policies of root file systems and of commits."""

from __future__ import annotations

import hashlib
import stat

import pytest

from ostrya.repo.modes import RepoMode
from ostrya.repo.repository import create_repository
from ostrya.repo.transaction import Transaction
from ostrya.tree.commit import write_commit, write_tree
from ostrya.tree.errors import ContextsError, PolicyError
from ostrya.tree.modifier import CommitModifier
from ostrya.tree.mutable_tree import MutableTree
from ostrya.tree.scan import write_directory
from ostrya.tree.selinux import load_policy, load_policy_from, load_policy_of_commit

CONTEXTS = """\
/.*             system_u:object_r:default_t:s0
/               system_u:object_r:root_t:s0
/usr/bin/.*     system_u:object_r:bin_t:s0
/etc/.*         system_u:object_r:etc_t:s0
/mnt            system_u:object_r:mnt_t:s0
/proc           <<none>>
"""


def write_policy(root, place="etc/selinux", *, config="SELINUX=enforcing\nSELINUXTYPE=test\n"):
    """Write a small policy below a root file system."""
    folder = root / place / "test"
    (folder / "contexts" / "files").mkdir(parents=True)
    (folder / "policy").mkdir()
    (root / place / "config").write_text(config)
    (folder / "contexts" / "files" / "file_contexts").write_text(CONTEXTS)
    (folder / "policy" / "policy.9").write_bytes(b"older")
    (folder / "policy" / "policy.33").write_bytes(b"compiled")
    (folder / "policy" / "policy.99.bak").write_bytes(b"no policy")
    return folder


def test_a_policy_has_a_name_a_checksum_and_labels(tmp_path):
    write_policy(tmp_path)
    policy = load_policy(str(tmp_path))
    assert policy.name == "test"
    assert policy.checksum == hashlib.sha256(b"compiled").hexdigest()
    assert policy.label_for("/usr/bin/sh", stat.S_IFREG) == "system_u:object_r:bin_t:s0"
    assert policy.label_for("/", stat.S_IFDIR) == "system_u:object_r:root_t:s0"


def test_usr_etc_stands_in_for_etc(tmp_path):
    write_policy(tmp_path, "usr/etc/selinux")
    assert load_policy(str(tmp_path)).name == "test"
    (tmp_path / "etc" / "selinux").mkdir(parents=True)
    assert load_policy(str(tmp_path)).name is None


def test_proc_gets_the_label_of_mnt(tmp_path):
    write_policy(tmp_path)
    label_for = load_policy(str(tmp_path)).label_for
    assert label_for("/proc", stat.S_IFDIR) == "system_u:object_r:mnt_t:s0"


@pytest.mark.parametrize(
    "config", ["", "SELINUX=disabled\nSELINUXTYPE=test\n", "SELINUXTYPE=test\n", "#SELINUX=enforcing\n"]
)  # fmt: skip
def test_without_selinux_there_are_no_labels(tmp_path, config):
    write_policy(tmp_path, config=config)
    policy = load_policy(str(tmp_path))
    assert (policy.name, policy.checksum) == (None, None)
    assert policy.label_for("/usr/bin/sh", stat.S_IFREG) is None


def test_a_root_without_policy_has_no_labels(tmp_path):
    assert load_policy(str(tmp_path)).label_for("/", stat.S_IFDIR) is None


def test_a_root_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_policy(str(tmp_path / "none"))


def test_an_incomplete_policy_is_refused(tmp_path):
    folder = write_policy(tmp_path)
    contexts = folder / "contexts" / "files" / "file_contexts"
    contexts.write_text("/usr/.* x\n")
    with pytest.raises(PolicyError, match="Failed to look up context of /"):
        load_policy(str(tmp_path))
    contexts.write_text("/usr\n")
    with pytest.raises(ContextsError, match="missing fields"):
        load_policy(str(tmp_path))
    contexts.unlink()
    with pytest.raises(PolicyError, match="No such file or directory"):
        load_policy(str(tmp_path))


def test_a_policy_needs_its_compiled_form(tmp_path):
    folder = write_policy(tmp_path)
    for path in (folder / "policy").glob("policy.?*"):
        path.unlink()
    with pytest.raises(PolicyError, match="Could not find binary policy file"):
        load_policy(str(tmp_path))


def test_a_policy_needs_a_name(tmp_path):
    write_policy(tmp_path, config="SELINUX=permissive\n")
    with pytest.raises(PolicyError, match="SELINUXTYPE"):
        load_policy(str(tmp_path))


def test_local_lines_and_substitutions_are_read(tmp_path):
    files = write_policy(tmp_path) / "contexts" / "files"
    (files / "file_contexts.local").write_text("/usr/bin/sh local\n")
    (files / "file_contexts.homedirs").write_text("/home/.* home\n")
    (files / "file_contexts.subs_dist").write_text("/bin /usr/bin\n")
    (files / "file_contexts.subs").write_text("/people /home\n")
    label_for = load_policy(str(tmp_path)).label_for
    assert label_for("/usr/bin/sh", stat.S_IFREG) == "local"
    assert label_for("/bin/ls", stat.S_IFREG) == "system_u:object_r:bin_t:s0"
    assert label_for("/people/me", stat.S_IFDIR) == "home"


@pytest.fixture
def repo(tmp_path):
    with create_repository(str(tmp_path / "repo"), RepoMode.ARCHIVE) as made:
        yield made


def commit(repo, folder):
    with Transaction(repo) as transaction:
        tree = MutableTree()
        modifier = CommitModifier(skip_xattrs=True, owner_uid=0, owner_gid=0)
        write_directory(transaction, str(folder), tree, modifier)
        checksum = write_commit(transaction, write_tree(transaction, tree), timestamp=0)
        transaction.commit()
    return checksum


@pytest.mark.parametrize("place", ["usr/etc/selinux", "etc/selinux"])
def test_a_commit_has_its_policy_in_usr_etc(tmp_path, repo, place):
    write_policy(tmp_path / "root", place)
    policy = load_policy_of_commit(repo, commit(repo, tmp_path / "root"))
    if place.startswith("usr"):
        assert policy.checksum == hashlib.sha256(b"compiled").hexdigest()
        assert policy.label_for("/etc/x", stat.S_IFREG) == "system_u:object_r:etc_t:s0"
    else:
        assert policy.label_for("/etc/x", stat.S_IFREG) is None


def test_files_that_are_neither_on_the_disk_nor_committed(tmp_path):
    write_policy(tmp_path, "etc/selinux")

    class Files:
        def exists(self, path):
            return (tmp_path / path).exists()

        def read(self, path):
            return (tmp_path / path).read_bytes() if (tmp_path / path).is_file() else None

        def names(self, path):
            return [one.name for one in (tmp_path / path).iterdir()]

    policy = load_policy_from(Files())
    assert policy.name == "test"
    assert policy.label_for("/usr/bin/x", 0o100755) == "system_u:object_r:bin_t:s0"
