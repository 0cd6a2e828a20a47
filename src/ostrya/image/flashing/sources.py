# SPDX-License-Identifier: Apache-2.0
"""The bytes of an image in their order, whatever its file is like; and the map beside it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

from ostrya.image import qcow2
from ostrya.image.bmap import MOST_BYTES, Bmap, decode_bmap
from ostrya.image.errors import DiskError
from ostrya.image.reading.qcow2 import Qcow2Source
from ostrya.image.reading.sources import FileSource, compression_of, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK_BYTES = 1 << 20
_MAP_SUFFIX = ".bmap"


class ImageStream:
    """An image that is read once, from its beginning to its end.

    Attributes:
        path: Its file.
        size_bytes: How large the disk is; None while nobody knows, as it is compressed.
    """

    def __init__(self, path: str) -> None:
        """Open it.

        Raises:
            DiskError: It is damaged, or a compressed qcow2, which cannot be read in order.
            OSError: It cannot be read.
        """
        self.path = path
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            head = os.pread(self._fd, 16, 0)
            self._compression = compression_of(head)
            self._qcow2 = None
            if head.startswith(qcow2.MAGIC):
                self._qcow2 = Qcow2Source(FileSource(self._fd))
        except BaseException:
            os.close(self._fd)
            raise
        self.size_bytes: int | None = None
        if self._qcow2 is not None:
            self.size_bytes = self._qcow2.size_bytes
        elif not self._compression:
            self.size_bytes = os.fstat(self._fd).st_size

    def chunks(self) -> Iterator[bytes]:
        """Yield its bytes.

        Raises:
            DiskError: It is damaged, or not whole.
            OSError: It cannot be read.
        """
        if self._qcow2 is not None:
            for at in range(0, self._qcow2.size_bytes, _CHUNK_BYTES):
                size = min(_CHUNK_BYTES, self._qcow2.size_bytes - at)
                yield self._qcow2.read(at, size)
        elif self._compression:
            is_first = True
            for piece in unpacked(self._fd, self._compression):
                if is_first and piece.startswith(qcow2.MAGIC):
                    raise DiskError(f"{self.path} is a compressed qcow2", hint="unpack it first")
                is_first = is_first and not piece
                yield piece
        else:
            while data := os.read(self._fd, _CHUNK_BYTES):
                yield data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        os.close(self._fd)


def find_map(image: str) -> str | None:
    """Return the path of the map beside an image, suffixes of which may be missing; None without.

    Args:
        image: Path of the image: of ``os.wic.xz``, the map is ``os.wic.xz.bmap`` or
            ``os.wic.bmap`` or ``os.bmap``.
    """
    folder, name = os.path.split(image)
    while name:
        path = os.path.join(folder, f"{name}{_MAP_SUFFIX}")
        if os.path.isfile(path):
            return path
        name = name.rpartition(".")[0]
    return None


def load_map(path: str) -> Bmap:
    """Read a map.

    Raises:
        DiskError: It is none, or damaged.
        OSError: It cannot be read.
    """
    with open(path, "rb") as stream:
        data = stream.read(MOST_BYTES + 1)
    try:
        return decode_bmap(data)
    except DiskError as exc:
        exc.put_first(path)
        raise
