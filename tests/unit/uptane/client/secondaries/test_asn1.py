# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil
import subprocess

import pytest

from ostrya.uptane.client.errors import MessageInvalid
from ostrya.uptane.client.secondaries import asn1


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (0, "00"), (1, "01"), (127, "7f"), (128, "0080"), (255, "00ff"), (256, "0100"),
        (-1, "ff"), (-128, "80"), (-129, "ff7f"),
    ],
)  # fmt: skip
def test_numbers(value, data):
    """X.690, 8.3: the fewest bytes that hold the sign."""
    content = bytes.fromhex(data)
    assert asn1.write_integer(value) == bytes((2, len(content))) + content
    assert asn1.read_integer(content, "it") == value


@pytest.mark.parametrize(
    ("length", "head"), [(5, "0405"), (127, "047f"), (128, "048180"), (65536, "0483010000")]
)
def test_lengths(length, head):
    data = asn1.write(asn1.OCTETS, b"x" * length)
    assert data.startswith(bytes.fromhex(head))
    assert asn1.total_length(data, 1 << 20) == len(data)
    assert asn1.read(data, "it") == (asn1.OCTETS, b"x" * length)


def test_a_length_that_has_not_come_yet():
    data = asn1.write(asn1.OCTETS, b"x" * 70000)
    for at in range(5):
        assert asn1.total_length(data[:at], 1 << 20) is None
    assert asn1.total_length(data[:5], 1 << 20) == len(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("3080", "how long"), ("3085" + "ff" * 5, "how long"), ("1f01", "tag of more"),
        ("3084ffffffff", "may be read"),
    ],
)  # fmt: skip
def test_lengths_that_are_none(data, words):
    with pytest.raises(MessageInvalid, match=words):
        asn1.total_length(bytes.fromhex(data), 1000)


@pytest.mark.parametrize("data", ["", "04", "0402ff", "040100040100"])
def test_what_is_not_one_element(data):
    with pytest.raises(MessageInvalid):
        asn1.read(bytes.fromhex(data), "it")


def test_what_is_of_another_kind():
    with pytest.raises(MessageInvalid, match="has nothing where"):
        asn1.require(None, asn1.TEXT, "it")
    with pytest.raises(MessageInvalid, match="has tag 0x02 where tag 0x0c"):
        asn1.require(asn1.Element(2, b""), asn1.TEXT, "it")
    with pytest.raises(MessageInvalid, match="no UTF-8"):
        asn1.read_text(b"\xff", "it")
    for content in (b"", b"1" * 9):
        with pytest.raises(MessageInvalid, match="number of"):
            asn1.read_integer(content, "it")


def test_openssl_reads_it():
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    data = asn1.write_sequence(
        (
            asn1.write_integer(-129),
            asn1.write(asn1.TEXT, b"ecu"),
            asn1.write(asn1.OCTETS, b"x" * 200),
        )
    )
    done = subprocess.run(
        ["openssl", "asn1parse", "-inform", "DER"], input=data, capture_output=True, check=True
    )
    assert b"INTEGER           :-81" in done.stdout
    assert b"UTF8STRING        :ecu" in done.stdout
