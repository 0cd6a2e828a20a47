# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.client.errors import MessageInvalid
from ostrya.uptane.client.secondaries import asn1
from ostrya.uptane.client.secondaries.messages import (
    Code,
    GetInfoReq,
    GetInfoResp,
    InstallReq,
    InstallResp2,
    MetaFile,
    PutMetaReq,
    PutMetaReq2,
    PutRootReq,
    RootVerResp,
    VersionReq,
    decode,
    encode,
    expect,
)


@pytest.mark.parametrize(
    ("message", "data"),
    [
        (GetInfoReq(), "a0 02 30 00"),
        (VersionReq(2), "b1 05 30 03 02 01 02"),
        (InstallReq(b"fw"), "a8 06 30 04 04 02 66 77"),
        (InstallResp2(21, b""), "b0 07 30 05 0a 01 15 04 00"),
        (InstallResp2(-1, b"no"), "b0 09 30 07 0a 01 ff 04 02 6e 6f"),
        (PutRootReq(1, b"{}"), "b5 09 30 07 0a 01 01 04 02 7b 7d"),
        (
            PutMetaReq2((MetaFile("root", b"{}"),), ()),
            "ae 12 30 10 30 0c 30 0a 04 04 72 6f 6f 74 04 02 7b 7d 30 00",
        ),
        (
            GetInfoResp("s", "h", 0, b"ab"),
            "a1 0f 30 0d 0c 01 73 0c 01 68 0a 01 00 04 02 61 62",
        ),
    ],
)
def test_bytes_by_the_numbers_of_aktualizrs_definition(message, data):
    """Explicit tags: the choice holds a whole sequence."""
    assert encode(message) == bytes.fromhex(data)
    assert decode(bytes.fromhex(data)) == message


def test_fields_of_a_newer_program_are_passed_over():
    body = asn1.write_integer(4) + asn1.write(asn1.OCTETS, b"new")
    assert decode(asn1.write(0xB4, asn1.write(asn1.SEQUENCE, body))) == RootVerResp(4)
    with pytest.raises(MessageInvalid):
        decode(asn1.write(0xB4, asn1.write(asn1.SEQUENCE, asn1.write_integer(4) + b"\x04\x09")))


@pytest.mark.parametrize(
    "data",
    ["", "30 00", "b7 02 30 00", "a0 02 31 00", "a8 02 30 00", "a8 05 30 03 02 01 02",
     "a1 05 30 03 0c 01 ff", "a4 08 30 06 30 02 04 00 30 00", "ff 00"],
)  # fmt: skip
def test_what_is_no_message(data):
    with pytest.raises(MessageInvalid):
        decode(bytes.fromhex(data))


def test_too_many_files():
    message = PutMetaReq2(tuple(MetaFile(str(at), b"") for at in range(257)), ())
    with pytest.raises(MessageInvalid, match="more than 256"):
        decode(encode(message))


def test_version_one():
    message = PutMetaReq((b"1", b"2", b"3", b"4"), (b"5", b"6"))
    assert decode(encode(message)) == message


def test_the_right_kind():
    assert expect(VersionReq(1), VersionReq) == VersionReq(1)
    with pytest.raises(MessageInvalid, match="a VersionReq came where a GetInfoReq belongs"):
        expect(VersionReq(1), GetInfoReq)


def test_results_that_are_not_known():
    assert Code.of(4) is Code.INSTALL_FAILED
    assert Code.of(99) is Code.UNKNOWN
