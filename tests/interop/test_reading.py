# SPDX-License-Identifier: Apache-2.0
"""Under the name ``ostree``, every reading verb prints what Debian's tool prints, to the byte."""

from __future__ import annotations

import re
import subprocess
import unicodedata
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
    "checksum TREE/usr/bin/hello",
    "checksum TREE/xattr/one",
    "checksum --ignore-xattrs TREE/xattr/one",
    "checksum TREE/usr/lib/libx.so",
    "fsck",
    "fsck -q",
    "prune --no-prune --refs-only",
]


# What is not there, or asked wrongly: these sentences are looked at by scripts.
REFUSALS = [
    "log nothing",
    "show nothing",
    "show " + "0" * 64,
    "ls main /nothing",
    "ls nothing",
    "cat main /nothing",
    "rev-parse nothing",
    "rev-parse main^^^",
    "rev-parse " + "0" * 64,
    "rev-parse a/../b",
    "diff nothing main",
    "checkout nothing DEST",
    "commit -b .. --tree=dir=/nowhere",
]

# These are refused too; the sentence may be ours.
REFUSALS_IN_OUR_WORDS = [
    "cat main /usr",
    "cat main",
    "rev-parse",
    "refs --delete",
    "refs main --create=os",
    "config get nothing.here",
    "config get core.nothing",
    "commit -b main --tree=dir=/nowhere",
    "commit -b main --tree=odd=/",
    "remote show-url nothing",
    "summary --print-metadata-key=nothing",
]


def both(folder: Path, drop_in: Command, line: str) -> dict[str, tuple[int, str, str]]:
    """Status, stdout and stderr of a command line from each tool."""
    places = {"TREE": str(folder / "tree"), "DEST": str(folder / "dest")}
    arguments = line.split()
    for mark, place in places.items():
        arguments = [word.replace(mark, place) for word in arguments]
    results = {}
    for tool in (drop_in, PEER):
        done = tool.run(f"--repo={folder / 'repo'}", *arguments)
        noise = r"^(fsck objects .*|Summary is unsigned)\n"  # redrawn bars; a line of newer ones
        stdout = re.sub(noise, "", done.stdout.decode(), flags=re.MULTILINE)
        words = (stdout, done.stderr.decode().replace(str(tool.path), "ostree"))
        results[tool.name] = (done.returncode, *words)
    return results


@pytest.mark.parametrize("line", LINES + REFUSALS)
def test_same_words(folder, drop_in, line):
    results = both(folder, drop_in, line)
    if "Unknown option" in results["peer"][2]:
        pytest.skip("an option newer than this peer")
    if line in {"refs", "refs -c", "refs -A", "config"}:  # the peer's order is a hash table's
        for name, (status, stdout, stderr) in results.items():
            results[name] = (status, "\n".join(sorted(stdout.splitlines())), stderr)
    assert results["ours"] == results["peer"]


@pytest.mark.parametrize("line", REFUSALS_IN_OUR_WORDS)
def test_same_refusals(folder, drop_in, line):
    results = both(folder, drop_in, line)
    assert results["ours"][:2] == results["peer"][:2]
    assert results["peer"][0] == 1
    last = results["ours"][2].splitlines()[-1]
    assert last.startswith("error: ")
    assert "Traceback" not in results["ours"][2]


def test_a_failure_exits_with_the_familys_number_under_our_name(folder):
    done = OURS.run(f"--repo={folder / 'repo'}", "rev-parse", "nothing")
    assert done.returncode == 20
    assert b"nothing" in done.stderr


def test_an_export_unpacks_to_the_same_tree(folder, tmp_path):
    """Ours keeps besides what the peer's archives lose: xattrs, and names as they are spelled."""
    for tool in (OURS, PEER):
        target = tmp_path / tool.name
        target.mkdir()
        tool(f"--repo={folder / 'repo'}", "export", "main", "-o", tmp_path / "tar")
        argv = ["tar", "-C", str(target), "-xpf", str(tmp_path / "tar")]
        subprocess.run(argv, check=True)
    left, right = (
        {
            unicodedata.normalize("NFC", name): node._replace(xattrs=(), linked_with="")
            for name, node in trees.snapshot(tmp_path / who).items()
        }
        for who in ("ours", "peer")
    )
    assert not trees.differences(left, right)


def test_an_export_comes_back_as_the_same_tree(folder, tmp_path):
    """Exported by ours and committed from the archive: the same contents."""
    OURS(f"--repo={folder / 'repo'}", "export", "main", "-o", tmp_path / "tar")
    OURS("init", f"--repo={tmp_path / 'repo'}", "--mode=archive")
    OURS(f"--repo={tmp_path / 'repo'}", "commit", "-b", "main", f"--tree=tar={tmp_path / 'tar'}")
    before = PEER(f"--repo={folder / 'repo'}", "ls", "-RCX", "main")
    assert PEER(f"--repo={tmp_path / 'repo'}", "ls", "-RCX", "main") == before
