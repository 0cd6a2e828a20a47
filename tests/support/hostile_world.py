# SPDX-License-Identifier: Apache-2.0
"""A signed repository to misserve, and pulls from it whose time and memory are measured."""

from __future__ import annotations

import re
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from ostrya.formats.checksum import Checksum
from ostrya.formats.commit import Commit
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.dirtree import DirTree
from ostrya.formats.file_header import FileHeader
from ostrya.formats.gvariant.vardict import VarDict
from ostrya.repo.fsck import fsck
from ostrya.repo.repository import open_repository
from support import trees
from support.commands import OURS, PEER, PEER_PATH
from support.ed25519_keys import key_pair
from support.hostile import Action, Asked, Rule
from support.memory import memory_growth

KEY = key_pair(7)
STRANGER = key_pair(8)
MIB = 1024 * 1024
MOST_SECONDS = 30
MOST_KIB = 100 * 1024


@dataclass(frozen=True)
class World:
    """A repository with two commits on ``main``, both signed, and two summaries.

    Attributes:
        folder: Where all of it is.
        repo: The repository, an archive.
        old: The commit before, and the summary with its signatures as they were then.
        new: The commit.
    """

    folder: Path
    repo: Path
    old: str
    new: str
    old_summary: bytes
    old_signatures: bytes

    def objects(self, suffix: str) -> list[str]:
        """The paths of all objects of a kind, the largest first."""
        found = sorted(self.repo.glob(f"objects/??/*.{suffix}"), key=lambda p: -p.stat().st_size)
        return [f"/{path.relative_to(self.repo)}" for path in found]

    def commit_path(self, suffix: str = "commit") -> str:
        """Where the new commit is, or what belongs to it."""
        return f"/objects/{self.new[:2]}/{self.new[2:]}.{suffix}"


def make_world(folder: Path) -> World:
    """Make the repository."""
    repo, tree = folder / "repo", folder / "tree"
    option = f"--repo={repo}"
    OURS(option, "init", "--mode=archive")
    for number in range(40):
        trees.write(tree / f"usr/share/{number % 5}/file{number}", b"%d\n" % number * 50)
    (tree / "lib").symlink_to("usr/lib")
    commit = (
        "commit", "--branch=main", f"--tree=dir={tree}", "--sign-type=ed25519",
        f"--sign={KEY.secret_text}", "--owner-uid=0", "--owner-gid=0",
    )  # fmt: skip
    summary = ("summary", "--update", "--sign-type=ed25519", f"--sign={KEY.secret_text}")
    OURS(option, *commit, "--timestamp=2020-01-01 00:00:00 +0000")
    OURS(option, *summary)
    old = OURS(option, "rev-parse", "main")
    old_summary, old_signatures = ((repo / n).read_bytes() for n in ("summary", "summary.sig"))
    trees.write(tree / "usr/lib/noise", trees.seeded_bytes(MIB, 1))
    OURS(option, *commit, "--timestamp=2022-01-01 00:00:00 +0000")
    OURS(option, *summary)
    new = OURS(option, "rev-parse", "main")
    return World(folder, repo, old, new, old_summary, old_signatures)


class Pulled(NamedTuple):
    """How a pull ended."""

    status: int
    words: str
    seconds: float
    grown_kib: int


_BEFORE = """
import sys
import ostrya.pull.pull
import ostrya.sign.ed25519
from ostrya.cli.main import main
sys.stderr = sys.stdout
"""
_WORK = """
status = main(["ostrya", *sys.argv[1:]])
print(status)
"""


def measured(*words: object) -> Pulled:
    """Run a command line of ours in a process whose memory is watched."""
    started = time.monotonic()
    lines, grown = memory_growth(_BEFORE, _WORK, *words)
    return Pulled(int(lines[-1]), "\n".join(lines[:-1]), time.monotonic() - started, grown)


class Puller:
    """A repository that pulls from a server as the remote ``origin``."""

    def __init__(self, path: Path, url: str, mode: str, *settings: str) -> None:
        self.path = path
        self.option = f"--repo={path}"
        OURS(self.option, "init", f"--mode={mode}")
        trust = ("--no-gpg-verify",) if settings else ("--no-sign-verify",)
        OURS(self.option, "remote", "add", "origin", url, *trust, *settings)

    def pull(self, *words: object) -> Pulled:
        """Pull, and demand that neither time nor memory went without bounds."""
        done = measured("pull", self.option, *words)
        assert done.seconds < MOST_SECONDS, done
        assert done.grown_kib < MOST_KIB, done
        return done

    def check_nothing_came(self) -> None:
        """No ref, no object that is not what its name says, no file out of its place."""
        assert [path for path in (self.path / "refs").rglob("*") if path.is_file()] == []
        self.check_sound()

    def check_sound(self) -> None:
        """Whatever came, all of it is what it should be, and nothing lies about."""
        with open_repository(str(self.path)) as repo:
            fsck(repo, jobs=1)
        if PEER_PATH.exists():
            PEER(self.option, "fsck", "--quiet")
        lying = [path for path in self.path.rglob("*") if not self._has_its_place(path)]
        assert not lying, lying

    def _has_its_place(self, path: Path) -> bool:
        parts = path.relative_to(self.path).parts
        if parts[0] != "tmp":
            return not path.name.startswith((".#", "tmp-", ".tmp")) or path.is_dir()
        return len(parts) == 1 or parts[1] == "cache" or parts[1].startswith("staging-")

    def check_honest_pull(self, commit: str) -> None:
        """What came before is in nobody's way."""
        done = self.pull("origin:main")
        assert done.status == 0, done
        assert (self.path / "refs/remotes/origin/main").read_text() == f"{commit}\n"
        self.check_sound()


def on(pattern: str, act: Callable[[Asked], Action | None] | Action) -> Rule:
    """Do this for paths in which a pattern is found."""
    where = re.compile(pattern)

    def rule(asked: Asked) -> Action | None:
        if where.search(asked.path) is None:
            return None
        return act(asked) if callable(act) else act

    return rule


# ---- objects that nobody in his right mind makes


def lying_file(size: int, content_bytes: int) -> bytes:
    """A content object whose header says another size than its content has."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = [FileHeader(0, 0, 0o100644).encode_archive(size)]
    packed += [packer.compress(bytes(MIB)) for _ in range(content_bytes // MIB)]
    return b"".join([*packed, packer.flush()])


def endless_file(size: int) -> Iterator[bytes]:
    """A content object that begins as one of this size does, and goes on for ever."""
    yield FileHeader(0, 0, 0o100644).encode_archive(size)
    # A block that is stored as it is, and not the last.
    block = b"\0" + struct.pack("<HH", 0x7FFF, 0x8000) + bytes(0x7FFF)
    while True:
        yield block * 8


def commit_with_name(name: bytes) -> tuple[dict[str, bytes], str]:
    """A commit of a directory in which a file has this name, and its checksum."""
    files = {}

    def add(data: bytes, suffix: str) -> Checksum:
        checksum = Checksum(sha256(data).hexdigest())
        files[f"/objects/{checksum[:2]}/{checksum[2:]}.{suffix}"] = data
        return checksum

    stand_in = b"x" * len(name)
    tree = DirTree(files=((stand_in.decode(), Checksum("ab" * 32)),)).encode()
    root = add(tree.replace(stand_in, name), "dirtree")
    meta = add(DirMeta(0, 0, 0o40755).encode(), "dirmeta")
    commit = Commit(VarDict(), None, (), "", "", 1_600_000_000, root, meta)
    return files, add(commit.encode(), "commit")
