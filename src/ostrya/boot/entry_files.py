# SPDX-License-Identifier: Apache-2.0
"""Boot entries as files: which ones of a directory are ours, and what they say.

Source: ostree-sysroot.c (_ostree_sysroot_read_boot_loader_configs).
"""

from __future__ import annotations

import os
import stat

from ostrya._linux.dirfd import FileTooLargeError, list_names, open_dir, read_file
from ostrya.boot.bls import Entry, EntryName, version_key
from ostrya.boot.errors import EntryInvalid
from ostrya.named_tuple import NamedTuple

_MAX_BYTES = 1 << 20


class EntryFile(NamedTuple):
    """One of our entries.

    Attributes:
        name: Of its file.
        entry: What it says.
    """

    name: str
    entry: Entry


def list_entry_files(fd: int) -> list[str]:
    """Return the names of our entries in an open directory; those of others are passed over."""
    return [name for name in sorted(list_names(fd)) if _is_ours(name, fd)]


def version_in_name(name: str) -> int:
    """Return the version that the name of a file tells; 0 if it tells none."""
    found = EntryName.parse(name)
    return 0 if found is None else found.version


def read_entry_files(folder: str, *, dir_fd: int) -> list[EntryFile]:
    """Read our entries, the greatest version first; none if there is no such directory.

    Of two with the same version the one without counters, or that has fewer tries left, counts: the
    power failed when it took the place of the other one. What is empty was to be written then.

    Raises:
        EntryInvalid: A file is no boot entry.
        OSError: Something cannot be read.
    """
    try:
        fd = open_dir(folder, dir_fd=dir_fd, follow=True)
    except FileNotFoundError:
        return []
    try:
        found = [
            EntryFile(name, _read_entry(name, fd)) for name in _latest(list_entry_files(fd), fd)
        ]
    finally:
        os.close(fd)
    found.sort(key=lambda file: version_key(file.entry.fields.get("version", "")), reverse=True)
    return found


def _latest(names: list[str], fd: int) -> list[str]:
    """Leave out what a power cut left beside what it was to become."""
    best: dict[object, tuple[int, str]] = {}
    for name in names:
        if os.stat(name, dir_fd=fd).st_size == 0:
            continue
        parsed = EntryName.parse(name)
        key = name if parsed is None else (parsed.version, parsed.stateroot)
        left = -1 if parsed is None or parsed.tries is None else parsed.tries.left
        if key not in best or left < best[key][0]:
            best[key] = (left, name)
    return [name for _, name in best.values()]


def _read_entry(name: str, fd: int) -> Entry:
    try:
        return Entry.parse(read_file(name, dir_fd=fd, max_bytes=_MAX_BYTES).decode())
    except (UnicodeDecodeError, FileTooLargeError):
        raise EntryInvalid(f"Parsing {name}: it is no boot entry") from None


def _is_ours(name: str, fd: int) -> bool:
    if not (name.startswith("ostree-") and name.endswith(".conf")):
        return False
    return stat.S_ISREG(os.stat(name, dir_fd=fd).st_mode)
