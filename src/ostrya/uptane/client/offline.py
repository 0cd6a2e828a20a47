# SPDX-License-Identifier: Apache-2.0
"""Updates that somebody brings: a lockbox on a medium that is mounted.

What was dealt with is remembered by what is on the medium, so that one that stays is not looked at
again at every turn; one that was refused is looked at again after it was away. Results are told
when the device is online again.

Source: PURE-2, Offline Updates; TDX's ``offline_updates_source``, for the layout.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from ostrya.errors import OstryaError
from ostrya.uptane.client.errors import MediumUnreadable
from ostrya.uptane.client.primary import CycleResult, End
from ostrya.uptane.client.server import ImageBody, Treehub
from ostrya.uptane.client.verifying import verify_medium
from ostrya.uptane.errors import ImageRejected, MetadataTooLarge
from ostrya.uptane.steps import Repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from ostrya.uptane.client.primary import Primary
    from ostrya.uptane.client.vehicle import Parts
    from ostrya.uptane.steps import Wanted

log = logging.getLogger(__name__)

_FACT = "medium"
_FOLDERS = {Repository.DIRECTOR: "metadata/director", Repository.IMAGE: "metadata/image-repo"}
_IMAGES, _COMMITS = "images", "ostree"
_PIECE_BYTES = 1024 * 1024
_SETTLED = (End.UP_TO_DATE, End.INSTALLED, End.RESTART, End.GIVEN_UP, End.DECLINED)
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class MediumSource:
    """Images on a medium; see `ImageSource`."""

    def __init__(self, path: str) -> None:
        self._path = path

    @contextmanager
    def open_image(self, name: str, uri: str, offset: int, max_bytes: int) -> Iterator[ImageBody]:
        """Read a file of an image, from a byte on; where else it is does not matter here."""
        del uri, max_bytes
        path = os.path.join(self._path, _IMAGES, name)
        file = _open(path)
        if file is None:
            raise ImageRejected(f"{name} is not on the medium")
        with file:
            file.seek(offset)
            size = os.fstat(file.fileno()).st_size
            yield ImageBody(offset, size, iter(lambda: _read(file, path, _PIECE_BYTES), b""))

    def treehub(self, uri: str = "") -> Treehub:
        """Return where commits are: on the medium."""
        del uri
        path = os.path.abspath(os.path.join(self._path, _COMMITS))
        return Treehub(f"file://{quote(path)}", "", "", "")


class MountedMedium:
    """A place where media appear; see `Medium`."""

    def __init__(self, parts: Parts, path: str) -> None:
        """Begin to watch.

        Args:
            parts: What a device works with.
            path: Where media are mounted.
        """
        self._parts = parts
        self._path = path
        self._refused = ""

    def look(self, primary: Primary) -> CycleResult | None:
        """Install what is there, if it is new; None for nothing."""
        found = self._fingerprint()
        if not found:
            self._refused = ""
            return None
        if found in (self._refused, (self._parts.storage.fact(_FACT) or b"").decode()):
            return None
        log.info("a medium with updates is there path=%s", self._path)
        result = self._install(primary)
        if result.end in _SETTLED:
            self._parts.storage.set_fact(_FACT, found.encode())
        elif result.end in (End.FAILED, End.CANCELLED):
            self._refused = found
        return result

    def _install(self, primary: Primary) -> CycleResult:
        try:
            verified = verify_medium(self._parts, self._fetch)
        except (OstryaError, OSError) as exc:
            return primary.guarded_refusal(exc)
        return primary.cycle_of(verified, MediumSource(self._path))

    def _fetch(self, wanted: Wanted) -> bytes | None:
        """Read a file of metadata; names are those of a server, but for folders."""
        name = unquote(wanted.file.rpartition("/")[2])
        if "/" in name or name.startswith("."):
            return None
        path = os.path.join(self._path, _FOLDERS[wanted.repository], name)
        file = _open(path)
        if file is None:
            return None
        with file:
            data = _read(file, path, wanted.max_bytes + 1)
        if len(data) > wanted.max_bytes:
            raise MetadataTooLarge(f"{path} has more than {wanted.max_bytes} bytes")
        return data

    def _fingerprint(self) -> str:
        """Return what tells a medium from another one; empty for none."""
        listed: list[str] = []
        for folder in _FOLDERS.values():
            with suppress(OSError):
                for entry in os.scandir(os.path.join(self._path, folder)):
                    found = entry.stat(follow_symlinks=False)
                    listed.append(f"{folder}/{entry.name} {found.st_size} {found.st_mtime_ns}")
        if not any(one.startswith(_FOLDERS[Repository.DIRECTOR]) for one in listed):
            return ""
        return hashlib.sha256("\n".join(sorted(listed)).encode(errors="replace")).hexdigest()


def _open(path: str) -> BinaryIO | None:
    """Open a file of a medium; None where there is none.

    Raises:
        MediumUnreadable: It is no plain file, or cannot be read.
    """
    try:
        fd = os.open(path, _FLAGS)
    except FileNotFoundError:
        return None
    except OSError as exc:
        if exc.errno == errno.ELOOP:
            raise _not_plain(path) from None
        raise MediumUnreadable(f"{path} cannot be read: {exc.strerror}") from exc
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise _not_plain(path)
    return os.fdopen(fd, "rb")


def _not_plain(path: str) -> MediumUnreadable:
    return MediumUnreadable(
        f"{path} is a link, or something else than a file",
        hint="a medium has plain files: `ostrya ota lockbox create` writes such",
    )


def _read(file: BinaryIO, path: str, count: int) -> bytes:
    try:
        return file.read(count)
    except OSError as exc:
        raise MediumUnreadable(
            f"{path} cannot be read: {exc.strerror}", hint="is the medium still there?"
        ) from exc
