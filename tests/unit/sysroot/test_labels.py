# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from errno import ENODATA

import pytest

from ostrya._linux.dirfd import open_dir
from ostrya.sysroot import labels
from ostrya.sysroot.labels import label_tree
from ostrya.tree.selinux import SelinuxPolicy, load_policy
from support.policies import write_policy


@pytest.fixture
def set_labels(monkeypatch):
    """What is set, by real path; most kernels take no label here."""
    found: dict[str, str] = {}

    def setxattr(place, name, value, *, follow_symlinks=True):
        assert name == "security.selinux"
        head, tail = os.path.split(place)
        path = os.path.realpath(place) if follow_symlinks else f"{os.path.realpath(head)}/{tail}"
        found[path] = value.decode()

    def getxattr(place, name, *, follow_symlinks=True):
        head, tail = os.path.split(place)
        path = os.path.realpath(place) if follow_symlinks else f"{os.path.realpath(head)}/{tail}"
        if path not in found:
            raise OSError(ENODATA, "none")
        return found[path]

    monkeypatch.setattr(labels.os, "setxattr", setxattr)
    monkeypatch.setattr(labels.os, "getxattr", getxattr)
    return found


@pytest.fixture
def policy(tmp_path) -> SelinuxPolicy:
    root = tmp_path / "policy"
    root.mkdir()
    write_policy(root)
    return load_policy(str(root))


def label(top, path, policy, **options) -> dict[str, str]:
    said: dict[str, str] = {}
    fd = open_dir(str(top))
    try:
        label_tree(fd, path, policy, on_label=said.__setitem__, **options)
    finally:
        os.close(fd)
    return said


def test_everything_is_labelled(tmp_path, policy, set_labels):
    top = tmp_path / "top"
    (top / "dir").mkdir(parents=True)
    (top / "dir/file").touch()
    (top / "link").symlink_to("/outside")
    (top / "none").touch()
    said = label(top, "/var", policy)
    assert said == dict.fromkeys(
        ("/var", "/var/dir", "/var/dir/file", "/var/link"), "system_u:object_r:var_t:s0"
    )
    assert set_labels[f"{top}/link"] == "system_u:object_r:var_t:s0\0"
    assert str(top / "none") not in set_labels


def test_what_has_a_label_keeps_it(tmp_path, policy, set_labels):
    top = tmp_path / "top"
    (top / "usr/bin").mkdir(parents=True)
    (top / "usr/bin/sh").touch()
    set_labels[str(top / "usr/bin")] = "mine"
    said = label(top, "", policy, keep=True)
    assert said == {
        "/": "system_u:object_r:root_t:s0",
        "/usr": "system_u:object_r:usr_t:s0",
        "/usr/bin/sh": "system_u:object_r:bin_t:s0",
    }
    assert label(top, "", policy, keep=True) == {}
    assert len(label(top, "", policy)) == 4


def test_file_systems_without_labels(tmp_path, policy, monkeypatch):
    def refuse(*_words, **_options):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(labels.os, "getxattr", refuse)
    with pytest.raises(OSError, match="not supported"):
        label(tmp_path, "/var", policy, keep=True)
