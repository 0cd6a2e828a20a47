# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from types import SimpleNamespace

import pytest

from ostrya.cli.commit_modifier import make_modifier
from ostrya.cli.commit_options import OPTIONS
from ostrya.cli.parser import parse_arguments
from ostrya.repo.modes import RepoMode
from ostrya.tree.modifier import CommitModifier


def modifier(*argv, mode=RepoMode.ARCHIVE):
    return make_modifier(parse_arguments(OPTIONS, argv), SimpleNamespace(mode=mode))


def test_nothing_asked_changes_nothing():
    assert modifier() == CommitModifier()


@pytest.mark.parametrize(
    ("argv", "changes"),
    [
        (["--owner-uid=0", "--owner-gid=7"], {"owner_uid": 0, "owner_gid": 7}),
        (["--owner-uid=-1"], {}),
        (["--no-xattrs"], {"skip_xattrs": True}),
        (["--canonical-permissions"], {"canonical_permissions": True}),
        (["--mode-ro-executables"], {"read_only_executables": True}),
        (["--consume"], {"consume": True}),
        (["--generate-sizes"], {"generate_sizes": True}),
        (["--selinux-labeling-epoch=1"], {"label_usr_etc_as_etc": True}),
    ],
)
def test_options(argv, changes):
    assert modifier(*argv) == CommitModifier(**changes)


def test_what_the_repository_cannot_hold_is_left_out():
    found = modifier(mode=RepoMode.BARE_USER_ONLY)
    assert found == CommitModifier(canonical_permissions=True, skip_xattrs=True)


def test_lists(tmp_path):
    (tmp_path / "modes").write_text("2048 /a\n=384 /b\n")
    (tmp_path / "skip").write_text("/x\n/y\n")
    found = modifier(f"--statoverride={tmp_path / 'modes'}", f"--skip-list={tmp_path / 'skip'}")
    assert found.mode_adds == {"/a": 2048}
    assert found.mode_overrides == {"/b": 384}
    assert found.skip_paths == {"/x", "/y"}
