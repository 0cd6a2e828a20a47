# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

PINNED = "bb0fcc02fc7b69f7375a39b8117d15a23fffbccf252755ecd5b0f50b673e263d"


@pytest.fixture
def option(make_repo):
    return f"--repo={make_repo()}"


def listing(run, option, rev="main"):
    return run.ok(option, "ls", "-R", rev).lines


def test_the_same_tree_gives_the_same_commit(run, option, tree):
    """Pinned: computed by libostree 2022.7 from the same tree."""
    found = run.ok(
        option, "commit", "-b", "main", "-s", "Subject", "-m", "Body", "--timestamp=@1234567890",
        "--owner-uid=0", "--owner-gid=0", "--no-xattrs", "--add-metadata-string=version=1",
        "--add-metadata=list=[1, 2]", "--bind-ref=other", tree,
    )  # fmt: skip
    assert found.out == PINNED + "\n"


def test_the_current_directory_by_default(run, option, tree, monkeypatch):
    monkeypatch.chdir(tree)
    run.ok(option, "commit", "-b", "main")
    assert listing(run, option)[1].endswith(" /file")


def test_trees_are_laid_one_over_the_other(run, option, tree, tmp_path):
    over = tmp_path / "over"
    (over / "dir").mkdir(parents=True)
    (over / "file").write_text("from above")
    (over / "dir/more").write_text("more")
    run.ok(option, "commit", "-b", "below", tree)
    run.ok(option, "commit", "-b", "main", "--tree=ref=below", f"--tree=dir={over}")
    assert run.ok(option, "cat", "main", "/file", "/other").out == "from aboveother\n"
    assert [line.split()[-1] for line in run.ok(option, "ls", "main", "dir").lines] == [
        *("/dir", "/dir/inner", "/dir/more", "/dir/sub")
    ]


def test_base_is_taken_as_it_is(run, option, tree, tmp_path):
    run.ok(option, "commit", "-b", "below", tree)
    (tmp_path / "empty").mkdir()
    commit = (option, "commit", "-b", "main", "--base=below", "--owner-uid=77")
    run.ok(*commit, tmp_path / "empty")
    owners = {line.split()[-1]: line.split()[1] for line in listing(run, option)}
    assert owners["/"] == "77"
    assert owners["/file"] == str(os.getuid())


def test_owner_and_permissions(run, option, tree):
    (tree / "file").chmod(0o6777)
    run.ok(option, "commit", "-b", "main", "--owner-uid=5", "--owner-gid=6", tree)
    assert listing(run, option)[1].startswith("-06777 5 6 ")
    run.ok(option, "commit", "-b", "main", "--canonical-permissions", tree)
    assert listing(run, option)[1].startswith("-00755 0 0 ")
    run.ok(option, "commit", "-b", "main", "--mode-ro-executables", tree)
    assert listing(run, option)[1].startswith("-06555 ")


def test_statoverride(run, option, tree, tmp_path):
    (tmp_path / "list").write_text("+2048 /file\n=384 /other\n\n")
    run.ok(option, "commit", "-b", "main", f"--statoverride={tmp_path / 'list'}", tree)
    modes = [line.split()[0] for line in run.ok(option, "ls", "main", "/file", "/other").lines]
    assert modes == ["-04644", "-00600"]


def test_skip_list(run, option, tree, tmp_path):
    (tmp_path / "list").write_text("/file\n/dir\n")
    run.ok(option, "commit", "-b", "main", f"--skip-list={tmp_path / 'list'}", tree)
    assert [line.split()[4] for line in listing(run, option)] == ["/", "/link", "/other"]


@pytest.mark.parametrize("which", ["statoverride", "skip-list"])
def test_paths_that_match_nothing(run, option, tree, tmp_path, which):
    (tmp_path / "list").write_text("1 /nope\n" if which == "statoverride" else "/nope\n")
    found = run(option, "commit", "-b", "main", f"--{which}={tmp_path / 'list'}", tree)
    assert found.status == 20
    assert found.err.splitlines()[0] == f"Unmatched {which} path: /nope"
    assert found.error == f"Unmatched {which} paths"
    assert run.ok(option, "refs").out == ""


