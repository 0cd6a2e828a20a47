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


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"no archive at all\n" * 40, "Unrecognized archive format"),
        (b"070701" + b"zz" * 300, "Damaged cpio archive"),
        (b"\x1f\x8bxx", "Damaged gzip data in archive"),
    ],
)
def test_errors_name_the_archive(run, make_repo, tmp_path, data, words):
    path = tmp_path / "x.tar"
    path.write_bytes(data)
    commit = (f"--repo={make_repo()}", "commit", "-b", "x")
    done = run(*commit, f"--tree=tar={path}")
    assert done.status == 10
    assert done.error.startswith(f"{path}: {words}")
    assert run(*commit, "--tree=tar=-", stdin=data).error.startswith(f"standard input: {words}")
