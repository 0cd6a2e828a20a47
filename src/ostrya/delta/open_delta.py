# SPDX-License-Identifier: Apache-2.0
"""Opening a delta that lies on this machine: in the repository, in a directory, or in one file.

Its superblock is mapped, not read: the single-file form carries every part in it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from errno import ENOTDIR
from mmap import ACCESS_READ, mmap
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import open_dir
from ostrya.delta.errors import DeltaNotTrusted, DeltaRefused
from ostrya.delta.part_reader import open_inline_part, open_part_file
from ostrya.formats.delta_name import SUPERBLOCK, delta_dir, parse_delta_id
from ostrya.formats.delta_superblock import decode_superblock
from ostrya.formats.errors import DeltaFormatError

if TYPE_CHECKING:
    from typing import Self

    from ostrya.delta.part_reader import Payload
    from ostrya.formats.delta_signed import SignedDelta
    from ostrya.formats.delta_superblock import Superblock
    from ostrya.repo.repository import Repository
    from ostrya.sign.engine import Verifier


class OpenDelta:
    """A delta on this machine; it is closed when nothing of it is read any more.

    Attributes:
        superblock: Its head.
        signed: The same with its signatures; None if it has none.
    """

    __slots__ = ("_dir_fd", "_map", "signed", "superblock")

    def __init__(self, dir_fd: int, name: str) -> None:
        """Read the superblock; the descriptor of its directory is taken over.

        Raises:
            DeltaFormatError: It is none.
            OSError: It cannot be read.
        """
        self._dir_fd = dir_fd
        self._map: mmap | None = None
        self.superblock: Superblock
        self.signed: SignedDelta | None
        try:
            fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=dir_fd)
            try:
                if not os.fstat(fd).st_size:
                    raise DeltaFormatError("Invalid delta superblock: it is empty")
                self._map = mmap(fd, 0, access=ACCESS_READ)
            finally:
                os.close(fd)
            self.superblock, self.signed = decode_superblock(memoryview(self._map))
        except BaseException:
            os.close(dir_fd)
            raise

    def is_inline(self, index: int) -> bool:
        """Say whether a part is in the superblock itself."""
        return self.superblock.inline_part(index) is not None

    def open_part(self, index: int, spool_fd: int, *, checksum: bool = True) -> Payload:
        """Open a part.

        Args:
            index: Which, from 0.
            spool_fd: The directory for what is inflated.
            checksum: Whether a part in a file of its own has to be the one that is meant.

        Raises:
            PartMismatch: It is not.
            DeltaFormatError: It is damaged.
            OSError: It cannot be read.
        """
        header = self.superblock.parts[index]
        inline = self.superblock.inline_part(index)
        if inline is not None:
            return open_inline_part(*inline, header, spool_fd)
        fd = os.open(str(index), os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._dir_fd)
        return open_part_file(fd, header, spool_fd, checksum=checksum)

    def verify(self, verifier: Verifier) -> str:
        """Return the sentence of whoever vouches for the delta.

        Raises:
            DeltaNotTrusted: It has no signature of that kind.
            SignatureError: None is good.
        """
        if self.signed is None:
            raise DeltaNotTrusted("no signatures in static-delta")
        signatures = self.signed.signatures.lookup(verifier.metadata_key, "aay")
        if signatures is None:
            raise DeltaNotTrusted(
                f"no signature for '{verifier.metadata_key}' in static-delta superblock"
            )
        return verifier.verify(bytes(self.signed.superblock), signatures)

    def close(self) -> None:
        """Let go of the file, once nothing refers to it."""
        if self._dir_fd == -1:
            return
        os.close(self._dir_fd)
        self._dir_fd = -1
        if self._map is not None:
            # Whoever still holds a view of an inline part keeps the map open.
            with suppress(BufferError):
                self._map.close()
            self._map = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def open_delta_at(path: str) -> OpenDelta:
    """Open a delta by the path of its directory, or of its superblock.

    Raises:
        DeltaFormatError: It is none.
        OSError: It cannot be read.
    """
    try:
        return OpenDelta(open_dir(path, follow=True), SUPERBLOCK)
    except OSError as exc:
        if exc.errno != ENOTDIR:
            raise
    folder, name = os.path.split(path)
    return OpenDelta(open_dir(folder or ".", follow=True), name)


def open_delta(repo: Repository, text: str) -> OpenDelta:
    """Open a delta as people name it: by its commits, or by the path of its superblock.

    Raises:
        ObjectFormatError: The name is neither.
        DeltaFormatError: It is no delta.
        FileNotFoundError: It is not there.
    """
    if "/" in text:
        folder, name = os.path.split(text)
        return OpenDelta(open_dir(folder or "/", follow=True), name)
    name = delta_dir(parse_delta_id(text))
    return OpenDelta(open_dir(name, dir_fd=repo.dir_fd), SUPERBLOCK)


def check_offline(delta: OpenDelta) -> None:
    """Refuse a delta that needs a server to be whole.

    Raises:
        DeltaRefused: It leaves objects to be fetched one by one.
    """
    if delta.superblock.fallbacks:
        raise DeltaRefused("Cannot execute delta offline: contains nonempty http fallback entries")
