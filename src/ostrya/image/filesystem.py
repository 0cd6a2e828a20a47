# SPDX-License-Identifier: Apache-2.0
"""An ext4 file system from a directory, as an ordinary user, the same bytes every time.

``mke2fs -d`` copies the directory: contents, links, hard links. What an ordinary user cannot give
a file is set in the result by one script for ``debugfs``: owners, modes with setuid, extended
attributes, the immutable flag, and the times that would say when it was built.

Its features are those that U-Boot 2023.01 and GRUB 2.06 can read.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ostrya._linux.process import run, run_to_end
from ostrya.errors import CommandFailed
from ostrya.image.errors import LayoutError, SourceError
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from uuid import UUID

    from ostrya.formats.xattrs import Xattrs

BLOCK_BYTES = 4096
_FEATURES = (
    "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,"
    "large_file,huge_file,dir_nlink,extra_isize,metadata_csum"
)
_INODE_BYTES = 256
_BYTES_PER_INODE = 16384
_IMMUTABLE = 0x10
# What mke2fs gives a directory that is laid out by extents.
_EXTENTS = 0x80000
# Where the Filesystem Hierarchy Standard has system programs, whatever the user's PATH.
_PLACES = ("/usr/sbin", "/sbin", "/usr/bin", "/bin")


class Inode(NamedTuple):
    """What a file or directory is to be like, whoever it belongs to on this machine.

    Attributes:
        uid: Owner.
        gid: Group.
        mode: Permissions; None for those on this machine.
        xattrs: Extended attributes.
        immutable: Whether not even root may change it.
    """

    uid: int = 0
    gid: int = 0
    mode: int | None = None
    xattrs: Xattrs = ()
    immutable: bool = False


ROOTS = Inode()


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


def write_ext4(
    tree: str, path: str, options: Ext4Options, inodes: Mapping[str, Inode], scratch: str
) -> None:
    """Make a file system of a directory.

    Args:
        tree: The directory; access times of what is in it are set.
        path: The file to be written.
        options: What is the same for all of it.
        inodes: By path below the tree, empty for itself; all else is root's. Of a file with
            several names, one of them says it.
        scratch: A directory for files that are needed on the way.

    Raises:
        LayoutError: It does not fit.
        CommandFailed: A program failed.
        SourceError: A name cannot be told to debugfs.
        OSError: Something cannot be read or written.
    """
    script = os.path.join(scratch, "debugfs.script")
    with open(script, "w", encoding="utf-8", errors="surrogateescape") as stream:
        stream.writelines(f"{line}\n" for line in _script(tree, options, inodes, scratch))
    variables = {
        "E2FSPROGS_FAKE_TIME": str(max(1, options.timestamp)),
        "MKE2FS_CONFIG": "/dev/null",
        # It sorts names by them.
        "LC_ALL": "C",
        "TZ": "UTC",
    }
    blocks = options.size_bytes // BLOCK_BYTES
    argv = [
        find_program("mke2fs"), "-q", "-F", "-t", "ext4", "-O", _FEATURES, "-b", str(BLOCK_BYTES),
        "-I", str(_INODE_BYTES), "-i", str(_BYTES_PER_INODE), "-m", "1", "-L", options.label,
        "-U", str(options.uuid),
        "-E", f"hash_seed={options.uuid},root_owner=0:0,lazy_itable_init=1,nodiscard",
        "-d", tree, path, str(blocks),
    ]  # fmt: skip
    try:
        run(argv, variables=variables)
    except CommandFailed as exc:
        if "Could not allocate" in exc.stderr or "No space" in exc.stderr:
            raise LayoutError(
                f"the files do not fit into {options.size_bytes >> 20} MiB",
                hint="make the disk greater",
            ) from exc
        raise
    argv = [find_program("debugfs"), "-w", "-f", script, path]
    done = run_to_end(argv, variables=variables)
    # Its exit status says nothing; the first line of its complaints is its version.
    complaints = done.stderr.decode(errors="replace").splitlines()[1:]
    if done.status != 0 or complaints:
        raise CommandFailed(tuple(argv), done.status or 1, "\n".join(complaints[:20]))


def measure(tree: str) -> int:
    """Say how many bytes an ext4 needs at least for a directory."""
    seen: set[tuple[int, int]] = set()
    blocks = files = 0
    for _, found in _walk(tree):
        if (found.st_dev, found.st_ino) in seen:
            continue
        seen.add((found.st_dev, found.st_ino))
        files += 1
        if stat.S_ISREG(found.st_mode):
            blocks += -(-found.st_size // BLOCK_BYTES)
        elif stat.S_ISDIR(found.st_mode):
            blocks += max(1, -(-found.st_size // BLOCK_BYTES))
    return blocks * BLOCK_BYTES + files * _INODE_BYTES


def _script(
    tree: str, options: Ext4Options, inodes: Mapping[str, Inode], scratch: str
) -> Iterator[str]:
    """Yield what debugfs is told; times that mke2fs takes over are set on the way."""
    named = dict(inodes)
    # Of a file with several names it may be any one that says what it is to be like.
    seen: dict[tuple[int, int], str] = {}
    others: list[tuple[str, os.stat_result]] = []
    for path, found in _walk(tree):
        identity = (found.st_dev, found.st_ino)
        if identity not in seen or path in named:
            seen[identity] = path
        others.append((path, found))
    for number, (path, found) in enumerate(others):
        if seen[found.st_dev, found.st_ino] != path:
            continue
        wanted = named.get(path, ROOTS)
        yield from _commands(path, found, wanted, options.timestamp, f"{scratch}/xattr.{number}")
    for path, found in reversed(others):
        # Directories after all that is in them: these are read no more.
        os.utime(
            os.path.join(tree, path), (options.timestamp, found.st_mtime), follow_symlinks=False
        )


def _walk(tree: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield paths, each directory before what is in it, in the order of names."""
    stack = [""]
    while stack:
        path = stack.pop()
        found = os.lstat(os.path.join(tree, path))
        yield path, found
        if stat.S_ISDIR(found.st_mode):
            names = sorted(os.listdir(os.path.join(tree, path)), reverse=True)
            stack += [f"{path}/{name}" if path else name for name in names]


def _commands(
    path: str, found: os.stat_result, wanted: Inode, timestamp: int, scratch: str
) -> Iterator[str]:
    place = _quoted(f"/{path}")
    # All of it, even what is so already: the superblock counts how much was ever written.
    yield f"sif {place} uid {wanted.uid}"
    yield f"sif {place} gid {wanted.gid}"
    mode = stat.S_IMODE(found.st_mode if wanted.mode is None else wanted.mode)
    yield f"sif {place} mode 0{stat.S_IFMT(found.st_mode) | mode:o}"
    yield f"sif {place} ctime @{timestamp}"
    yield f"sif {place} atime @{timestamp}"
    for number, (name, value) in enumerate(wanted.xattrs):
        file = f"{scratch}.{number}"
        with open(file, "wb") as stream:
            stream.write(value)
        plain = name.decode("utf-8", "surrogateescape")
        yield f"ea_set -f {_quoted(file)} {place} {_quoted(plain)}"
    if wanted.immutable:
        yield f"sif {place} flags {_EXTENTS | _IMMUTABLE:#x}"


def _quoted(text: str) -> str:
    if "\n" in text:
        raise SourceError(f"debugfs cannot be told of a name with a newline: {text!r}")
    return '"' + text.replace('"', '""') + '"'
