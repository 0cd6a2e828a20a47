# SPDX-License-Identifier: Apache-2.0
"""A commit as a composefs image: its tree without content, and the digest that names it.

The content of every file is an object of a repository in one of the bare modes, found as
``ab/cdef….file`` below its ``objects``. The image is the same as libostree's for the same
commit, so that a digest that one of them put into a commit holds for the other.
"""

from __future__ import annotations

import os
import stat
from enum import IntEnum
from typing import TYPE_CHECKING

from ostrya._linux import fsverity
from ostrya._linux.atomic import TmpFile, write_all
from ostrya.errors import IntegrityError
from ostrya.formats.checksum import Checksum, from_raw, to_raw
from ostrya.formats.commit import KEY_COMPOSEFS_DIGEST
from ostrya.formats.erofs.image import iter_image
from ostrya.formats.erofs.nodes import Node
from ostrya.formats.gvariant.vardict import VarDict, Variant, glib_dict_order
from ostrya.formats.verity_digest import VerityHasher, verity_digest
from ostrya.progress import NULL_PROGRESS, Advanced, Finished, ProgressSink, Started, Unit
from ostrya.repo.reader import load_commit, load_dirmeta, load_dirtree, load_file
from ostrya.repo.stores.base import FileObject, seal_file
from ostrya.tree.commit import TreeRoot
from ostrya.tree.errors import ImageDigestMismatch
from ostrya.tree.lineage import Lineage
from ostrya.workers import map_batches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ostrya.formats.dirmeta import DirMeta
    from ostrya.repo.repository import Repository

# What a root file system needs as mount points; made where a tree lacks them.
_ROOT_DIRS = (b"usr", b"etc", b"boot", b"var", b"sysroot")
_BATCH_FILES = 64
_TASK = "measuring"

# Checksum; uid, gid, mode, size; link target; extended attributes; raw digest.
_Measured = tuple[str, int, int, int, int, bytes, "tuple[tuple[bytes, bytes], ...]", "bytes | None"]
_Place = tuple[Node, bytes, Checksum]


class Verity(IntEnum):
    """Which files get the fs-verity digest of their content into the image."""

    NONE = 0
    IF_SEALED = 1
    ALL = 2


def image_tree(
    repo: Repository,
    root: TreeRoot,
    *,
    verity: Verity = Verity.ALL,
    jobs: int | None = None,
    progress: ProgressSink = NULL_PROGRESS,
) -> Node:
    """Return the tree of an image: the committed one, with the directories that a root needs.

    Digests come from the kernel, where it has sealed the object, else all content is read.

    Raises:
        ObjectNotFound: The repository lacks an object.
        ErofsError: An image cannot hold the tree.
    """
    top, places = _load_directories(repo, root)
    wanted = list(dict.fromkeys(checksum for _, _, checksum in places))
    measured = {
        found[0]: found for found in _measure(repo, wanted, verity, jobs=jobs, progress=progress)
    }
    for parent, name, checksum in places:
        parent.add(name, _file_node(measured[checksum]))
    for name in _ROOT_DIRS:
        if name not in top.children:
            top.add(name, Node(stat.S_IFDIR | 0o755))
    return top


def image_digest(
    repo: Repository,
    root: TreeRoot,
    *,
    jobs: int | None = None,
    progress: ProgressSink = NULL_PROGRESS,
) -> Checksum:
    """Return the fs-verity digest of the image of a tree, without keeping the image.

    Raises:
        ObjectNotFound: The repository lacks an object.
        ErofsError: An image cannot hold the tree.
    """
    return verity_digest(iter_image(image_tree(repo, root, jobs=jobs, progress=progress)))


def with_digest_key(metadata: VarDict, digest: Checksum) -> VarDict:
    """Add the digest to the metadata of a commit, in the order that libostree gives it."""
    # Of double keys libostree's dictionary keeps the last.
    values = dict(metadata)
    values[KEY_COMPOSEFS_DIGEST] = Variant("ay", to_raw(digest))
    return VarDict((key, values[key]) for key in glib_dict_order(values))


