# SPDX-License-Identifier: Apache-2.0
"""The same command lines, given to ours under the name ``ostree`` and to Debian's: same output.

What differs on purpose: help is in our own words, refs are sorted (as newer libostree does),
errors about missing files name the path, and newer options are known.
"""

from __future__ import annotations

import itertools
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from ostrya.cli.main import main
from support import trees
from support.commands import PEER, PEER_PATH, clean_environment

pytestmark = pytest.mark.peer

ZEROS = "0" * 64


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with repositories of both modes, and trees beside them."""
    folder = tmp_path_factory.mktemp("peer")
    trees.plain_tree(folder / "tree")
    for mode in ("archive", "bare-user"):
        _fill(folder, f"--repo={folder / mode}", mode)
    small = folder / "small"
    trees.write(small / "a-file", b"a")
    trees.write(small / "etc/empty", b"not empty")
    (small / "order").symlink_to("elsewhere")
    return folder


def _fill(folder: Path, option: str, mode: str) -> None:
    PEER("init", option, f"--mode={mode}")
    commit = ("commit", option, "-b", "main", "--owner-uid=0", "--owner-gid=0")
    PEER(
        *commit, "-s", "First\nof two", "-m", "Body\n\nwith lines\n", "--timestamp=@1000000000",
        "--add-metadata-string=version=1.0", "--add-metadata=number=uint64 42",
        "--add-metadata=bytes=[byte 1, 2, 255]", "--add-detached-metadata-string=SIG=x",
        "--add-metadata=nested={'a': <1>, 'b': <('x', true)>}", f"--tree=dir={folder / 'tree'}",
    )  # fmt: skip
    trees.write(folder / "tree/etc/conf.d/10-a.conf", b"changed\n")
    PEER(*commit, "--timestamp=@1000000001", f"--tree=dir={folder / 'tree'}")
    trees.write(folder / "tree/etc/conf.d/10-a.conf", b"[a]\nkey=value\n" * 200)
    PEER("refs", option, "main^", "--create=os/old")
    PEER("refs", option, "main", "--create=origin:os/new")
    PEER("refs", option, "-A", "main", "--create=alias")
    PEER("remote", option, "add", "origin", "http://origin", "--set=k=v", "--no-gpg-verify")
    PEER("remote", option, "add", "a-metalink", "metalink=http://m")
    PEER("config", option, "set", "x.y", " odd; \\value")
    if mode == "archive":
        PEER("summary", option, "-u", "--add-metadata=n=uint64 7")


class Outcome(NamedTuple):
    succeeded: bool
    out: bytes
    err: str


class Pair:
    """Runs a command line by Debian's program, and by ours in this process."""

    def __init__(self, folder: Path, capture) -> None:
        self._folder = folder
        self._capture = capture

    def peer(self, words: list[str]) -> Outcome:
        done = subprocess.run(
            ["ostree", *words], executable=PEER_PATH, cwd=self._folder, stdin=subprocess.DEVNULL,
            capture_output=True, check=False, env=clean_environment(), timeout=120,
        )  # fmt: skip
        return Outcome(done.returncode == 0, done.stdout, done.stderr.decode(errors="replace"))

    def ours(self, words: list[str]) -> Outcome:
        self._capture.readouterr()
        status = main(["ostree", *words])
        out, err = self._capture.readouterr()
        return Outcome(status == 0, out, err.decode(errors="replace"))

    def compare(self, line: str) -> tuple[str, str]:
        """Demand the same success and stdout; return what each says on stderr."""
        words = shlex.split(line)
        theirs, ours = self.peer(words), self.ours(words)
        assert ours[:2] == theirs[:2], ours.err
        return theirs.err, ours.err


