# SPDX-License-Identifier: Apache-2.0
"""Copying files into an image: a raw one, which is changed in place."""

from __future__ import annotations

import os
import stat
import tempfile
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import remove_tree
from ostrya.image.changing.ext4_editor import Ext4Script, NewFileFacts, check_room
from ostrya.image.changing.fat_editor import FatEditor
from ostrya.image.errors import DiskError
from ostrya.image.reading.addresses import view_at
from ostrya.image.reading.ext4 import Ext4
from ostrya.image.reading.fat import Fat
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.image.reading.addresses import Address
    from ostrya.image.reading.disk import DiskImage
    from ostrya.image.reading.files import Entry, Place, View

_CHUNK_BYTES = 1 << 20
_BOTH = 0o7777


class _Item(NamedTuple):
    """Something that is copied, and where it is here."""

    source: str
    found: os.stat_result


def copy_in(disk: DiskImage, address: Address, source: str, *, recursive: bool = False) -> None:
    """Copy something into an image.

    Args:
        disk: The image.
        address: Where to in it: a name, or a directory that is there.
        source: A file here, or a directory.
        recursive: Whether it may be a directory.

    Raises:
        DiskError: The image cannot be changed in place; the place is not there; there is no room.
        LayoutError: A FAT has no room, or cannot have a name.
        CommandFailed: debugfs is not there, or complains.
        OSError: Something cannot be read or written.
    """
    if disk.format != "raw":
        raise DiskError(
            f"{disk.path} is {disk.format}: only a raw image can be changed",
            hint="make a raw one first, by qemu-img convert or by unpacking it",
        )
    item = _Item(source, os.stat(source))
    if stat.S_ISDIR(item.found.st_mode) and not recursive:
        raise DiskError(f"{source} is a directory", hint="--recursive copies all that is in it")
    view = view_at(disk, address)
    folder, name = _place(view, address.path, source)
    offset = next(one.partition.offset for one in disk.volumes if one.files is folder.files)
    if isinstance(folder.files, Fat):
        _into_fat(disk, folder, name, item)
    elif isinstance(folder.files, Ext4):
        _into_ext4(disk.path, offset, folder, name, item)


def _place(view: View, path: str, source: str) -> tuple[Place, str]:
    """Return the directory, and the name that something gets in it."""
    own = os.path.basename(os.path.abspath(source))
    try:
        place = view.find(path)
    except DiskError:
        if path.endswith("/"):
            raise
        folder, _, name = path.rpartition("/")
        parent = view.find(folder or "/")
        if not parent.entry.is_dir:
            raise DiskError(f"{parent.path} is no directory") from None
        return parent, name
    if place.entry.is_dir:
        return place, own
    # Where links lead, not where they are.
    folder, _, name = place.path.rpartition("/")
    return view.find(folder or "/"), name


def _below(item: _Item) -> Iterator[tuple[str, _Item]]:
    """Yield what is in a directory here: names, in their order."""
    for name in sorted(os.listdir(item.source)):
        path = os.path.join(item.source, name)
        yield name, _Item(path, os.lstat(path))


def _sizes(item: _Item) -> Iterator[int]:
    if stat.S_ISDIR(item.found.st_mode):
        yield 0
        for _, below in _below(item):
            yield from _sizes(below)
    else:
        yield item.found.st_size


# -- FAT


def _into_fat(disk: DiskImage, folder: Place, name: str, item: _Item) -> None:
    volume = next(one for one in disk.volumes if one.files is folder.files)
    fd = os.open(disk.path, os.O_RDWR | os.O_CLOEXEC)
    try:
        editor = FatEditor(fd, volume.partition.offset, volume.partition.size_bytes)
        if not isinstance(folder.files, Fat):
            raise DiskError("it is no FAT")
        check_room(list(_sizes(item)), folder.files.free_bytes, folder.files.layout.cluster_bytes)
        try:
            _put_fat(editor, folder.entry.handle, name, item)
        finally:
            editor.end()
            os.fsync(fd)
    finally:
        os.close(fd)


def _put_fat(editor: FatEditor, folder: int, name: str, item: _Item) -> None:
    mode, mtime = item.found.st_mode, int(item.found.st_mtime)
    if stat.S_ISDIR(mode):
        cluster = editor.make_dir(folder, name, mtime)
        for child, below in _below(item):
            _put_fat(editor, cluster, child, below)
    elif stat.S_ISREG(mode):
        editor.put(folder, name, _read(item.source), item.found.st_size, mtime)
    else:
        raise DiskError(f"{item.source} is no file or directory, and a FAT has nothing else")


def _read(path: str) -> Iterator[bytes]:
    with open(path, "rb") as stream:
        while data := stream.read(_CHUNK_BYTES):
            yield data


# -- ext4


def _into_ext4(image: str, offset: int, folder: Place, name: str, item: _Item) -> None:
    files = folder.files
    if not isinstance(files, Ext4):
        raise DiskError("it is no ext4")
    if files.layout.needs_recovery:
        raise DiskError(
            "the file system was not unmounted, and its journal has changes",
            hint="start the image once and shut it down, or let e2fsck recover it",
        )
    check_room(list(_sizes(item)), files.free_bytes, files.layout.block_bytes)
    scratch = tempfile.mkdtemp(prefix="ostrya-cp-")
    try:
        script = Ext4Script(scratch)
        script.enter(folder.entry)
        _put_ext4(script, files, folder.entry, name, item)
        script.run(image, offset)
    finally:
        remove_tree(scratch)


def _put_ext4(
    script: Ext4Script, files: Ext4, folder: Entry | None, name: str, item: _Item
) -> None:
    there = files.find(folder, name) if folder is not None else None
    mode = item.found.st_mode
    facts = NewFileFacts(0, 0, stat.S_IMODE(mode) & _BOTH, int(item.found.st_mtime))
    if stat.S_ISDIR(mode):
        if there is not None and not there.is_dir:
            raise DiskError(f"{name} is there in the image, and is no directory")
        if there is None:
            script.make_dir(name, facts)
        script.enter_new(name)
        for child, below in _below(item):
            _put_ext4(script, files, there, child, below)
        script.leave()
        return
    if there is not None and there.is_dir:
        raise DiskError(f"{name} is a directory in the image, and {item.source} is none")
    if there is not None:
        facts = NewFileFacts(there.uid, there.gid, there.mode, facts.mtime, files.xattrs(there))
        script.remove(name)
    if stat.S_ISLNK(mode):
        script.make_link(name, os.readlink(item.source), facts._replace(mode=0o777))
    elif stat.S_ISREG(mode):
        script.put(name, item.source, facts)
    else:
        raise DiskError(f"{item.source} is no file, directory or link")
