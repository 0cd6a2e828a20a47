# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import os
import random

import pytest

from ostrya.image.bmap import BlockRange, Bmap
from ostrya.image.errors import FlashError
from ostrya.image.flashing import writing
from ostrya.image.flashing.writing import write_image
from ostrya.progress import Advanced, Finished, Started

BLOCK = 4096
IMAGE = random.Random(1).randbytes(10 * BLOCK + 100)
JUNK = b"\xa5"


def mapped(*ranges, image=IMAGE):
    bmap = Bmap(len(image), tuple(BlockRange(first, count) for first, count in ranges))
    found = []
    for one in bmap.ranges:
        start, size = bmap.extent(one)
        digest = hashlib.sha256(image[start : start + size]).hexdigest()
        found.append(BlockRange(one.first, one.blocks, digest))
    return bmap._replace(ranges=tuple(found))


BMAP = mapped((0, 2), (5, 1), (10, 1))


def chunks(data=IMAGE, size=3000):
    for at in range(0, len(data), size):
        yield data[at : at + size]


@pytest.fixture
def device(tmp_path):
    path = tmp_path / "device"
    path.write_bytes(JUNK * 100_000)
    fd = os.open(path, os.O_RDWR)
    yield fd
    os.close(fd)


def content(fd):
    return os.pread(fd, 1 << 20, 0)


def test_all_of_it_is_written(device):
    written = write_image(chunks(), device, 0, image_bytes=len(IMAGE))
    assert written == (len(IMAGE), len(IMAGE), True)
    assert content(device)[: len(IMAGE)] == IMAGE
    assert content(device)[len(IMAGE) :] == JUNK * (100_000 - len(IMAGE))


@pytest.mark.parametrize("size", [1, 700, BLOCK, 100_000])
def test_with_a_map_only_what_matters_is_written(device, size):
    written = write_image(chunks(size=size), device, 0, bmap=BMAP, image_bytes=len(IMAGE))
    assert written == (len(IMAGE), 3 * BLOCK + 100, True)
    found = content(device)
    for block in range(11):
        expected = IMAGE if block in (0, 1, 5, 10) else JUNK * len(IMAGE)
        at = slice(block * BLOCK, min(len(IMAGE), (block + 1) * BLOCK))
        assert found[at] == expected[at], block


def test_the_end_of_a_larger_disk_is_cleared(device):
    write_image(chunks(), device, 100_000, bmap=BMAP)
    assert content(device)[100_000 - 34 * 512 : 100_000] == bytes(34 * 512)


@pytest.mark.parametrize(
    ("image", "bmap", "words"),
    [
        (IMAGE[:-1], BMAP, "41059 bytes, and its map"),
        (IMAGE + b"x", BMAP, "41061 bytes, and its map"),
        (IMAGE[:100], BMAP, "100 bytes, and its map"),
        (bytes(len(IMAGE)), BMAP, "not the one of its map: they differ at byte 0"),
    ],
)
def test_an_image_that_is_not_the_one_of_its_map(device, image, bmap, words):
    with pytest.raises(FlashError, match=words):
        write_image(chunks(image), device, 0, bmap=bmap)


def test_what_does_not_fit_is_an_error(device):
    with pytest.raises(FlashError, match="larger than the device"):
        write_image(chunks(), device, len(IMAGE) - 1)
    with pytest.raises(FlashError, match="it changed"):
        write_image(chunks(), device, 0, image_bytes=5)


@pytest.mark.parametrize("bmap", [None, BMAP], ids=["all", "map"])
def test_a_device_that_forgets_is_noticed(device, monkeypatch, bmap):
    real = os.fsync

    def forgetful(fd):
        real(fd)
        os.pwrite(fd, b"\0", 5 * BLOCK + 7)

    monkeypatch.setattr(writing.os, "fsync", forgetful)
    with pytest.raises(FlashError, match="does not hold what was written"):
        write_image(chunks(), device, 0, bmap=bmap)
    write_image(chunks(), device, 0, bmap=bmap, verify=False)


def test_extents_are_bounded_and_all_are_read_back(device, monkeypatch):
    monkeypatch.setattr(writing, "_SYNC_BYTES", 2 * BLOCK)
    seen = []
    real = writing._verify
    monkeypatch.setattr(
        writing,
        "_verify",
        lambda fd, extents, sink: (seen.extend(extents), real(fd, extents, sink)),
    )
    write_image(chunks(), device, 0)
    assert sum(one.size for one in seen) == len(IMAGE)
    assert [one.start for one in seen[1:]] == [one.start + one.size for one in seen[:-1]]
    assert len(seen) > 3


def test_progress_is_told(device):
    events = []

    class Sink:
        def send(self, event):
            events.append(event)

    write_image(chunks(), device, 0, bmap=BMAP, progress=Sink())
    total = BMAP.mapped_bytes
    assert events[0] == Started("writing", total, "bytes")
    assert Finished("writing", total) in events
    assert events[-1] == Finished("verifying", total)
    done = [one.done for one in events if isinstance(one, Advanced) and one.task == "writing"]
    assert done == sorted(done)
