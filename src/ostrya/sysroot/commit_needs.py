# SPDX-License-Identifier: Apache-2.0
"""What a commit needs before it can be deployed: files to fetch, room for them, and its kernel.

Directories have to be here; of files that are not, the size is known where the commit says it
(``ostree.sizes``).

Source: ostree-sysroot-deploy.c (get_kernel_layout_size), for which files belong to a kernel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.boot.kernel import kernel_version_key
from ostrya.formats.commit import SizeEntry, decode_sizes
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.named_tuple import NamedTuple
from ostrya.repo.errors import ObjectNotFound
from ostrya.repo.partial import is_partial
from ostrya.repo.reader import has_object, load_commit, load_file
from ostrya.tree.errors import NotADirectory, PathNotFound
from ostrya.tree.lookup import (
    Directory,
    File,
    commit_root,
    list_directory,
    resolve_directory,
    walk,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository

_MODULES = "usr/lib/modules"
_MODERN = frozenset({"vmlinuz", "initramfs.img", "initramfs", "devicetree"})
_MODERN_EXTRA = frozenset({".vmlinuz.hmac", "aboot.img"})
_LEGACY = ("usr/lib/ostree-boot", "boot")
_LEGACY_KINDS = ("vmlinuz-", "initramfs-", "devicetree-")

Sizes = dict["Checksum", SizeEntry]


class Missing(NamedTuple):
    """Files of a commit that are not here.

    Attributes:
        files: How many.
        fetch_bytes: What they take on the way; None if the commit does not say.
        unpacked_bytes: What they take here; None if it does not say.
    """

    files: int
    fetch_bytes: int | None
    unpacked_bytes: int | None


def missing_files(repo: Repository, checksum: Checksum) -> Missing:
    """Count the files of a commit that are not here.

    Raises:
        ObjectNotFound: A directory is not here.
    """
    if not is_partial(repo, checksum):
        return Missing(0, 0, 0)
    sizes = read_sizes(repo, checksum)
    absent = [
        file
        for file in _unique_files(repo, commit_root(repo, checksum))
        if not has_object(repo, ObjectName(file, ObjectType.FILE))
    ]
    known = [sizes[file] for file in absent if file in sizes]
    if len(known) < len(absent):
        return Missing(len(absent), None, None)
    return Missing(
        len(absent), sum(one.archived for one in known), sum(one.unpacked for one in known)
    )


def read_sizes(repo: Repository, checksum: Checksum) -> Sizes:
    """Return what a commit says of the size of its files; nothing if it does not."""
    entries = decode_sizes(load_commit(repo, checksum).metadata) or ()
    return {one.checksum: one for one in entries if one.type == ObjectType.FILE}


def kernel_files(repo: Repository, checksum: Checksum) -> tuple[Checksum, ...]:
    """Return the files of a commit that go to ``/boot``, in an order that is always the same.

    Raises:
        ObjectNotFound: A directory is not here.
    """
    root = commit_root(repo, checksum)
    folders = [one for one in _list(repo, root, _MODULES) if isinstance(one, Directory)]
    # The one that is going to be taken of several comes first.
    for folder in sorted(folders, key=_version_key, reverse=True):
        found = _modern(repo, folder)
        if found:
            return found
    for place in _LEGACY:
        legacy = [
            entry.checksum
            for entry in _list(repo, root, place)
            if isinstance(entry, File) and entry.path.rpartition("/")[2].startswith(_LEGACY_KINDS)
        ]
        if legacy:
            return tuple(legacy)
    return ()


def refusals(repo: Repository, checksum: Checksum) -> tuple[str, ...]:
    """Say why a commit would be refused as soon as its tree is laid out; nothing if it would not.

    Raises:
        ObjectNotFound: A directory is not here.
    """
    root = commit_root(repo, checksum)
    found = []
    if not kernel_files(repo, checksum) and not _has_links(repo, root, (_MODULES, *_LEGACY)):
        found.append("there is no kernel in /usr/lib/modules, /usr/lib/ostree-boot or /boot")
    if all(any(_list(repo, root, place)) for place in ("etc", "usr/etc")):
        found.append("the tree has both /etc and /usr/etc")
    return tuple(found)


def _has_links(repo: Repository, root: Directory, paths: Iterable[str]) -> bool:
    """Say whether something else than a directory is on the way: what it leads to is not known."""
    for path in paths:
        try:
            resolve_directory(repo, root, path)
        except NotADirectory:
            return True
        except PathNotFound:
            continue
    return False


def file_bytes(repo: Repository, checksum: Checksum, sizes: Sizes) -> int | None:
    """Return the size of a file; None if it is neither here nor said."""
    if checksum in sizes:
        return sizes[checksum].unpacked
    try:
        with load_file(repo, checksum) as file:
            return file.size
    except ObjectNotFound:
        return None


def _version_key(folder: Directory) -> tuple[object, ...]:
    return kernel_version_key(folder.path.rpartition("/")[2])


def _modern(repo: Repository, folder: Directory) -> tuple[Checksum, ...]:
    files, below = {}, []
    for entry in list_directory(repo, folder):
        name = entry.path.rpartition("/")[2]
        if isinstance(entry, File) and name in _MODERN | _MODERN_EXTRA:
            files[name] = entry.checksum
        elif isinstance(entry, Directory) and name == "dtb":
            below = [one.checksum for one in walk(repo, entry) if isinstance(one, File)]
    if "vmlinuz" not in files:
        return ()
    if "initramfs.img" in files:
        files.pop("initramfs", None)
    if "devicetree" in files:
        below = []
    return (*files.values(), *below)


def _list(repo: Repository, root: Directory, path: str) -> Iterator[Directory | File]:
    try:
        folder = resolve_directory(repo, root, path)
    except (PathNotFound, NotADirectory):
        return
    yield from list_directory(repo, folder)


def _unique_files(repo: Repository, root: Directory) -> set[Checksum]:
    """Return the files below a directory; those that are the same directory are looked at once."""
    files: set[Checksum] = set()
    seen = set()
    todo = [root]
    while todo:
        folder = todo.pop()
        if folder.tree in seen:
            continue
        seen.add(folder.tree)
        for entry in list_directory(repo, folder):
            if isinstance(entry, File):
                files.add(entry.checksum)
            else:
                todo.append(entry)
    return files
