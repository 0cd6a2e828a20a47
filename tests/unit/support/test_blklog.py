# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import blklog
from support.blklog import (
    DISCARD,
    FLUSH,
    FUA,
    MARK,
    Bounds,
    LogError,
    Replay,
    State,
    WriteLog,
    states,
)

DISK_SECTORS = 16


def encode(entries, sector=512):
    """A log: entries are (first sector, data or number of sectors, flags)."""
    out = struct.pack("<QQQI", blklog.MAGIC, 1, len(entries), sector).ljust(sector, b"\0")
    for first, data, flags in entries:
        is_bytes = isinstance(data, bytes)
        mark = len(data) if flags & MARK else 0
        sectors = 0 if mark else len(data) // 512 if is_bytes else data
        out += struct.pack("<QQQQ", first, sectors, flags, mark).ljust(sector, b"\0")
        if is_bytes:
            out += data.ljust(-(-len(data) // sector) * sector, b"\0")
    return out


def sectors(*letters: str) -> bytes:
    return b"".join(letter.encode() * 512 for letter in letters)


@pytest.fixture
def make(tmp_path):
    def make_log(entries, sector=512):
        path = tmp_path / "log"
        path.write_bytes(encode(entries, sector))
        return WriteLog(path)

    return make_log


@pytest.fixture
def base(tmp_path):
    path = tmp_path / "base"
    path.write_bytes(sectors(*"." * DISK_SECTORS))
    return path


def letters_of(image: Path) -> str:
    return image.read_bytes()[::512].decode().replace("\0", "0")


ENTRIES = [
    (0, sectors("a", "b"), 0),
    (3, sectors("c"), 0),
    (0, 0, FLUSH),
    (1, sectors("d"), FUA),
    (4, sectors("e"), 0),
    (2, 2, DISCARD),
]


@pytest.mark.parametrize("sector", [512, 4096])
def test_entries(make, sector):
    log = make([*ENTRIES, (0, b"a mark of somebody's", MARK), (9, sectors("z"), 0)], sector)
    found = [(one.offset // 512, log.data(one)[::512], one.flags) for one in log.writes]
    assert found == [
        (0, b"ab", 0), (3, b"c", 0), (0, b"", FLUSH), (1, b"d", FUA), (4, b"e", 0), (2, b"\0\0", DISCARD),
        (0, b"", MARK), (9, b"z", 0),
    ]  # fmt: skip
    assert log.flushes() == [3]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"short", "at least one sector"),
        (bytes(512), "no log of writes"),
        (encode(ENTRIES)[:1000], "entry 0 of 6 is cut off"),
        (encode(ENTRIES)[: 512 * 3], "what entry 0 of 6 wrote is cut off"),
        (struct.pack("<QQQI", blklog.MAGIC, 2, 0, 512).ljust(512, b"\0"), "version 2"),
        (struct.pack("<QQQI", blklog.MAGIC, 1, 0, 100).ljust(512, b"\0"), "sectors of 100"),
    ],
)
def test_no_log(tmp_path, data, words):
    (tmp_path / "log").write_bytes(data)
    with pytest.raises(LogError, match=words):
        WriteLog(tmp_path / "log")


def test_states(make):
    found = list(states(make(ENTRIES).writes, Bounds(samples=0)))
    assert found == [
        State(0), State(0, (0,)), State(0, (1,)),
        # Both, as the flush leaves it.
        State(3), State(3, (3,)), State(3, (3, 4)), State(3, (3, 4, 5)),
        # A later one was begun when the forced one was over.
        State(3, (3, 5)),
    ]  # fmt: skip


def test_states_without_forced_writes(make):
    plain = [(first, data, flags & ~FUA) for first, data, flags in ENTRIES[3:]]
    found = {one.extra for one in states(make(plain).writes, Bounds(samples=0))}
    assert found == {(), (0,), (0, 1), (0, 1, 2), (1,), (2,)}


def test_a_flush_that_writes_comes_first(make):
    log = make([(0, sectors("a"), 0), (1, sectors("b"), FLUSH | FUA), (0, 0, FLUSH)])
    # Its own is certain at the next one only.
    assert list(states(log.writes, Bounds(samples=0))) == [State(0), State(1), State(3)]


def test_bounds(make):
    log = make([(at % 8, sectors("x"), 0) for at in range(100)])
    found = list(states(log.writes, Bounds(most=5, samples=3)))
    assert len([one for one in found if len(one.extra) == 1]) <= 5 + 3
    assert State(0, tuple(range(100))) in found
    assert len(found) <= 1 + 5 + 5 + 3
    assert found == list(states(log.writes, Bounds(most=5, samples=3)))
    assert found != list(states(log.writes, Bounds(most=5, samples=3, seed=1)))


def test_a_part_of_a_log(make):
    log = make(ENTRIES)
    found = list(states(log.writes, Bounds(samples=0), start=1, end=2))
    assert found == [State(1), State(1, (1,))]


def test_replay(make, base, tmp_path):
    with Replay(base, make(ENTRIES), tmp_path / "image") as replay:
        shown = {
            state: letters_of(replay.show(state))
            for state in (
                State(0), State(0, (0,)), State(0, (1,)), State(0, (0,), 512), State(3), State(3, (3, 4, 5)),
                State(3, (3,)), State(6),
            )
        }  # fmt: skip
        assert [text[:6] for text in shown.values()] == [
            "......", "ab....", "...c..", "a.....", "ab.c..", "ad00e.", "ad.c..", "ad00e.",
        ]  # fmt: skip
        with pytest.raises(ValueError, match="the image has 6 writes already, not 3"):
            replay.show(State(3))
    assert letters_of(base) == "." * DISK_SECTORS


ENTRY = st.one_of(
    st.tuples(st.integers(0, 12), st.text("abcdef", min_size=1, max_size=4).map(lambda t: sectors(*t)), st.sampled_from((0, 0, FUA))),
    st.just((0, 0, FLUSH)),
    st.tuples(st.integers(0, 12), st.integers(1, 4), st.just(DISCARD)),
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(st.lists(ENTRY, max_size=12), st.integers(0, 9))
def test_each_state_is_what_its_writes_make(tmp_path_factory, entries, seed):
    """Against a replay that begins anew each time; and all prefixes between flushes are among them."""
    folder = tmp_path_factory.mktemp("log")
    (folder / "log").write_bytes(encode(entries))
    (folder / "base").write_bytes(sectors(*"." * DISK_SECTORS))
    with WriteLog(folder / "log") as log, Replay(folder / "base", log, folder / "image") as replay:
        found = list(states(log.writes, Bounds(seed=seed)))
        assert len(found) == len(set(found))
        images = set()
        for state in found:
            disk = bytearray(sectors(*"." * DISK_SECTORS))
            for at in [*range(state.certain), *state.extra]:
                one = log.writes[at]
                size = (
                    state.torn_bytes if state.torn_bytes and at == state.extra[-1] else one.length
                )
                disk[one.offset : one.offset + size] = log.data(one)[:size]
            assert replay.show(state).read_bytes() == disk
            images.add(bytes(disk))
            later = log.writes[state.certain : max(state.extra, default=0)]
            assert not any(one.is_flush for one in later)
        for count in range(len(entries) + 1):
            disk = bytearray(sectors(*"." * DISK_SECTORS))
            for one in log.writes[:count]:
                disk[one.offset : one.offset + one.length] = log.data(one)
            assert bytes(disk) in images
    shutil.rmtree(folder)


def test_sparse_copies(tmp_path):
    with (tmp_path / "image").open("wb") as stream:
        stream.truncate(64 << 20)
        stream.seek(40 << 20)
        stream.write(b"data")
    blklog.copy_sparse(tmp_path / "image", tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_size == 64 << 20
    assert (tmp_path / "copy").stat().st_blocks * 512 < 1 << 20
    with (tmp_path / "copy").open("rb") as stream:
        stream.seek((40 << 20) - 1)
        assert stream.read(5) == b"\0data"


def test_what_qemu_writes(tmp_path):
    """A real log of QEMU's, made without a guest."""
    if shutil.which("qemu-io") is None:
        pytest.skip("qemu-io is not installed")
    base, disk, log = (
        tmp_path / "base",
        tmp_path / "disk",
        blklog.make_log(tmp_path / "log", 64 << 20),
    )
    for path in (base, disk):
        path.write_bytes(bytes(1 << 20))
    options = f"driver=blklogwrites,file.driver=raw,file.file.driver=file,file.file.filename={disk},log.driver=file,log.filename={log}"
    # A write that is forced is a write and a flush, where the disk below cannot force it by itself.
    commands = (
        "write -P 1 0 64k",
        "flush",
        "write -P 2 4k 4k",
        "write -z 32k 4k",
        "write -P 3 8k 4k",
        "flush",
    )
    argv = [
        "qemu-io",
        "--image-opts",
        options,
        *itertools.chain(*(("-c", one) for one in commands)),
    ]
    subprocess.run(argv, check=True, capture_output=True, env={**os.environ, "LC_ALL": "C"})
    with WriteLog(log) as written, Replay(base, written, tmp_path / "image") as replay:
        assert replay.show(State(len(written.writes))).read_bytes() == disk.read_bytes()
        found = [(one.offset >> 10, one.length >> 10) for one in written.writes if one.changes]
        assert found == [(0, 64), (4, 4), (32, 4), (8, 4)]
        first = written.flushes()[0]
        assert replay.path.read_bytes()[:4096] == b"\1" * 4096
    with WriteLog(log) as written, Replay(base, written, tmp_path / "image") as replay:
        image = replay.show(State(first)).read_bytes()
        assert image[: 64 << 10] == b"\1" * (64 << 10)
        last = [at for at, one in enumerate(written.writes) if one.changes][-1]
        image = replay.show(State(first, (last,))).read_bytes()
        assert (image[4096], image[8192], image[32 << 10]) == (1, 3, 1)