def checkout_image(
    repo: Repository,
    checksum: Checksum,
    destination: str,
    *,
    verity: Verity = Verity.ALL,
    jobs: int | None = None,
    progress: ProgressSink = NULL_PROGRESS,
) -> Checksum:
    """Write the image of a commit into a file, in place of any earlier one.

    Returns:
        The fs-verity digest of the image.

    Raises:
        ObjectNotFound: The repository lacks an object.
        ErofsError: An image cannot hold the tree.
        ImageDigestMismatch: The commit has the digest of another image.
    """
    commit = load_commit(repo, checksum)
    expected = commit.metadata.lookup(KEY_COMPOSEFS_DIGEST, "ay")
    root = TreeRoot(commit.root_contents, commit.root_metadata)
    parent, _, name = destination.rpartition("/")
    where = (parent or "/") if destination.startswith("/") else parent or "."
    parent_fd = os.open(where, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with TmpFile(parent_fd) as tmp:
            tree = image_tree(repo, root, verity=verity, jobs=jobs, progress=progress)
            digest = _write(tmp.fd, tree)
            if verity == Verity.ALL and expected is not None:
                _require_digest(digest, expected)
            os.fchmod(tmp.fd, 0o644)
            seal_file(tmp, repo.config.fsverity)
            tmp.replace(name, dir_fd=parent_fd)
    finally:
        os.close(parent_fd)
    return digest


def _write(fd: int, tree: Node) -> Checksum:
    hasher = VerityHasher()
    for piece in iter_image(tree):
        hasher.update(piece)
        write_all(fd, piece)
    return hasher.checksum()


def _require_digest(digest: Checksum, expected: bytes) -> None:
    if len(expected) != len(to_raw(digest)):
        raise IntegrityError("Expected composefs fs-verity in metadata has the wrong size")
    if to_raw(digest) != expected:
        raise ImageDigestMismatch(digest, from_raw(expected))


# -- gathering


def _load_directories(repo: Repository, root: TreeRoot) -> tuple[Node, list[_Place]]:
    """Return the root with all directories in place, and where files belong."""
    dirmetas: dict[Checksum, DirMeta] = {}

    def directory(metadata: Checksum) -> Node:
        found = dirmetas.get(metadata)
        if found is None:
            found = dirmetas[metadata] = load_dirmeta(repo, metadata)
        return Node(found.mode, uid=found.uid, gid=found.gid, xattrs=found.xattrs)

    top = directory(root.metadata)
    places: list[_Place] = []
    pending = [(top, Lineage(root.contents))]
    while pending:
        node, lineage = pending.pop()
        tree = load_dirtree(repo, lineage.tree)
        places += [(node, name.encode(), checksum) for name, checksum in tree.files]
        for name, child_contents, child_metadata in tree.dirs:
            child = directory(child_metadata)
            node.add(name.encode(), child)
            pending.append((child, lineage.enter(child_contents)))
    return top, places


def _file_node(measured: _Measured) -> Node:
    checksum, uid, gid, mode, size, target, xattrs, digest = measured
    if stat.S_ISLNK(mode):
        return Node(mode, uid=uid, gid=gid, size=len(target), payload=target, xattrs=xattrs)
    payload = f"{checksum[:2]}/{checksum[2:]}.file".encode() if size else b""
    return Node(mode, uid=uid, gid=gid, size=size, payload=payload, xattrs=xattrs, digest=digest)


def _measure(
    repo: Repository,
    checksums: list[Checksum],
    verity: Verity,
    *,
    jobs: int | None,
    progress: ProgressSink,
) -> Iterator[_Measured]:
    """Yield what an image says of each content object, in no order."""
    progress.send(Started(_TASK, len(checksums), Unit.ITEMS))

    def make_worker() -> Callable[[list[str]], list[_Measured]]:
        return lambda batch: [_measure_object(repo, Checksum(name), verity) for name in batch]

    batches: Iterator[list[str]] = (
        list(checksums[at : at + _BATCH_FILES]) for at in range(0, len(checksums), _BATCH_FILES)
    )
    done = 0
    for results in map_batches(make_worker, batches, jobs=jobs):
        yield from results
        done += len(results)
        progress.send(Advanced(_TASK, done))
    progress.send(Finished(_TASK, done))


def _measure_object(repo: Repository, checksum: Checksum, verity: Verity) -> _Measured:
    with load_file(repo, checksum) as loaded:
        header = loaded.header
        digest = _content_digest(loaded, verity) if loaded.size else None
        return (
            str(checksum),
            header.uid,
            header.gid,
            header.mode,
            loaded.size,
            header.symlink_target.encode(),
            header.xattrs,
            digest,
        )


def _content_digest(loaded: FileObject, verity: Verity) -> bytes | None:
    if verity == Verity.NONE:
        return None
    digest = fsverity.measure(loaded.content_fd) if loaded.is_plain else None
    if digest is None and verity == Verity.ALL:
        return to_raw(verity_digest(loaded.chunks()))
    return digest