def test_history_of_a_branch(run, option, tree):
    commits = [run.ok(option, "commit", "-b", "main", tree).out.strip() for _ in range(2)]
    assert run.ok(option, "rev-parse", "main^").out.strip() == commits[0]
    run.ok(option, "commit", "-b", "main", f"--parent={commits[0]}", "-s", "again", tree)
    assert run.ok(option, "rev-parse", "main^").out.strip() == commits[0]
    run.ok(option, "commit", "-b", "main", "--parent=none", tree)
    assert "has no parent" in run.fails(option, "rev-parse", "main^")


def test_orphan(run, option, tree):
    checksum = run.ok(option, "commit", "--orphan", tree).out.strip()
    assert run.ok(option, "refs").out == ""
    assert run.ok(option, "ls", checksum).lines


def test_skip_if_unchanged(run, option, tree):
    commit = (option, "commit", "-b", "main", "--skip-if-unchanged", tree)
    first = run.ok(*commit, "-s", "one").out
    assert run.ok(*commit, "-s", "two").out == first
    (tree / "file").write_text("other")
    assert run.ok(*commit, "-s", "three").out != first


def test_bindings(run, option, tree):
    show = (option, "show", "--print-metadata-key=ostree.ref-binding")
    run.ok(option, "commit", "-b", "main", "--bind-ref=z", "--bind-ref=a", tree)
    assert run.ok(*show, "main").out == "['a', 'main', 'z']\n"
    checksum = run.ok(option, "commit", "--orphan", tree).out.strip()
    assert run.ok(*show, checksum).out == "@as []\n"
    run.ok(option, "commit", "-b", "main", "--no-bindings", tree)
    assert "No such metadata key" in run.fails(*show, "main")


def test_collection_binding(run, make_repo, tree):
    option = f"--repo={make_repo('c', 'archive', '--collection-id=org.example.C')}"
    show = (option, "show", "--print-metadata-key=ostree.collection-binding", "main")
    run.ok(option, "commit", "-b", "main", tree)
    assert run.ok(*show).out == "'org.example.C'\n"
    other = "--add-metadata-string=ostree.collection-binding=org.example.Other"
    run.ok(option, "commit", "-b", "main", other, tree)
    assert run.ok(*show).out == "'org.example.Other'\n"


def test_kept_metadata(run, option, tree):
    run.ok(option, "commit", "-b", "main", "--add-metadata-string=a=1", tree)
    run.ok(option, "commit", "-b", "main", "--keep-metadata=a", tree)
    assert run.ok(option, "show", "--print-metadata-key=a", "main").out == "'1'\n"
    assert "Missing metadata key 'b'" in run.fails(
        option, "commit", "-b", "main", "--keep-metadata=b", tree
    )
    assert "must be specified when using --keep-metadata" in run.fails(
        option, "commit", "--orphan", "--keep-metadata=a", tree
    )


def test_detached_metadata(run, option, tree):
    run.ok(option, "commit", "-b", "main", "--add-detached-metadata-string=k=v", tree)
    assert run.ok(option, "show", "--print-detached-metadata-key=k", "main").out == "'v'\n"


def test_consume(run, option, tree):
    run.ok(option, "commit", "-b", "main", "--consume", tree)
    assert not tree.exists()
    assert run.ok(option, "cat", "main", "/file").out == "content\n"


def test_nothing_is_consumed_by_a_failure(run, option, tree):
    run.fails(option, "commit", "-b", "main", "--consume", "--bootable", tree)
    assert (tree / "file").read_text() == "content\n"


def test_bootable(run, option, tree):
    (tree / "usr/lib/modules/6.1").mkdir(parents=True)
    (tree / "usr/lib/modules/6.1/vmlinuz").write_text("kernel")
    run.ok(option, "commit", "-b", "main", "--bootable", tree)
    assert run.ok(option, "show", "--print-metadata-key=ostree.linux", "main").out == "'6.1'\n"


def test_table_output(run, option, tree):
    found = run.ok(option, "commit", "-b", "main", "--table-output", tree).lines
    assert [line.partition(":")[0] for line in found] == [
        *("Commit", "Metadata Total", "Metadata Written", "Content Total", "Content Written"),
        *("Content Cache Hits", "Content Bytes Written"),
    ]
    assert found[3] == "Content Total: 4"


def test_times(run, option, tree, monkeypatch):
    date = "Date:  2009-02-13 23:31:30 +0000"
    run.ok(option, "commit", "-b", "main", "--timestamp=2009-02-13 23:31:30 +0000", tree)
    assert date in run.ok(option, "show", "main").lines
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1234567890")
    run.ok(option, "commit", "-b", "env", tree)
    assert date in run.ok(option, "show", "env").lines
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "nonsense")
    assert "SOURCE_DATE_EPOCH" in run.fails(option, "commit", "-b", "env", tree)


