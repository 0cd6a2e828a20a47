# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.cli.commit_options import OPTIONS
from ostrya.cli.commit_trees import parse_trees
from ostrya.cli.errors import UsageError
from ostrya.cli.parser import parse_arguments


def trees(*argv):
    return parse_trees(parse_arguments(OPTIONS, argv))


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ([], [("dir", ".")]),
        (["path"], [("dir", "path")]),
        (["--tree=dir=a=b", "--tree=tar=-", "path"], [("dir", "a=b"), ("tar", "-")]),
        (["--tree=ref=x"], [("ref", "x")]),
    ],
)
def test_kinds_and_sources(argv, expected):
    assert [(tree.kind, tree.source) for tree in trees(*argv)] == expected


def test_the_first_tree_gives_the_policy():
    assert [t.gives_policy for t in trees("-P", "--tree=dir=a", "--tree=dir=b")] == [True, False]
    with pytest.raises(UsageError, match="Cannot use --selinux-policy-from-base with tar"):
        trees("-P", "--tree=tar=a")


@pytest.mark.parametrize(
    ("text", "path", "renamed"),
    [
        ("^usr/bin/,usr/sbin/", "usr/bin/x", "usr/sbin/x"),
        ("^usr/bin/,usr/sbin/", "x/usr/bin/x", "x/usr/bin/x"),
        ("^,foo/", "usr", "foo/usr"),
        (r"(a)(b),\2\1", "xaby", "xbay"),
        ("a,b,c", "a", "b,c"),
    ],
)
def test_renaming(text, path, renamed):
    (tree,) = trees(f"--tar-pathname-filter={text}")
    assert tree.rename(path) == renamed


def test_expressions_that_are_none():
    with pytest.raises(UsageError, match="--tar-pathname-filter: "):
        trees("--tar-pathname-filter=(,x")


def test_an_archive_from_a_file_or_the_standard_input(run, make_repo, tmp_path):
    import io
    import tarfile

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("etc/file")
        member.size = 5
        archive.addfile(member, io.BytesIO(b"hello"))
    (tmp_path / "x.tar").write_bytes(buffer.getvalue())
    option = f"--repo={make_repo()}"
    commit = (option, "commit", "--tar-autocreate-parents", "--tar-pathname-filter=^,usr/")
    run.ok(*commit, "-b", "file", f"--tree=tar={tmp_path / 'x.tar'}")
    run.ok(*commit, "-b", "stdin", "--tree=tar=-", stdin=buffer.getvalue())
    for branch in ("file", "stdin"):
        assert run.ok(option, "cat", branch, "/usr/etc/file").out == "hello"
