# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import stat

import pytest

from ostrya.formats.errors import ObjectFormatError
from ostrya.formats.file_header import FileHeader
from ostrya.repo import content_hash
from ostrya.repo.content_hash import ContentHasher

FILE = FileHeader(0, 0, stat.S_IFREG | 0o644)


def test_hashes_of_one_header_are_apart():
    hasher = ContentHasher()
    for content in (b"one", b"two", b"one"):
        begun = hasher.begin(FILE)
        begun.update(content)
        assert begun.digest() == hashlib.sha256(FILE.encode_stream() + content).digest()


def test_headers_are_told_apart_however_many(monkeypatch):
    monkeypatch.setattr(content_hash, "_MAX_HEADERS", 3)
    hasher = ContentHasher()
    for uid in [*range(6), *range(6)]:
        header = FILE._replace(uid=uid)
        wanted = hashlib.sha256(header.encode_stream()).digest()
        assert hasher.begin(header).digest() == wanted


def test_one_that_cannot_be_written():
    with pytest.raises(ObjectFormatError):
        ContentHasher().begin(FILE._replace(uid=-1))