def test_a_transaction_that_fails_for_tests(run, option, tree, monkeypatch):
    monkeypatch.setenv("OSTREE_REPO_TEST_ERROR", "pre-commit")
    message = run.fails(option, "commit", "-b", "main", tree)
    assert "OSTREE_REPO_TEST_ERROR_PRE_COMMIT" in message
    assert run.ok(option, "refs").out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "A branch must be specified with --branch, or use --orphan"),
        (["-b", "x", "--tree=foo"], "Missing type in tree specification 'foo'"),
        (["-b", "x", "--tree=foo=bar"], "Invalid tree type specification 'foo'"),
        (["-b", "x", "--tree=ref=nope"], "Refspec 'nope' not found"),
        (["-b", "a b"], "Invalid refspec a b"),
        (["-b", "x", "--parent=zz"], "Invalid rev zz"),
        (["-b", "x", "--add-metadata=x"], "Missing '=' in KEY=VALUE metadata 'x'"),
        (["-b", "x", "--add-metadata-string==y"], "Empty metadata key"),
        (["-b", "x", "--timestamp=never"], "Could not parse 'never'"),
        (["-b", "x", "--selinux-labeling-epoch=7"], "Unknown SELinux labeling epoch: 7"),
        (["-b", "x", "--tar-pathname-filter=x"], "Missing ',' in --tar-pathname-filter"),
        (
            ["-b", "x", "--canonical-permissions", "--owner-gid=4"],
            "Cannot specify both --canonical-permissions and non-zero --owner-gid",
        ),
        (
            ["-b", "x", "--selinux-policy=/", "-P"],
            "Cannot specify both --selinux-policy and --selinux-policy-from-base",
        ),
    ],
)
def test_errors(run, option, tree, monkeypatch, arguments, message):
    monkeypatch.chdir(tree)
    assert run.fails(option, "commit", *arguments) == message


def test_names_that_are_not_utf8(run, option, tree):
    (tree / os.fsdecode(b"\x80")).write_text("x")
    assert "Invalid UTF-8 in filename" in run.fails(option, "commit", "-b", "main", tree)


def test_a_missing_directory(run, option, tmp_path):
    message = run.fails(option, "commit", "-b", "main", tmp_path / "nope")
    assert message == f"{tmp_path / 'nope'}: No such file or directory"


LABEL = "system_u:object_r:etc_t:s0"


@pytest.fixture
def policy(tmp_path):
    """A root file system with the smallest policy that labels something."""
    root = tmp_path / "policy"
    for place in ("etc", "usr/etc"):
        contexts = root / place / "selinux/tiny/contexts/files"
        contexts.mkdir(parents=True)
        (root / place / "selinux/config").write_text("SELINUX=enforcing\nSELINUXTYPE=tiny\n")
        (contexts / "file_contexts").write_text(f"/.*\t{LABEL}\n/\t-d\t{LABEL}\n")
        (root / place / "selinux/tiny/policy").mkdir()
        (root / place / "selinux/tiny/policy/policy.33").write_bytes(b"")
    (root / "file").write_text("labelled")
    return root


def labelled(run, option, rev="main"):
    return "security.selinux" in run.ok(option, "ls", "-X", rev, "/file").out


@pytest.mark.parametrize("kind", ["none", "path", "first tree", "first ref", "base"])
def test_labels(run, option, policy, kind):
    run.ok(option, "commit", "-b", "plain", policy)
    options = {
        "none": [policy],
        "path": [f"--selinux-policy={policy}", policy],
        "first tree": ["-P", policy],
        "first ref": ["-P", "--tree=ref=plain"],
        "base": ["-P", "--base=plain", f"--tree=dir={policy}"],
    }[kind]
    run.ok(option, "commit", "-b", "main", *options)
    assert labelled(run, option) is (kind != "none")


@pytest.mark.parametrize(
    "option", ["subject", "body", "add-metadata-string", "add-detached-metadata-string", "bind-ref"]
)
def test_what_is_not_text_is_refused(run, sample, tree, option):
    words = ("commit", "-b", "x", f"--{option}=k=a\udcff", tree)
    message = run.fails(sample.option, *words, status=2)
    assert message == f"The value of option --{option} is not valid UTF-8"
    assert run.ok(sample.option, "refs").lines == ["main"]
