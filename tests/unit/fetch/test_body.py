# SPDX-License-Identifier: Apache-2.0
"""Bodies in memory and in files."""

from __future__ import annotations

import os

from ostrya.fetch.body import Body, Memory
from ostrya.fetch.fetcher import MEMORY_BODY_BYTES


def test_in_memory(spool_fd):
    memory = Memory(spool_fd)
    body = Body(memory)
    body.take([b"one", b"two"])
    body.take([b"three"])
    assert (body.size, memory.held) == (11, 11)
    assert b"".join(body.chunks()) == b"onetwothree"
    assert body.hand_over() == (b"onetwothree", -1)
    assert memory.held == 0


def test_in_a_file_when_long(spool_fd):
    memory = Memory(spool_fd)
    body = Body(memory)
    body.take([b"x" * MEMORY_BODY_BYTES])
    assert memory.held == MEMORY_BODY_BYTES
    body.take([b"y"])
    assert memory.held == 0
    body.take([b"z"])
    assert sum(map(len, body.chunks())) == body.size == MEMORY_BODY_BYTES + 2
    data, fd = body.hand_over()
    assert data == b""
    assert os.lseek(fd, 0, os.SEEK_CUR) == 0
    assert os.pread(fd, 10, MEMORY_BODY_BYTES - 1) == b"xyz"
    os.close(fd)


def test_in_a_file_when_memory_is_short(spool_fd):
    memory = Memory(spool_fd, limit=10)
    first, second = Body(memory), Body(memory)
    first.take([b"12345678"])
    second.take([b"1234"])
    assert memory.held == 8
    assert first.hand_over()[0] == b"12345678"
    data, fd = second.hand_over()
    assert (data, os.read(fd, 9)) == (b"", b"1234")
    os.close(fd)
    assert memory.held == 0


def test_in_a_file_when_asked(spool_fd):
    for content in (b"", b"x"):
        body = Body(Memory(spool_fd), spool=True)
        if content:
            body.take([content])
        data, fd = body.hand_over()
        assert (data, os.read(fd, 9)) == (b"", content)
        os.close(fd)


def test_dropped(spool_fd):
    memory = Memory(spool_fd, limit=10)
    for content in (b"12345", b"1234567890123"):
        body = Body(memory)
        body.take([content])
        body.drop()
        assert (body.size, memory.held, list(body.chunks())) == (0, 0, [])
        body.take([b"again"])
        assert body.hand_over() == (b"again", -1)


def test_how_it_begins(spool_fd):
    for limit in (1000, 1):
        body = Body(Memory(spool_fd, limit=limit))
        assert body.head(4) == b""
        body.take([b"ab", b"c"])
        assert body.head(4) == b"abc"
        body.take([b"defgh"])
        assert body.head(4) == b"abcd"
        body.drop()


def test_files_need_room(spool_fd):
    asked = []
    memory = Memory(spool_fd, limit=10, require_room=asked.append)
    body = Body(memory)
    body.take([b"1234"])
    assert asked == []
    body.take([b"5678901"])
    body.take([b"2", b"34"])
    assert asked == [11, 3]
    body.drop()
