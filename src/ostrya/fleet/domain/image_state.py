# SPDX-License-Identifier: Apache-2.0
"""The Image repository at one moment: a timestamp, and the files that belong to it.

Whoever publishes writes files one after the other, the timestamp last. So they are taken as a state
only once they are those that the timestamp names; till then, the state before is the newest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import OstryaError
from ostrya.uptane.metadata.hashes import KNOWN, digests, wrong_digests
from ostrya.uptane.metadata.signed import parse_envelope
from ostrya.uptane.metadata.snapshot import read_snapshot
from ostrya.uptane.metadata.timestamp import read_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostrya.fleet.domain.image_repository import ImageRepository
    from ostrya.uptane.metadata.json_text import Object
    from ostrya.uptane.metadata.snapshot import MetaFile

_TIMESTAMP, _SNAPSHOT = "timestamp.json", "snapshot.json"


class ImageState:
    """The newest state that is whole."""

    def __init__(self, images: ImageRepository) -> None:
        self._images = images
        self._files: Mapping[str, bytes] = {}

    def files(self) -> Mapping[str, bytes]:
        """Return its files by their names; empty as long as there was none."""
        stamp = self._images.read(_TIMESTAMP)
        if stamp is not None and self._files.get(_TIMESTAMP) is not stamp:
            found = self._read(stamp)
            if found is not None:
                self._files = found
        return self._files

    def _read(self, stamp: bytes) -> dict[str, bytes] | None:
        dialect = self._images.work.dialect
        try:
            listed = read_timestamp(_signed(stamp, self._images), dialect).snapshot
            snapshot = self._whole("snapshot", listed)
            if snapshot is None:
                return None
            name, data = snapshot
            found = {_TIMESTAMP: stamp, name: data}
            for file, meta in read_snapshot(_signed(data, self._images), dialect).meta.items():
                part = self._whole(file.removesuffix(".json"), meta)
                if part is None:
                    return None
                found[part[0]] = part[1]
        except OstryaError:
            return None
        return found

    def _whole(self, role: str, meta: MetaFile) -> tuple[str, bytes] | None:
        """Return the name and the content of a file, if it is the one that is named."""
        name = self._images.work.file(role, meta.version)
        data = self._images.read(name)
        if data is None:
            return None
        known = tuple(one for one in meta.hashes if one in KNOWN)
        if wrong_digests(meta.hashes, digests(data, known)):
            return None
        return name, data


def _signed(data: bytes, images: ImageRepository) -> Object:
    return parse_envelope(data, images.work.dialect, len(data), "metadata").signed
