# SPDX-License-Identifier: Apache-2.0
"""Content objects that arrive as an archive keeps them, for an archive: stored as they came."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya.formats.checksum import Checksum
from ostrya.formats.object_name import ObjectName, ObjectType, loose_path
from ostrya.repo.errors import ChecksumMismatch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostrya.repo.content_hash import ContentHasher
    from ostrya.repo.stores.base import FileObject
    from ostrya.repo.writer import ObjectWriter


def verify_content(hasher: ContentHasher, checksum: Checksum, loaded: FileObject) -> None:
    """Hash an opened content object.

    Raises:
        ChecksumMismatch: It is not that of its name.
        ObjectInvalid: It is damaged.
    """
    digest = hasher.begin(loaded.header)
    for chunk in loaded.chunks():
        digest.update(chunk)
    actual = Checksum(digest.hexdigest())
    if actual != checksum:
        raise ChecksumMismatch(ObjectName(checksum, ObjectType.FILE), actual)


def write_packed(
    writer: ObjectWriter,
    checksum: Checksum,
    pieces: Iterable[bytes],
    content_bytes: int | None = None,
) -> None:
    """Store the file of a content object in an archive, unseen.

    Args:
        writer: Where to.
        checksum: Its name.
        pieces: Of the file.
        content_bytes: How long the content is before compression, for the statistics; None where
            nobody has looked, the length of the file counts then.
    """
    path = loose_path(ObjectName(checksum, ObjectType.FILE), archive=True)
    destination = writer.destination
    with destination.begin(path, 0o644) as tmp:
        size = destination.write_chunks(tmp, pieces)
        os.fchmod(tmp.fd, 0o644)
        writer.counts.content_total += 1
        if destination.publish(tmp, path, size):
            writer.counts.content_written += 1
            writer.counts.content_bytes_written += size if content_bytes is None else content_bytes