@pytest.fixture
def pair(place, capfdbinary, monkeypatch) -> Pair:
    for name in list(os.environ):
        if name.startswith("OSTREE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.chdir(place)
    return Pair(place, capfdbinary)


READING = """
rev-parse main
rev-parse main^ os/old
rev-parse os/new
rev-parse origin:os/new
rev-parse origin/os/new
log main
log --raw main
log main^
show main
show os/old
show --raw os/old
show -B os/old
show --list-metadata-keys os/old
show --print-metadata-key=version os/old
show --print-metadata-key=number os/old
show -B --print-metadata-key=number os/old
show --print-metadata-key=bytes os/old
show --print-metadata-key=nested os/old
show --print-metadata-key=ostree.ref-binding os/old
show --print-detached-metadata-key=SIG os/old
show --print-related main
ls main
ls -R main
ls -RC main
ls -RX main
ls -d main /usr
ls main usr/bin/hello /etc
ls main /lib
ls -R --nul-filenames-only main
cat main /usr/bin/hello
cat main usr/lib/libx.so
cat main /etc/empty /usr/share/second
refs --list os
refs origin:
refs -A
refs nothing
diff main
diff main^ main
diff main os/old
diff main ./tree
diff --no-xattrs main ./tree
diff main ./small
diff ./small ./small
diff --owner-uid=12345 main ./tree
diff --stats main^ main
remote list
remote show-url origin
config get core.mode
config get x.y
config --group='remote "origin"' get k
fsck -q --verify-bindings
""".strip().splitlines()

NEWER = {"show --list-metadata-keys os/old", "fsck -q --verify-bindings"}


@pytest.mark.parametrize("repo", ["archive", "bare-user"])
@pytest.mark.parametrize("line", [line for line in READING if line not in NEWER])
def test_what_readers_print(pair, line, repo):
    _, stderr = pair.compare(f"--repo={repo} {line}")
    assert stderr == ""


def test_every_object(pair, place):
    options = itertools.cycle(["", "--raw", "-B", "--raw"])
    for path, option in zip(sorted(place.glob("archive/objects/*/*")), options, strict=False):
        checksum = path.parent.name + path.name.partition(".")[0]
        pair.compare(f"--repo=archive show {option} {checksum}")


@pytest.mark.parametrize("line", ["-v", "--raw"])
def test_summary(pair, line):
    words = ["--repo=archive", "summary", line]
    # Libostree says so only in releases newer than Debian's.
    ours = pair.ours(words).out.replace(b"Summary is unsigned\n", b"")
    assert ours == pair.peer(words).out


def test_export_of_a_tree_without_doubles(pair, place, tmp_path):
    """Newer libostree writes hard links for equal files, Debian's does not."""
    option = f"--repo={place / 'archive'}"
    tree = tmp_path / "tree"
    for number in range(3):
        trees.write(tree / f"dir{number}" / ("n" * 60 * number + "f"), b"%d" % number * 600)
    (tree / "link").symlink_to("x" * 150)
    os.chmod(tree / "dir1", 0o2755)
    PEER(option, "commit", "-b", "single", "--owner-uid=3000000", "--owner-gid=5", str(tree))
    for extra in ("", "--subpath=dir1", "--prefix=some/"):
        pair.compare(f"--repo=archive export single {extra}")
    for name, program in (("theirs", pair.peer), ("ours", pair.ours)):
        assert program(["--repo=archive", "export", "single", "-o", str(tmp_path / name)]).succeeded
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()


REFUSED = f"""
rev-parse nope
rev-parse main^^
rev-parse -S
log nope
show nope
show --print-metadata-key=nope main
show --print-detached-metadata-key=x main
show --print-sizes main
ls nope
ls main /nope
ls main /usr/nope/x
cat main /nope
diff main nope
refs --create=x
refs --delete
refs --create=main os/old
refs --create=x a b
refs -A --create=origin:x main
refs -A --create=x nope
refs --delete main
reset nope main
reset main nope
remote show-url nope
remote show-url a-metalink
remote delete nope
remote add origin http://x
remote add a/b http://x
remote add --set=x y http://x
config get core.nope
config get nope.x
config get core
config get
config set core.x
config frob
config get core.mode x
commit
commit -b x --tree=foo
commit -b x --tree=foo=bar
commit -b x --tree=ref=nope
commit -b x --timestamp=never small
commit -b x --parent=zz small
commit -b x --owner-uid=zz small
commit -b x --owner-uid=99999999999 small
commit -b x --add-metadata=x small
commit -b x --add-metadata=x=y small
commit -b x --add-metadata-string==y small
commit -b x --fsync=maybe small
commit -b x --canonical-permissions --owner-uid=4 small
commit -b 'a b' small
commit --orphan --keep-metadata=x small
commit -b x --statoverride=small/a-file small
checkout --union --union-add -H main out
checkout -H -C main out
checkout --union-identical main out
checkout --selinux-prefix=/x main out
checkout --subpath=/nope main out
checkout nope out
pull-local nope
pull-local bare-user nope
prune --retain-branch-depth=x
prune --retain-branch-depth=x=y
prune --keep-younger-than=never
prune --only-branch=nope
prune --delete-commit=abc --no-prune
summary
fsck --nope
refs -Q
refs --create
commit -b
rev-parse {ZEROS[:10]}
""".strip().splitlines()


def _sentence(stderr: str) -> str:
    found = [line for line in stderr.splitlines() if line.startswith("error: ")]
    assert found, stderr
    # Newer libostree prefixes fewer errors; which revision is meant stays.
    return found[-1]


@pytest.mark.parametrize("line", REFUSED)
def test_refusals_are_the_same_sentence(pair, line):
    theirs, ours = pair.compare(f"--repo=archive {line}")
    assert _sentence(ours) == _sentence(theirs)


USAGE = """
nosuchcommand
--nope
remote
remote nosuchcommand
--repo=nope refs
--repo=small refs
refs
rev-parse
""".strip().splitlines()


@pytest.mark.parametrize("line", ["", *USAGE])
def test_nothing_that_can_be_run(pair, line):
    theirs, ours = pair.compare(line)
    assert _sentence(ours) == _sentence(theirs)
    assert ("Usage:" in ours) == ("Usage:" in theirs)


def _masked(text: str) -> str:
    """A help text without the words that say what things are for."""
    text = re.sub(
        r"^(  ostree[^\n]*\n\n).*?(\n\nHelp)", r"\1\2", text, flags=re.DOTALL | re.MULTILINE
    )
    lines = (re.sub(r"^(  (?:-\w, )?--[\w-]+(?:=\S+)?) +.*$", r"\1", x) for x in text.split("\n"))
    return "\n".join(lines)


@pytest.mark.parametrize("verb", ["ls", "log", "cat", "reset", "diff", "export", "refs"])
def test_layout_of_help(pair, verb):
    theirs, ours = (
        _masked(program([verb, "--help"]).out.decode()) for program in (pair.peer, pair.ours)
    )
    if verb == "refs":
        # Ours has what newer releases have.
        ours = re.sub(r"  -r, --revision\n|  --force\n", "", ours)
        theirs = re.sub(r"  --force\n", "", theirs)
    assert ours == theirs
