# SPDX-License-Identifier: Apache-2.0
"""Deltas made by libostree, applied by ours: every form that its options give."""

from __future__ import annotations

import os
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.commands import PEER, Command

pytestmark = pytest.mark.peer

FORMS = {
    "plain": [],
    "ranges alone": ["--disable-bsdiff"],
    "patches at most of nothing": ["--max-bsdiff-size=0"],
    "many parts": ["--max-chunk-size=1"],
    "all of it": ["--min-fallback-size=0"],
    "inline": ["--inline"],
    "the other byte order": ["--swap-endianness"],
    "inline, the other byte order": ["--inline", "--swap-endianness"],
}
SUITE = Path("/usr/libexec/installed-tests/libostree")


@dataclass
class Pair:
    """An archive of libostree's with two commits."""

    path: Path
    old: str
    new: str

    @property
    def option(self) -> str:
        return f"--repo={self.path}"


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Two trees, the second with files that are changed here and there, moved, and new."""
    top = tmp_path_factory.mktemp("trees")
    old, new = top / "old", top / "new"
    old.mkdir()
    for index in range(3):
        (old / f"random{index}").write_bytes(os.urandom(150_000))
        (old / f"text{index}").write_text("".join(f"line {n}\n" for n in range(8_000)))
    (old / "large").write_bytes(os.urandom(1 << 20) * 3)
    (old / "link").symlink_to("large")
    (old / "empty").touch()
    shutil.copytree(old, new, symlinks=True)
    for index in range(3):
        data = (old / f"random{index}").read_bytes()
        changed = bytearray(data[:70_000] + b"in between" + data[70_000:])
        for place in range(0, len(changed), 977):
            changed[place] ^= 0x55
        (new / f"random{index}").write_bytes(changed)
        (new / f"text{index}").write_text("".join(f"line {n}\n" for n in range(100, 8_200)))
    (new / "large").write_bytes((old / "large").read_bytes()[5000:] + b"tail")
    (new / "added").write_bytes(os.urandom(5 << 20))
    (new / "other link").symlink_to("added")
    return old, new


@pytest.fixture(scope="module")
def pair(tree, tmp_path_factory):
    path = tmp_path_factory.mktemp("peer") / "repo"
    PEER("init", f"--repo={path}", "--mode=archive")
    commits = [PEER("commit", f"--repo={path}", "-b", "main", "--fsync=no", top) for top in tree]
    return Pair(path, *commits)


def make_repo(ours: Command, pair: Pair, path: Path, mode: str) -> str:
    option = f"--repo={path}"
    ours("init", option, f"--mode={mode}")
    ours("config", option, "set", "core.fsync", "false")
    ours("pull-local", option, pair.path, pair.old)
    return option


@pytest.mark.parametrize("form", FORMS)
def test_offline(ours, peer, pair, tmp_path, form):
    options = [*FORMS[form]]
    if "--min-fallback-size=0" not in options:
        options.append("--min-fallback-size=1000")
    filename = tmp_path / "delta"
    target = tmp_path if "--inline" in options else filename
    if target is filename:
        filename.mkdir()
    name = filename if "--inline" in options else filename / "superblock"
    peer(
        "static-delta", "generate", pair.option, "--from", pair.old, "--to", pair.new,
        f"--filename={name}", *options,
    )  # fmt: skip
    for mode in ("bare-user", "archive"):
        option = make_repo(ours, pair, tmp_path / mode, mode)
        ours("static-delta", "apply-offline", option, filename)
        assert "no errors found" in peer("fsck", option)
        listed = ours("ls", option, "-RC", pair.new)
        assert listed == peer("ls", pair.option, "-RC", pair.new)


def test_from_nothing(ours, peer, pair, tmp_path):
    peer(
        "static-delta", "generate", pair.option, "--empty", "--to", pair.new,
        "--min-fallback-size=1000", f"--filename={tmp_path}/delta", "--inline",
    )  # fmt: skip
    option = f"--repo={tmp_path}/repo"
    ours("init", option, "--mode=bare-user")
    ours("static-delta", "apply-offline", option, tmp_path / "delta")
    assert "no errors found" in peer("fsck", option)


@pytest.mark.parametrize("fallbacks", [True, False])
def test_pulled(ours, peer, pair, tmp_path, fallbacks):
    path = tmp_path / "served"
    shutil.copytree(pair.path, path)
    limit = "1" if fallbacks else "1000"
    peer("static-delta", "generate", f"--repo={path}", f"--min-fallback-size={limit}", "main")
    peer("summary", f"--repo={path}", "-u")
    option = make_repo(ours, pair, tmp_path / "repo", "bare-user")
    ours("remote", "add", option, "--no-sign-verify", "--no-gpg-verify", "o", f"file://{path}")
    words = ("pull", option, "--require-static-deltas", "o", "main")
    assert ours(*words, "--dry-run") == peer(*words, "--dry-run")
    assert "delta parts, " in ours(*words)
    assert "no errors found" in peer("fsck", option)
    for name in ("show", "list"):
        arguments = [f"{pair.old}-{pair.new}"] if name == "show" else []
        words = ("static-delta", name, f"--repo={path}", *arguments)
        assert ours(*words) == peer(*words)


@pytest.mark.parametrize("order", ["big", "little"])
def test_without_a_word_on_the_byte_order(ours, peer, tmp_path, order):
    """Repositories of the time before deltas said so; libostree's suite brings them along."""
    archive = SUITE / f"pre-endian-deltas-repo-{order}.tar.xz"
    if not archive.exists():
        pytest.skip(f"no {archive.name}")
    with tarfile.open(archive) as found:
        found.extractall(tmp_path, filter="tar")
    served = tmp_path / "pre-endian-deltas-repo"
    option = f"--repo={tmp_path}/mine"
    ours("init", option, "--mode=bare-user")
    old, new = (ours("rev-parse", f"--repo={served}", rev) for rev in ("main^", "main"))
    assert f"{old}-{new}" in ours("static-delta", "list", f"--repo={served}").splitlines()
    shown = ours("static-delta", "show", f"--repo={served}", f"{old}-{new}")
    if order == "big":
        # The other one it takes for swapped as well, and its parts for exabytes.
        assert shown == peer("static-delta", "show", f"--repo={served}", f"{old}-{new}")
    assert "Total Uncompressed Size: 21852130 (" in shown
    ours("pull-local", option, served, old)
    ours("summary", f"--repo={served}", "-u")
    ours("pull-local", option, "--require-static-deltas", served, new)
    assert "no errors found" in peer("fsck", option)
