# SPDX-License-Identifier: Apache-2.0
"""Under the name ``ostree``, every reading verb prints what Debian's tool prints, to the byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import trees
from support.commands import OURS, OURS_PATH, PEER, Command

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A repository with a history, aliases, remotes and a summary, made by the peer."""
    top = tmp_path_factory.mktemp("reading")
    tree, repo = top / "tree", f"--repo={top / 'repo'}"
    tree.mkdir()
    trees.full_tree(tree)
    PEER("init", repo, "--mode=archive", "--collection-id=org.example.Tests")
    metadata = [
        "--add-metadata-string=version=1.0",
        "--add-metadata=n=uint32 7",
        "--add-detached-metadata-string=d=e",
    ]
    PEER(repo, "commit", "-b", "main", "-s", "one", "-m", "body\nof two lines", "--timestamp=@1700000000", *metadata, "--generate-sizes", f"--tree=dir={tree}")  # fmt: skip
    trees.second_release(tree)
    PEER(
        repo,
        "commit",
        "-b",
        "main",
        "-s",
        "two",
        "--timestamp=@1700000100",
        "--generate-sizes",
        f"--tree=dir={tree}",
    )
    PEER(
        repo,
        "commit",
        "-b",
        "os/x86_64/stable",
        "--timestamp=@1700000200",
        f"--tree=dir={tree}/etc",
    )
    PEER(repo, "refs", "main", "--create=origin:os/main")
    PEER(repo, "refs", "main", "--create=alias", "--alias")
    PEER(
        repo,
        "remote",
        "add",
        "--no-gpg-verify",
        "--set=branches=a;b;",
        "web",
        "https://example.com/repo",
    )
    PEER(repo, "summary", "-u")
    return top


@pytest.fixture(scope="module")
def drop_in(tmp_path_factory) -> Command:
    """Ours under the name ``ostree``."""
    link = tmp_path_factory.mktemp("bin") / "ostree"
    link.symlink_to(OURS_PATH)
    return Command(link, "ours")


LINES = [
    "log main",
    "log --raw main",
    "show main",
    "show main^",
    "show --raw main",
    "show --list-metadata-keys main^",
    "show --print-metadata-key=version main^",
    "show --print-metadata-key=n main^",
    "show --list-detached-metadata-keys main^",
    "show --print-detached-metadata-key=d main^",
    "show --print-sizes main",
    "show --print-related main",
    "ls main",
    "ls main /usr",
    "ls -R main",
    "ls -R -C main",
    "ls -R -X main",
    "ls -R --nul-filenames-only main",
    "ls -d main /usr",
    "ls main /usr/bin/hello",
    "ls main /usr/lib/libx.so",
    "cat main /usr/bin/hello",
    "cat main /etc/conf.d/10-a.conf",
    "refs",
    "refs os",
    "refs --list os",
    "refs -A",
    "refs -c",
    "refs --list origin:os",
    "rev-parse main",
    "rev-parse main^",
    "rev-parse origin:os/main",
    "rev-parse alias",
    "diff main^ main",
    "diff --stats main^ main",
    "diff main",
    "summary -v",
    "summary --raw",
    "summary --list-metadata-keys",
    "config get core.mode",
    "config get --group=core repo_version",
    "remote list",
    "remote list -u",
    "remote show-url web",
    "remote refs nothing",
    "checksum TREE/usr/bin/hello",
    "checksum TREE/xattr/one",
    "checksum --ignore-xattrs TREE/xattr/one",
    "checksum TREE/usr/lib/libx.so",
    "fsck",
    "fsck -q",
    "prune --no-prune --refs-only",
    # What is not there, or asked wrongly.
    "log nothing",
    "show nothing",
    "show " + "0" * 64,
    "ls main /nothing",
    "ls nothing",
    "cat main /usr",
    "cat main /nothing",
    "cat main",
    "rev-parse nothing",
    "rev-parse main^^^",
    "rev-parse " + "0" * 64,
    "rev-parse a/../b",
    "rev-parse",
    "refs --delete",
    "refs main --create=os",
    "diff nothing main",
    "config get nothing.here",
    "config get core.nothing",
    "checkout nothing DEST",
    "commit -b main --tree=dir=/nowhere",
    "commit -b main --tree=odd=/",
    "commit -b .. --tree=dir=/nowhere",
    "remote show-url nothing",
    "summary --print-metadata-key=nothing",
]


@pytest.mark.parametrize("line", LINES)
def test_same_words(folder, drop_in, line):
    arguments = [
        word.replace("TREE", str(folder / "tree")).replace("DEST", str(folder / "dest"))
        for word in line.split()
    ]
    results = {}
    for tool in (drop_in, PEER):
        done = tool.run(f"--repo={folder / 'repo'}", *arguments)
        words = (done.stdout.decode(), done.stderr.decode().replace(str(tool.path), "ostree"))
        results[tool.name] = (done.returncode, *words)
    assert results["ours"] == results["peer"]


def test_a_failure_exits_with_the_familys_number_under_our_name(folder):
    done = OURS.run(f"--repo={folder / 'repo'}", "rev-parse", "nothing")
    assert done.returncode == 20
    assert b"nothing" in done.stderr


@pytest.mark.parametrize("fmt", ["tar"])
def test_export_has_the_same_members(folder, tmp_path, fmt):
    import tarfile

    members = {}
    for tool in (OURS, PEER):
        target = tmp_path / f"{tool.name}.tar"
        tool(f"--repo={folder / 'repo'}", "export", "main", "-o", target)
        with tarfile.open(target) as archive:
            members[tool.name] = [
                (
                    m.name.rstrip("/"),
                    m.type,
                    m.mode,
                    m.uid,
                    m.gid,
                    m.size,
                    m.linkname,
                    m.mtime,
                    sorted(m.pax_headers),
                )
                for m in archive.getmembers()
            ]
    assert members["ours"] == members["peer"]
