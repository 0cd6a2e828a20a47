# SPDX-License-Identifier: Apache-2.0
"""Deltas made by ours, applied by libostree: every form that our options give."""

from __future__ import annotations

import dataclasses
import os
import random
import shutil
from pathlib import Path

import pytest

from support.commands import OURS, PEER

pytestmark = pytest.mark.peer

FORMS = {
    "plain": [],
    "ranges alone": ["--disable-bsdiff"],
    "large files by ranges": ["--max-bsdiff-size=0"],
    "many parts": ["--max-chunk-size=1"],
    "fallbacks left out": ["--min-fallback-size=1"],
    "the other byte order": ["--swap-endianness"],
    "a small ceiling": ["--apply-memory=4M"],
    "little memory": ["--memory=32M", "--jobs=1"],
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """An archive of two commits: files changed here and there, renamed, moved, new, gone."""
    rng = random.Random(21)
    top = tmp_path_factory.mktemp("made")
    tree = top / "tree"
    (tree / "usr/lib").mkdir(parents=True)
    for number in range(4):
        (tree / f"usr/lib/libx{number}.so.1.{number}").write_bytes(
            bytes(rng.choices(range(80), k=400_000))
        )
    (tree / "usr/large").write_bytes(rng.randbytes(2_500_000))
    (tree / "usr/text").write_text("".join(f"line {n * 7}\n" for n in range(9_000)))
    repo = f"--repo={top}/repo"
    OURS("init", repo, "--mode=archive")
    OURS("commit", repo, "-b", "r", f"--tree=dir={tree}")
    for number in range(4):
        old = tree / f"usr/lib/libx{number}.so.1.{number}"
        data = bytearray(old.read_bytes())
        data[1000 * number : 1000 * number] = b"new code"
        for at in range(200_000, 300_000, 41):
            data[at] = (data[at] + 8) & 0xFF
        old.unlink()
        (tree / f"usr/lib/libx{number}.so.2").write_bytes(data)
    large = (tree / "usr/large").read_bytes()
    (tree / "usr/large").write_bytes(large[:900_000] + b"!" + large[900_000:])
    (tree / "usr/text").rename(tree / "usr/lib/words")
    (tree / "usr/words").write_text("".join(f"line {n * 7}\n" for n in range(8_990)))
    (tree / "usr/random").write_bytes(rng.randbytes(1_200_000))
    (tree / "usr/link").symlink_to("words")
    os.chown(tree / "usr/words", os.geteuid(), os.getegid())
    OURS("commit", repo, "-b", "r", f"--tree=dir={tree}")
    return top / "repo"


def client_of(archive: Path, path: Path) -> str:
    """A repository of libostree's with the first commit."""
    option = f"--repo={path}"
    PEER("init", option, "--mode=bare-user")
    PEER("pull-local", option, archive, OURS("rev-parse", f"--repo={archive}", "r^").strip())
    return option


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("inline", [True, False])
def test_applied_by_the_peer(archive, tmp_path, form, inline):
    option = client_of(archive, tmp_path / "client")
    out = tmp_path / "delta"
    out.mkdir()
    words = [*FORMS[form], f"--filename={out}/superblock", *(["--inline"] if inline else [])]
    OURS("static-delta", "generate", f"--repo={archive}", "r", *words)
    new = OURS("rev-parse", f"--repo={archive}", "r").strip()
    if form == "fallbacks left out":
        # Offline there is nobody to fetch them from.
        assert "fallback" in PEER.fails("static-delta", "apply-offline", option, out)
        return
    PEER("static-delta", "apply-offline", option, out / "superblock" if inline else out)
    PEER("refs", option, "--create=r", new)
    assert "no errors found" in PEER("fsck", option)


def test_pulled_by_the_peer(archive, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(archive, copy, symlinks=True)
    OURS("static-delta", "generate", f"--repo={copy}", "r")
    OURS("static-delta", "generate", f"--repo={copy}", "--empty", "r")
    OURS("summary", "-u", f"--repo={copy}")
    for name, option in (
        ("update", client_of(copy, tmp_path / "client")),
        ("scratch", f"--repo={tmp_path}/fresh"),
    ):
        if name == "scratch":
            PEER("init", option, "--mode=bare-user")
        PEER("remote", "add", option, "--no-gpg-verify", "origin", f"file://{copy}")
        PEER("pull", option, "--require-static-deltas", "origin", "r")
        assert "no errors found" in PEER("fsck", option)


# The engine that both have: libostree of Debian knows no ed25519.
SIGNERS = {
    name: dataclasses.replace(command, env={"OSTREE_DUMMY_SIGN_ENABLED": "1"})
    for name, command in (("ours", OURS), ("peer", PEER))
}


@pytest.mark.parametrize("maker", SIGNERS)
def test_signed(archive, tmp_path, maker):
    """Each makes one that both verify, and refuse by another key."""
    delta = tmp_path / "delta"
    words = ("r", "--inline", f"--filename={delta}", "--sign=right", "--sign-type=dummy")
    SIGNERS[maker]("static-delta", "generate", f"--repo={archive}", *words)
    for reader, command in SIGNERS.items():
        option = client_of(archive, tmp_path / reader)
        for words in (
            ("static-delta", "verify", f"--repo={archive}"),
            ("static-delta", "apply-offline", option),
        ):
            command.fails(*words, "--sign-type=dummy", delta, "wrong")
            command(*words, "--sign-type=dummy", delta, "right")
        PEER("fsck", option)
