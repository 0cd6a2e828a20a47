# SPDX-License-Identifier: Apache-2.0
"""The bytes of an image, against all that was said of them, while they arrive.

Source: Uptane Standard 2.1.0, sections 5.4.2.4 and 5.4.3.4.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ostrya.uptane.errors import ImageRejected
from ostrya.uptane.metadata.hashes import KNOWN, require_known_hash, wrong_digests

if TYPE_CHECKING:
    from collections.abc import Mapping


class ImageCheck:
    """Looks at an image piece by piece; it is good only once `finish` has returned.

    Attributes:
        received: How many bytes were looked at.
    """

    def __init__(self, name: str, length: int, hashes: Mapping[str, str]) -> None:
        """Begin.

        Raises:
            MetadataInvalid: No digest of a known algorithm is told.
        """
        require_known_hash(hashes, name)
        self.received = 0
        self._name = name
        self._length = length
        self._hashes = dict(hashes)
        self._running = {one: hashlib.new(one) for one in KNOWN if one in hashes}

    def update(self, data: bytes | memoryview) -> None:
        """Take the next bytes.

        Raises:
            ImageRejected: There are more than were told; stop reading.
        """
        self.received += len(data)
        if self.received > self._length:
            raise ImageRejected(f"{self._name} has more than the {self._length} bytes that it has")
        for one in self._running.values():
            one.update(data)

    def finish(self) -> None:
        """Refuse an image that is not the one that was told.

        Raises:
            ImageRejected: Its length or one of its digests is another.
        """
        if self.received != self._length:
            raise ImageRejected(f"{self._name} has {self.received} bytes, not {self._length}")
        found = {name: one.hexdigest() for name, one in self._running.items()}
        wrong = wrong_digests(self._hashes, found)
        if wrong:
            raise ImageRejected(f"{self._name} has another {wrong[0]} than was agreed on")
