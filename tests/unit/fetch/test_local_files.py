# SPDX-License-Identifier: Apache-2.0
"""Files of this machine, through the same protocol."""

from __future__ import annotations

import os

import pytest

from ostrya.fetch.errors import AddressError, BadAnswer, BodyTooLarge, TransferError
from ostrya.fetch.fetcher import MEMORY_BODY_BYTES, Request, fetch_one
from ostrya.fetch.local_files import LocalFetcher, local_path


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a file").write_bytes(b"content\n")
    (tmp_path / "big").write_bytes(b"x" * (MEMORY_BODY_BYTES + 1))
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


def get(*urls: str, max_bytes: int = 1 << 30, **more: object):
    with LocalFetcher() as fetcher:
        return fetch_one(fetcher, Request(urls, max_bytes, **more))


def test_a_file(folder):
    url = f"file://{folder}/a%20file"
    answer = get(url)
    assert (answer.status, answer.body, answer.size, answer.url) == (200, b"content\n", 8, url)
    assert answer.last_modified == int((folder / "a file").stat().st_mtime)
    assert get(url, etag=answer.etag).status == 304
    assert get(url, etag='"other"', last_modified=1 << 40).status == 200
    assert get(url, last_modified=answer.last_modified).status == 304
    assert get(url, last_modified=answer.last_modified - 1).status == 200


def test_a_long_file_is_not_copied(folder):
    answer = get(f"file://{folder}/big")
    assert os.readlink(f"/proc/self/fd/{answer.spool_fd}") == str(folder / "big")
    assert answer.size == len(answer.read()) == MEMORY_BODY_BYTES + 1


def test_a_part(folder):
    url = f"file://localhost{folder}/a%20file"
    answer = get(url, offset=4)
    assert (answer.status, answer.body) == (206, b"ent\n")
    answer = get(url, offset=4, spool=True)
    assert (answer.status, answer.size, answer.read()) == (206, 4, b"ent\n")
    assert get(url, offset=100).body == b""


@pytest.mark.parametrize("name", ["none", "none/none", "a%20file/none", "x" * 300])
def test_absence(folder, name):
    assert get(f"file://{folder}/{name}").status == 404


def test_alternatives(folder):
    answer = get(f"file://{folder}/none", f"file://{folder}/folder", f"file://{folder}/a%20file")
    assert answer.body == b"content\n"
    assert get(f"file://{folder}/none", f"file://{folder}/folder").status == 404


@pytest.mark.parametrize("name", ["folder", "pipe"])
def test_what_is_no_file(folder, name):
    with pytest.raises(BadAnswer, match=r"While fetching .*: not a regular file"):
        get(f"file://{folder}/{name}")


def test_limits(folder):
    assert get(f"file://{folder}/a%20file", max_bytes=8).size == 8
    with pytest.raises(BodyTooLarge, match="exceeded maximum size of 7 bytes"):
        get(f"file://{folder}/a%20file", max_bytes=7)


def test_what_may_not_be_read(folder):
    (folder / "loop").symlink_to("loop")
    with pytest.raises(TransferError, match="Too many levels of symbolic links"):
        get(f"file://{folder}/loop")


@pytest.mark.parametrize(
    "url", ["file://elsewhere/x", "http://h/x", "file:///a%00b", "x", "file://"]
)
def test_no_paths(url):
    with pytest.raises(AddressError):
        local_path(url)


def test_paths():
    assert local_path("file:///a%20b/%C3%A9%ff?x#y") == b"/a b/\xc3\xa9\xff"


def test_many(folder):
    with LocalFetcher() as fetcher:
        before = fetcher.room
        for number in range(100):
            fetcher.submit(number, Request((f"file://{folder}/a%20file",), 10))
        assert (fetcher.in_flight, fetcher.room) == (100, 0)
        keys = []
        while done := fetcher.wait(None):
            keys += [key for key, _ in done]
        assert keys == list(range(100))
        assert fetcher.room == before
        assert fetcher.stats.requests == 100
