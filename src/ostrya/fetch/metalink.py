# SPDX-License-Identifier: Apache-2.0
"""Metalinks: where a file is to be had, how long it is and what it hashes to. Pure.

Version 3 of the format, of which these elements matter::

    <metalink><files><file name="…">
      <size>…</size>
      <verification><hash type="sha256">…</hash></verification>
      <resources><url protocol="https" preference="100">…</url></resources>
    </file></files></metalink>

Documents with a document type, and so with entities, are refused.

Source: ostree-metalink.c; metalinker.org, "Metalink Download Description", version 3.0.
"""

from __future__ import annotations

import hashlib
import re
from xml.parsers import expat

from ostrya.fetch.addresses import parse_address
from ostrya.fetch.errors import AddressError, MetalinkError
from ostrya.named_tuple import NamedTuple

MAX_TARGETS = 256
"""Addresses further down are not looked at."""
_MAX_DEPTH = 64
_MAX_DIGITS = 18
_KNOWN_HASHES = {"sha256": 64, "sha512": 128}
_FILE = ("metalink", "files", "file")


class Metalink(NamedTuple):
    """What a metalink says about one file.

    Attributes:
        size: How many bytes it has.
        hash_name: ``sha512``, or ``sha256`` where there is no better one.
        digest: In lower-case hexadecimal.
        urls: Where it is, the preferred place first.
    """

    size: int
    hash_name: str
    digest: str
    urls: tuple[str, ...]

    def check(self, content: bytes) -> None:
        """See that content is what the metalink says.

        Raises:
            MetalinkError: It is not.
        """
        if len(content) != self.size:
            raise MetalinkError(
                f"Expected size is {self.size} bytes but content is {len(content)} bytes"
            )
        actual = hashlib.new(self.hash_name, content).hexdigest()
        if actual != self.digest:
            raise MetalinkError(f"Expected checksum is {self.digest} but actual is {actual}")


def parse_metalink(document: bytes, file_name: str) -> Metalink:
    """Parse a metalink for what it says about one file.

    Raises:
        MetalinkError: It is none, says nothing about the file, or too little.
    """
    reader = _Reader(file_name)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(document, True)  # noqa: FBT003  # expat takes no keywords
    except (expat.ExpatError, ValueError, LookupError) as exc:
        if not reader.saw_element:
            raise MetalinkError(f"Document must begin with an element: {exc}") from exc
        raise MetalinkError(f"The metalink is no XML: {exc}") from exc
    return reader.result()


def _refuse_doctype(*_what: object) -> None:
    raise MetalinkError("The metalink has a document type, which none needs")


class _Reader:
    """Takes the events of a document and keeps what is about one file.

    Attributes:
        saw_element: The document has a first element.
    """

    def __init__(self, file_name: str) -> None:
        self.saw_element = False
        self._file_name = file_name
        self._path: list[str] = []
        self._texts: list[str] = []
        self._saw_file = self._in_file = self._found = False
        self._size = ""
        self._hash_name = ""
        self._hashes: dict[str, str] = {}
        self._preference = 0
        self._urls: list[tuple[int, str]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.saw_element = True
        self._path.append(name)
        self._texts.clear()
        if len(self._path) > _MAX_DEPTH:
            raise MetalinkError(f"The metalink has more than {_MAX_DEPTH} elements in one another")
        if tuple(self._path) == _FILE:
            self._saw_file = True
            self._in_file = attributes.get("name") == self._file_name and not self._urls
            self._found |= self._in_file
        elif name == "hash":
            self._hash_name = attributes.get("type", "")
        elif name == "url":
            wanted = attributes.get("protocol") in {"http", "https"}
            self._preference = _number(attributes.get("preference", "")) if wanted else -1

    def text(self, text: str) -> None:
        self._texts.append(text)

    def end(self, _name: str) -> None:
        path = tuple(self._path)
        self._path.pop()
        text = "".join(self._texts).strip()
        self._texts.clear()
        if path == _FILE:
            self._in_file = False
        elif self._in_file:
            self._keep(path[len(_FILE) :], text)

    def _keep(self, where: tuple[str, ...], text: str) -> None:
        if where == ("size",):
            self._size = text
        elif where == ("verification", "hash") and self._hash_name in _KNOWN_HASHES:
            self._hashes[self._hash_name] = text.lower()
        elif where == ("resources", "url") and self._preference >= 0 and _is_web(text):
            self._urls.append((-self._preference, text))

    def result(self) -> Metalink:
        """Return what the document said, if it said enough."""
        if not self._saw_file:
            raise MetalinkError("No <file> element found")
        if not self._found:
            raise MetalinkError(f"No <file name='{self._file_name}'> found")
        size = _number(self._size)
        if not size:
            raise MetalinkError("No <size> element found or it is zero")
        if not self._hashes:
            raise MetalinkError("No <verification> element with known <hash type=> found")
        for name, digest in self._hashes.items():
            if re.fullmatch(rf"[0-9a-f]{{{_KNOWN_HASHES[name]}}}", digest) is None:
                raise MetalinkError(f"Invalid hash digest for {name}")
        if not self._urls:
            raise MetalinkError("No <url method='http'> elements found")
        # Only the preference counts: among equals, the order of the document stays.
        ordered = sorted(self._urls, key=lambda pair: pair[0])
        urls = tuple(dict.fromkeys(url for _, url in ordered))[:MAX_TARGETS]
        best = max(self._hashes)
        return Metalink(size, best, self._hashes[best], urls)


def _number(text: str) -> int:
    """Read a decimal number; 0 for anything else."""
    is_number = text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
    return int(text) if is_number else 0


def _is_web(url: str) -> bool:
    try:
        return parse_address(url).scheme in {"http", "https"}
    except AddressError:
        return False
