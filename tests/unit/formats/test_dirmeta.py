# SPDX-License-Identifier: Apache-2.0
"""Metadata of directories."""

from __future__ import annotations

import hashlib

import pytest

from ostrya.errors import FormatError
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.errors import ObjectFormatError
from ostrya.formats.gvariant.byteorder import swap_u32
from ostrya.formats.gvariant.encode import encode_variant


def test_vectors(objects):
    found = {}
    for checksum, data in objects("dirmeta").items():
        found[checksum] = DirMeta.decode(data)
        assert found[checksum].encode() == data
        assert hashlib.sha256(data).hexdigest() == checksum
    assert sorted(found.values()) == [
        DirMeta(0, 7, 0o40755),
        DirMeta(0, 7, 0o40755, ((b"user.note", b"directory"),)),
        DirMeta(0, 7, 0o41777),
    ]


def test_the_example_of_the_page():
    assert DirMeta(0, 7, 0o40755).encode().hex(" ") == "00 00 00 00 00 00 00 07 00 00 41 ed"


@pytest.mark.parametrize("xattrs", [(), ((b"security.selinux", b"system_u:object_r:usr_t:s0\0"),)])
def test_as_the_general_codec_has_it(xattrs):
    meta = DirMeta(1000, 100, 0o42770, xattrs)
    generic = (*map(swap_u32, meta[:3]), tuple((n + b"\0", v) for n, v in xattrs))
    assert meta.encode() == encode_variant("(uuua(ayay))", generic)
    assert DirMeta.decode(meta.encode()) == meta


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        (0o100644, "Invalid directory metadata mode 33188; not a directory"),
        (0, "Invalid directory metadata mode 0; not a directory"),
        (0o1040755, "Invalid mode 279021; invalid bits in mode"),
    ],
)
def test_modes_of_other_things(mode, sentence):
    for attempt in (
        lambda: DirMeta(0, 0, mode).encode(),
        lambda: DirMeta.decode(bytes(8) + mode.to_bytes(4, "big")),
    ):
        with pytest.raises(ObjectFormatError) as caught:
            attempt()
        assert caught.value.message == sentence


@pytest.mark.parametrize("uid", [-1, 1 << 32])
def test_owners_that_do_not_fit(uid):
    with pytest.raises(ObjectFormatError, match="Invalid directory owner"):
        DirMeta(uid, 0, 0o40755).encode()


@pytest.mark.parametrize("size", [0, 1, 11, 13])
def test_other_sizes(size):
    with pytest.raises(FormatError):
        DirMeta.decode((bytes(8) + b"\0\0A\xed" + bytes(4))[:size])
