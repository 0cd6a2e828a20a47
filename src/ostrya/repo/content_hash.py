# SPDX-License-Identifier: Apache-2.0
"""Hashing content objects: the name of one is the SHA-256 of its header and its content."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ostrya.formats.file_header import FileHeader

_MAX_HEADERS = 4096


class ContentHasher:
    """Begins the hashes of content objects.

    Most files of a tree share a few headers, so the state after each is kept.
    """

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[FileHeader, hashlib._Hash] = {}

    def begin(self, header: FileHeader) -> hashlib._Hash:
        """Return a hash that has taken in a header, and wants the content.

        Raises:
            ObjectFormatError: The header cannot be written.
        """
        known = self._known.get(header)
        if known is None:
            known = hashlib.sha256(header.encode_stream())
            if len(self._known) < _MAX_HEADERS:
                self._known[header] = known
        return known.copy()
