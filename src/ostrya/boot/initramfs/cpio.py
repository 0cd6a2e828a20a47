# SPDX-License-Identifier: Apache-2.0
"""cpio archives of the kind ``newc``, which the kernel unpacks.

::

    "070701" and 13 numbers of 8 hexadecimal digits each:
        ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
    the name, NUL, zeros up to a multiple of 4
    the data, zeros up to a multiple of 4
    …
    an entry TRAILER!!!

Everything belongs to root, is of 1970, and comes in the order of the bytes of its name; inodes are
counted. Archives may follow each other: what comes later is laid over what was there.

Source: the kernel's Documentation/driver-api/early-userspace/buffer-format.rst.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from ostrya.boot.errors import InitramfsError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MAGIC = b"070701"
_TRAILER = "TRAILER!!!"
_ALIGN = 4
_MAX_BYTES = 0xFFFFFFFF
_DIR_MODE = stat.S_IFDIR | 0o755
_PLACES_WITHOUT_NAME = frozenset({"", ".", ".."})


class CpioEntry(NamedTuple):
    """One file, directory, link or device.

    Attributes:
        path: Relative, without ``.`` and ``..``.
        mode: With the bits of its type.
        data: What is in a file, or where a link leads.
        device: Major and minor number, of a device.
    """

    path: str
    mode: int
    data: bytes = b""
    device: tuple[int, int] = (0, 0)


def directory(path: str, mode: int = 0o755) -> CpioEntry:
    """Return a directory."""
    return CpioEntry(path, stat.S_IFDIR | mode)


def file(path: str, data: bytes, mode: int = 0o644) -> CpioEntry:
    """Return a regular file."""
    return CpioEntry(path, stat.S_IFREG | mode, data)


def link(path: str, target: str) -> CpioEntry:
    """Return a symbolic link."""
    return CpioEntry(path, stat.S_IFLNK | 0o777, target.encode())


def character_device(path: str, major: int, minor: int, mode: int = 0o600) -> CpioEntry:
    """Return a character device."""
    return CpioEntry(path, stat.S_IFCHR | mode, b"", (major, minor))


def arrange(entries: Iterable[CpioEntry]) -> list[CpioEntry]:
    """Return entries in the order they are written, with the directories that they are in.

    Raises:
        InitramfsError: Two have one name, one is below what is no directory, or a name is none.
    """
    found: dict[str, CpioEntry] = {}
    for entry in entries:
        _check_path(entry.path)
        if found.setdefault(entry.path, entry) != entry:
            raise InitramfsError(f"ramdisk: '{entry.path}' comes twice")
    for path in list(found):
        parent = path.rpartition("/")[0]
        while parent:
            above = found.setdefault(parent, CpioEntry(parent, _DIR_MODE))
            if not stat.S_ISDIR(above.mode):
                raise InitramfsError(
                    f"ramdisk: '{path}' is below '{parent}', which is no directory"
                )
            parent = parent.rpartition("/")[0]
    return sorted(found.values(), key=lambda entry: entry.path.encode())


def encode_cpio(entries: Iterable[CpioEntry]) -> Iterator[bytes]:
    """Yield an archive, piece by piece.

    Raises:
        InitramfsError: See `arrange`; or a file is too large.
    """
    for inode, entry in enumerate(arrange(entries), start=1):
        yield _header(entry, inode)
        yield entry.data
        yield bytes(-len(entry.data) % _ALIGN)
    yield _header(CpioEntry(_TRAILER, 0), 0)


def _check_path(path: str) -> None:
    if "\0" in path or not _PLACES_WITHOUT_NAME.isdisjoint(path.split("/")) or path == _TRAILER:
        raise InitramfsError(f"ramdisk: '{path}' is no name of a file in it")


def _header(entry: CpioEntry, inode: int) -> bytes:
    size = len(entry.data)
    if size > _MAX_BYTES:
        raise InitramfsError(f"ramdisk: '{entry.path}' is too large: {size} bytes")
    name = entry.path.encode() + b"\0"
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    numbers = (inode, entry.mode, 0, 0, links, 0, size, 0, 0, *entry.device, len(name), 0)
    head = _MAGIC + b"".join(b"%08X" % number for number in numbers) + name
    return head + bytes(-len(head) % _ALIGN)
