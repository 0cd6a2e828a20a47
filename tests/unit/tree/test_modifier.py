# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import stat

import pytest

from ostrya.tree.errors import UnmatchedPaths
from ostrya.tree.modifier import CommitModifier, FileInfo, canonical_info

FILE = FileInfo(5, 6, stat.S_IFREG | 0o644)
FOLDER = FileInfo(5, 6, stat.S_IFDIR | 0o755)


def test_one_that_does_nothing_says_so():
    assert CommitModifier().leaves_info_alone
    assert CommitModifier().apply("/f", FILE) == FILE
    for options in (
        {"owner_uid": 0}, {"owner_gid": 0}, {"canonical_permissions": True},
        {"read_only_executables": True}, {"mode_adds": {"/f": 1}}, {"mode_overrides": {"/f": 1}},
        {"skip_paths": {"/f"}}, {"filter": lambda _path, info: info},
    ):  # fmt: skip
        assert not CommitModifier(**options).leaves_info_alone, options


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [
        (0o104777, 0o100755), (0o100600, 0o100600), (0o042777, 0o040755), (0o120777, 0o120777),
        (0o100022, 0o100000),
    ],
)  # fmt: skip
def test_what_every_mode_can_hold(mode, wanted):
    assert canonical_info(FileInfo(1, 2, mode)) == (0, 0, wanted)


def test_additions_are_used_up_and_overrides_are_not():
    modifier = CommitModifier(mode_adds={"/f": 0o4000}, mode_overrides={"/f": 0o600})
    assert modifier.apply("/f", FILE).mode == 0o104644
    assert modifier.apply("/f", FILE).mode == 0o100600
    modifier.check_all_matched()


def test_additions_to_directories_below_the_root_are_dropped():
    modifier = CommitModifier(mode_adds={"/d": 0o2000, "/": 0o2000})
    assert modifier.apply("/d", FOLDER).mode == FOLDER.mode
    assert modifier.apply("/", FOLDER).mode == FOLDER.mode | 0o2000
    modifier.check_all_matched()


def test_a_filter_sees_what_was_changed_before_it():
    seen = []

    def look(path, info):
        seen.append((path, info.uid))
        return info

    CommitModifier(owner_uid=9, filter=look).apply("/f", FILE)
    assert seen == [("/f", 9)]


def test_paths_left_over():
    modifier = CommitModifier(skip_paths={"/b", "/a"})
    assert modifier.apply("/b", FILE) is None
    with pytest.raises(UnmatchedPaths) as caught:
        modifier.check_all_matched()
    assert caught.value.paths == ("/a",)
