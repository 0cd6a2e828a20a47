# SPDX-License-Identifier: Apache-2.0
"""Writing refs: each becomes old or new in one rename."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import ensure_dir, open_dir, remove_tree, unlink_if_exists
from ostrya.formats.checksum import Checksum, check_checksum, is_checksum
from ostrya.formats.refs import (
    CollectionRef,
    check_collection_id,
    check_ref_name,
    check_remote_name,
)
from ostrya.repo.errors import RefConflict, RefNotFound
from ostrya.repo.refs import list_aliases, list_refs, resolve_ref

if TYPE_CHECKING:
    from ostrya.repo.repository import Repository


def write_ref(repo: Repository, remote: str | None, ref: str, checksum: Checksum | None) -> None:
    """Let a ref point to a commit, or delete it with None, at once.

    Raises:
        RefNameError: The name is not valid.
        RefConflict: The name is a directory of other refs.
    """
    store_ref(repo, remote, ref, checksum)
    refresh_summary_if_configured(repo)


def write_collection_ref(repo: Repository, ref: CollectionRef, checksum: Checksum | None) -> None:
    """Let a collection's ref point to a commit, or delete it with None, at once."""
    store_collection_ref(repo, ref, checksum)
    refresh_summary_if_configured(repo)


def write_alias(repo: Repository, ref: str, target: str) -> None:
    """Let a local ref stand for another one, now and whatever that points to later.

    Raises:
        RefNotFound: There is no such target.
        RefNameError: A name is not valid.
    """
    check_ref_name(ref)
    check_ref_name(target)
    if resolve_ref(repo, None, target, allow_noent=True, search_remotes=False) is None:
        raise RefNotFound(target)
    temporary = "alias." + os.urandom(8).hex()
    path = f"refs/heads/{ref}"
    os.symlink("../" * ref.count("/") + target, temporary, dir_fd=repo.tmp_fd)
    try:
        _make_parents(repo, "refs/heads", ref)
        os.rename(temporary, path, src_dir_fd=repo.tmp_fd, dst_dir_fd=repo.dir_fd)
    except BaseException as exc:
        unlink_if_exists(temporary, dir_fd=repo.tmp_fd)
        if isinstance(exc, IsADirectoryError):
            raise RefConflict(f"Conflict: {ref} is a directory of other refs") from None
        if isinstance(exc, NotADirectoryError):
            raise _conflict_above(repo, "refs/heads", ref) from None
        raise
    if repo.config.fsync:
        _sync_dir(os.path.dirname(path), dir_fd=repo.dir_fd)
    os.utime(repo.dir_fd)
    refresh_summary_if_configured(repo)


def _sync_dir(name: str, *, dir_fd: int) -> None:
    fd = open_dir(name, dir_fd=dir_fd, follow=True)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def find_aliases_of(repo: Repository, ref: str) -> list[str]:
    """Return the refs that are aliases of a local ref."""
    return [alias for alias, target in list_aliases(repo).items() if target == ref]


def store_ref(repo: Repository, remote: str | None, ref: str, checksum: Checksum | None) -> None:
    """Write or delete one ref, without looking at the summary."""
    check_ref_name(ref)
    if remote is None:
        _store(repo, "refs/heads", ref, checksum)
        return
    check_remote_name(remote)
    if checksum is not None:
        ensure_dir(f"refs/remotes/{remote}", dir_fd=repo.dir_fd)
    _store(repo, f"refs/remotes/{remote}", ref, checksum)


def store_collection_ref(repo: Repository, ref: CollectionRef, checksum: Checksum | None) -> None:
    """Write or delete one collection's ref, without looking at the summary."""
    check_collection_id(ref.collection_id)
    check_ref_name(ref.ref)
    if ref.collection_id == repo.config.collection_id:
        _store(repo, "refs/heads", ref.ref, checksum)
        return
    # Repositories made before collections have no refs/mirrors.
    ensure_dir("refs/mirrors", dir_fd=repo.dir_fd)
    if checksum is not None:
        ensure_dir(f"refs/mirrors/{ref.collection_id}", dir_fd=repo.dir_fd)
    _store(repo, f"refs/mirrors/{ref.collection_id}", ref.ref, checksum)


def _store(repo: Repository, base: str, ref: str, checksum: Checksum | None) -> None:
    path = f"{base}/{ref}"
    if checksum is None:
        unlink_if_exists(path, dir_fd=repo.dir_fd)
    else:
        check_checksum(checksum)
        if is_checksum(ref):
            raise RefConflict(f"Rev name '{ref}' looks like a checksum")
        _replace(repo, base, ref, checksum)
    os.utime(repo.dir_fd)


def _replace(repo: Repository, base: str, ref: str, checksum: Checksum) -> None:
    path = f"{base}/{ref}"
    try:
        _make_parents(repo, base, ref)
        _write(repo, path, checksum)
    except NotADirectoryError:
        raise _conflict_above(repo, base, ref) from None
    except IsADirectoryError:
        # A directory left empty by deleted refs does not stand in the way.
        for other in list_refs(repo, ref):
            if other != ref:
                raise RefConflict(
                    f"Conflict: {other} exists under {ref} when attempting write"
                ) from None
        remove_tree(path, dir_fd=repo.dir_fd)
        _write(repo, path, checksum)


def _conflict_above(repo: Repository, base: str, ref: str) -> RefConflict:
    """Name the ref that stands where a directory of refs would have to be."""
    name = ref.partition("/")[0]
    while stat.S_ISDIR(os.stat(f"{base}/{name}", dir_fd=repo.dir_fd).st_mode):
        name += "/" + ref[len(name) + 1 :].partition("/")[0]
    return RefConflict(
        f"Conflict: {name} exists above {ref} when attempting write: Not a directory"
    )


def _write(repo: Repository, path: str, checksum: Checksum) -> None:
    replace_file(
        path,
        f"{checksum}\n".encode(),
        dir_fd=repo.dir_fd,
        durable=repo.config.fsync,
        # Beside the ref, a temporary left by a crash would be a ref as well.
        scratch_fd=repo.tmp_fd,
    )


def _make_parents(repo: Repository, base: str, ref: str) -> None:
    parts = ref.split("/")[:-1]
    path = base
    for part in parts:
        path = f"{path}/{part}"
        ensure_dir(path, dir_fd=repo.dir_fd)


def refresh_summary_if_configured(repo: Repository) -> None:
    """Write the summary anew if the repository is configured to follow every change of a ref."""
    if repo.config.auto_update_summary:
        from ostrya.repo.summary import regenerate_summary

        regenerate_summary(repo)
