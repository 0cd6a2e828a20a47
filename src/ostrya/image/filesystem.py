# SPDX-License-Identifier: Apache-2.0
"""An ext4 file system from a directory, as an ordinary user, the same bytes every time.

``mke2fs`` makes an empty one; files are put into it by ourselves (`ext4.populate`), with owners,
modes, attributes and flags that an ordinary user cannot give them here. ``mke2fs -d`` would take
several times as long, and ``debugfs`` as long again to set these.

Its features are those that U-Boot 2023.01 and GRUB 2.06 can read.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ostrya._linux.process import run
from ostrya.image.ext4.populate import populate
from ostrya.image.ext4.structures import BLOCK_BYTES, count_directory_blocks
from ostrya.image.ext4.wanted import ROOTS, Inode
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

# What a file system is made of, for those who make one.
__all__ = ("BLOCK_BYTES", "ROOTS", "Ext4Options", "Inode", "find_program", "measure", "write_ext4")
_FEATURES = (
    "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,"
    "large_file,huge_file,dir_nlink,extra_isize,metadata_csum"
)
_INODE_BYTES = 256
_BYTES_PER_INODE = 16384
# Where the Filesystem Hierarchy Standard has system programs, whatever the user's PATH.
_PLACES = ("/usr/sbin", "/sbin", "/usr/bin", "/bin")


class Ext4Options(NamedTuple):
    """What is the same for all of a file system.

    Attributes:
        size_bytes: How large it is.
        label: Of up to 16 characters.
        uuid: Its own.
        timestamp: When it was made, in seconds since 1970 UTC; of all its inodes, too.
    """

    size_bytes: int
    label: str
    uuid: UUID
    timestamp: int


def find_program(name: str) -> str:
    """Return the path of a system program; its name where it is elsewhere on the PATH."""
    return next(
        (f"{place}/{name}" for place in _PLACES if os.access(f"{place}/{name}", os.X_OK)), name
    )


def write_ext4(tree: str, path: str, options: Ext4Options, inodes: Mapping[str, Inode]) -> None:
    """Make a file system of a directory.

    Args:
        tree: The directory.
        path: The file to be written.
        options: What is the same for all of it.
        inodes: By path below the tree, empty for itself; all else is root's. Of a file with
            several names, one of them says it.

    Raises:
        LayoutError: It does not fit.
        CommandFailed: A program failed.
        SourceError: Something cannot be in such a file system.
        OSError: Something cannot be read or written.
    """
    variables = {
        "E2FSPROGS_FAKE_TIME": str(max(1, options.timestamp)),
        "MKE2FS_CONFIG": "/dev/null",
    }
    blocks = options.size_bytes // BLOCK_BYTES
    argv = [
        find_program("mke2fs"), "-q", "-F", "-t", "ext4", "-O", _FEATURES, "-b", str(BLOCK_BYTES),
        "-I", str(_INODE_BYTES), "-i", str(_BYTES_PER_INODE), "-m", "1", "-L", options.label,
        "-U", str(options.uuid),
        "-E", f"hash_seed={options.uuid},root_owner=0:0,lazy_itable_init=1,nodiscard",
        path, str(blocks),
    ]  # fmt: skip
    run(argv, variables=variables)
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        populate(fd, tree, inodes, options.timestamp)
    finally:
        os.close(fd)


def measure(tree: str) -> int:
    """Say how many bytes an ext4 needs at least for a directory, whatever that is on."""
    seen: set[tuple[int, int]] = set()
    blocks = files = 0
    pending = [tree]
    while pending:
        folder = pending.pop()
        names = []
        with os.scandir(folder) as entries:
            for entry in entries:
                names.append(len(os.fsencode(entry.name)))
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(found.st_mode):
                    pending.append(entry.path)
                    continue
                if (found.st_dev, found.st_ino) in seen:
                    continue
                seen.add((found.st_dev, found.st_ino))
                files += 1
                if stat.S_ISREG(found.st_mode):
                    blocks += -(-found.st_size // BLOCK_BYTES)
        files += 1
        blocks += count_directory_blocks(names)
    return blocks * BLOCK_BYTES + files * _INODE_BYTES
