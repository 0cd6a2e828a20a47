# SPDX-License-Identifier: Apache-2.0
"""Metalinks; the sentences are those that libostree's scripts look for."""

from __future__ import annotations

import hashlib

import pytest

from ostrya.fetch.errors import MetalinkError
from ostrya.fetch.metalink import parse_metalink

CONTENT = b"summary"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SHA512 = hashlib.sha512(CONTENT).hexdigest()
SIZE = f"<size>{len(CONTENT)}</size>"
HASHES = (
    f'<verification><hash type="md5">0</hash><hash type="sha256">{SHA256}</hash>'
    f'<hash type="sha512">{SHA512}</hash></verification>'
)
URLS = """<resources maxconnections="1">
  <url protocol="http" type="http" location="US" preference="98">http://c/summary</url>
  <url protocol="http" type="http" location="US" preference="100" > http://a/summary </url>
  <url protocol="ftp" type="ftp" preference="100">ftp://x/summary</url>
  <url protocol="https" type="http" location="US" preference="99">https://b/summary</url>
  <url protocol="http">http://d/summary</url>
  <url protocol="http">not an address</url>
</resources>"""


def document(*parts: str, name: str = "summary", before: str = "", after: str = "") -> bytes:
    inside = "".join(parts)
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<metalink version="3.0" xmlns="http://www.metalinker.org/">'
        f'{before}<files><file name="{name}">{inside}</file></files>{after}</metalink>'
    ).encode()


def test_a_metalink():
    found = parse_metalink(document(SIZE, HASHES, URLS), "summary")
    assert (found.size, found.hash_name, found.digest) == (7, "sha512", SHA512)
    assert found.urls == (
        "http://a/summary", "https://b/summary", "http://c/summary", "http://d/summary",
    )  # fmt: skip
    found.check(CONTENT)


def test_what_is_unknown_is_passed_over():
    nested = "<deeply><nested><size>99</size><url>http://evil/</url></nested></deeply>"
    found = parse_metalink(
        document(nested, SIZE, HASHES, URLS, nested, before=nested, after=nested), "summary"
    )
    assert found.size == 7
    assert "http://evil/" not in found.urls


def test_the_order_of_elements_does_not_matter():
    assert parse_metalink(document(URLS, HASHES, SIZE), "summary").size == 7


def test_the_first_file_of_the_name_counts():
    second = document(SIZE, HASHES, URLS).decode()
    start, end = second.index("<file "), second.index("</files>")
    other = second[start:end].replace("<size>7", "<size>8").replace("http://a/", "http://z/")
    found = parse_metalink((second[:end] + other + second[end:]).encode(), "summary")
    assert (found.size, found.urls[0]) == (7, "http://a/summary")


def test_sha256_alone():
    alone = f'<verification><hash type="sha256">{SHA256.upper()}</hash></verification>'
    found = parse_metalink(document(SIZE, alone, URLS), "summary")
    assert (found.hash_name, found.digest) == ("sha256", SHA256)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"bacon\n", "Document must begin with an element"),
        (b"", "Document must begin with an element"),
        (b"<metalink>", "The metalink is no XML"),
        (b"<metalink/>", "No <file> element found"),
        (document(SIZE, HASHES, URLS, name="x"), "No <file name='summary'> found"),
        (document(HASHES, URLS), "No <size> element found or it is zero"),
        (document("<size>0</size>", HASHES, URLS), "No <size> element found or it is zero"),
        (document("<size>-7</size>", HASHES, URLS), "No <size> element found or it is zero"),
        (document(SIZE, URLS), "No <verification> element with known <hash type=> found"),
        (document(SIZE, HASHES.replace(SHA512, "bacon"), URLS), "Invalid hash digest for sha512"),
        (
            document(SIZE, HASHES.replace(SHA256, SHA256[1:]), URLS),
            "Invalid hash digest for sha256",
        ),
        (document(SIZE, HASHES, "<resources/>"), "No <url method='http'> elements found"),
        (document("<a>" * 100 + "</a>" * 100), "more than 64 elements in one another"),
        (b'<?xml version="1.0" encoding="klingon"?><metalink/>', "Document must begin"),
        (b"<metalink>\xff</metalink>", "The metalink is no XML"),
    ],
)
def test_what_cannot_be_used(text, sentence):
    with pytest.raises(MetalinkError, match=sentence):
        parse_metalink(text, "summary")


def test_entities_are_refused():
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(9))
    text = f"<!DOCTYPE metalink [{laughs}]><metalink><files><file name='summary'>&l8;</file></files></metalink>"
    with pytest.raises(MetalinkError, match="document type"):
        parse_metalink(text.encode(), "summary")


def test_content_is_checked():
    found = parse_metalink(document(SIZE, HASHES, URLS), "summary")
    with pytest.raises(MetalinkError, match="Expected size is 7 bytes but content is 3 bytes"):
        found.check(b"moo")
    with pytest.raises(MetalinkError, match=f"Expected checksum is {SHA512} but actual is "):
        found.check(b"summarx")
