# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import os

import pytest

from ostrya.fleet.api.downloads import parse_range, send_file
from ostrya.fleet.api.messages import GONE, PEER, Patience, Request
from ostrya.fleet.errors import NotFound


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("", None),
        ("bytes=0-3", (0, 4)),
        ("bytes=3-", (3, 10)),
        ("bytes=-4", (6, 10)),
        ("bytes=-40", (0, 10)),
        ("bytes=9-99", (9, 10)),
        ("bytes=10-", ()),
        ("bytes=-0", ()),
        ("bytes=-", None),
        ("bytes=4-2", None),
        ("bytes=0-1,3-4", None),
        ("lines=1-2", None),
    ],
)
def test_ranges(header, wanted):
    assert parse_range(header, 10) == wanted


def ask(path, *headers, method="GET", takes=99):
    sent = []
    scope = {
        "method": method, "path": "/x", "headers": list(headers), "query_string": b"", PEER: None,
        GONE: lambda: len(sent) > takes,
    }  # fmt: skip

    async def send(message):
        sent.append(message)

    fd = os.open(path, os.O_RDONLY)
    asyncio.run(send_file(send, Request(scope, None, Patience(1.0)), fd))
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
    headers = dict(sent[0]["headers"])
    return sent[0]["status"], headers, [one["body"] for one in sent[1:]] if len(sent) > 1 else []


def test_large_files_come_in_pieces(tmp_path):
    data = os.urandom(600_000)
    (tmp_path / "f").write_bytes(data)
    status, headers, pieces = ask(tmp_path / "f")
    assert (status, b"".join(pieces), headers[b"content-length"]) == (200, data, b"600000")
    assert len(pieces) == 10
    status, headers, pieces = ask(tmp_path / "f", (b"range", b"bytes=599990-"))
    assert (status, b"".join(pieces)) == (206, data[-10:])
    assert headers[b"content-range"] == b"bytes 599990-599999/600000"
    assert ask(tmp_path / "f", method="HEAD")[2] == [b""]


def test_nothing_more_is_read_for_who_has_hung_up(tmp_path):
    with (tmp_path / "f").open("wb") as stream:
        stream.truncate(1 << 30)
    assert len(ask(tmp_path / "f", takes=3)[2]) == 3


def test_a_range_of_what_has_changed_since(tmp_path):
    (tmp_path / "f").write_bytes(b"0123456789")
    _, headers, _ = ask(tmp_path / "f")
    wanted = (b"range", b"bytes=2-3")
    assert ask(tmp_path / "f", wanted, (b"if-range", headers[b"etag"]))[0] == 206
    assert ask(tmp_path / "f", wanted, (b"if-range", b'"other"'))[0] == 200
    status, headers, _ = ask(tmp_path / "f", (b"range", b"bytes=10-"))
    assert (status, headers[b"content-range"]) == (416, b"bytes */10")


def test_folders_are_no_files(tmp_path):
    with pytest.raises(NotFound):
        ask(tmp_path)


def test_empty_files(tmp_path):
    (tmp_path / "f").touch()
    assert ask(tmp_path / "f")[2] == [b""]
