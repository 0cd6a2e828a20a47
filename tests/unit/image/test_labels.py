# SPDX-License-Identifier: Apache-2.0
import os

import pytest

from ostrya.image.decisions import Report
from ostrya.image.errors import SourceError
from ostrya.image.labels import label_tree
from ostrya.image.tree import TreeEditor
from ostrya.repo.reader import load_dirmeta
from ostrya.tree.mutable_tree import MutableTree
from ostrya.tree.scan import write_directory
from support.policies import write_policy


def label_of(xattrs) -> str:
    return dict(xattrs).get(b"security.selinux", b"").decode()


@pytest.fixture
def editor(tx, tmp_path) -> TreeEditor:
    root = tmp_path / "root"
    write_policy(root)
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/tool").write_bytes(b"program")
    os.symlink("tool", root / "usr/bin/link")
    for at in range(150):
        (root / f"usr/bin/{at}").write_bytes(b"%d" % at)
    tree = MutableTree()
    write_directory(tx, str(root), tree)
    return TreeEditor(tx, tree)


def test_everything_is_labelled_as_the_system_has_it(editor, tx):
    report = Report()
    label_tree(editor, report)
    assert label_of(editor.header("usr/bin/tool").xattrs) == "system_u:object_r:bin_t:s0\0"
    assert label_of(editor.header("usr/bin/link").xattrs) == "system_u:object_r:bin_t:s0\0"
    assert label_of(editor.header("usr/etc/selinux/config").xattrs).startswith(
        "system_u:object_r:etc_t"
    )
    place = editor.find_dir("usr/etc")
    assert "etc_t" in label_of(load_dirmeta(tx.repo, place.metadata_checksum).xattrs)
    assert editor.read("usr/bin/149") == b"149"
    assert report.decisions[0].code == "labels.set"
    assert "by the policy test" in report.decisions[0].sentence


def test_twice_is_once(editor):
    label_tree(editor, Report())
    before = dict(editor.find_dir("usr/bin").files())
    label_tree(editor, Report())
    assert editor.find_dir("usr/bin").files() == before


def test_without_a_policy_nothing_is_done(editor):
    editor.rewrite("usr/etc/selinux/config", b"SELINUX=disabled\nSELINUXTYPE=test\n")
    report = Report()
    label_tree(editor, report)
    assert editor.header("usr/bin/tool").xattrs == ()
    assert report.decisions == []


def test_a_policy_that_lacks_something(editor):
    editor.remove("usr/etc/selinux/test/policy")
    with pytest.raises(SourceError, match=r"^SELinux: "):
        label_tree(editor, Report())
