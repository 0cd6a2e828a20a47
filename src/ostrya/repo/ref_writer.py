# SPDX-License-Identifier: Apache-2.0
"""Writing refs: each becomes old or new in one rename."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import ensure_dir, exists, open_dir, unlink_if_exists
from ostrya._linux.naming import name_error, names_repo
from ostrya.formats.checksum import Checksum, check_checksum, is_checksum
from ostrya.formats.refs import (
    CollectionRef,
    check_collection_id,
    check_ref_name,
    check_remote_name,
)
from ostrya.repo.errors import RefConflict, RefNotFound
from ostrya.repo.refs import list_aliases, resolve_ref

if TYPE_CHECKING:
    from collections.abc import Callable

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


@names_repo
def write_alias(repo: Repository, ref: str, target: str) -> None:
    """Let a local ref stand for another one, now and whatever that points to later.

    Raises:
        RefNotFound: There is no such target.
        RefNameError: A name is not valid.
        RefConflict: It would stand for itself, or the name is a directory of other refs.
    """
    check_ref_name(ref)
    check_ref_name(target)
    _check_no_circle(repo, ref, target)
    if resolve_ref(repo, None, target, allow_noent=True, search_remotes=False) is None:
        raise RefNotFound(target)
    temporary = "alias." + os.urandom(8).hex()
    path = f"refs/heads/{ref}"
    try:
        os.symlink("../" * ref.count("/") + target, temporary, dir_fd=repo.tmp_fd)
    except OSError as exc:
        name_error(exc, f"{repo.path}/{path}")
        raise
    try:
        _place(
            repo,
            "refs/heads",
            ref,
            lambda: os.rename(temporary, path, src_dir_fd=repo.tmp_fd, dst_dir_fd=repo.dir_fd),
        )
    except BaseException:
        unlink_if_exists(temporary, dir_fd=repo.tmp_fd)
        raise
    if repo.config.fsync:
        _sync_dir(os.path.dirname(path), dir_fd=repo.dir_fd)
    os.utime(repo.dir_fd)
    refresh_summary_if_configured(repo)


def _check_no_circle(repo: Repository, ref: str, target: str) -> None:
    aliases = list_aliases(repo)
    name: str | None = target
    while name is not None and name != ref:
        name = aliases.pop(name, None)
    if name is not None:
        raise RefConflict(f"Conflict: {ref} would be an alias of itself")


def _sync_dir(name: str, *, dir_fd: int) -> None:
    fd = open_dir(name, dir_fd=dir_fd, follow=True)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@names_repo
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


@names_repo
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
        _place(repo, base, ref, lambda: _write(repo, path, checksum))
    os.utime(repo.dir_fd)


def _place(repo: Repository, base: str, ref: str, put: Callable[[], None]) -> None:
    """Put a ref in its place, which is made first.

    Raises:
        RefConflict: There is a ref above it, or below it.
    """
    try:
        _make_parents(repo, base, ref)
        try:
            put()
        except IsADirectoryError:
            _make_room(repo, base, ref)
            put()
    except (NotADirectoryError, FileNotFoundError) as exc:
        above = _find_above(repo, base, ref)
        if above is None:
            raise
        raise RefConflict(
            f"Conflict: {above} exists above {ref} when attempting write: Not a directory"
        ) from exc


def _make_room(repo: Repository, base: str, ref: str) -> None:
    """Remove the directories that deleted refs left empty where a ref is to be.

    Raises:
        RefConflict: They are not empty.
    """
    top = f"{base}/{ref}"
    pending, found = [top], []
    while pending:
        path = pending.pop()
        found.append(path)
        fd = open_dir(path, dir_fd=repo.dir_fd)
        try:
            with os.scandir(fd) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    if not entry.is_dir(follow_symlinks=False):
                        other = f"{path}/{entry.name}".removeprefix(f"{base}/")
                        raise RefConflict(
                            f"Conflict: {other} exists under {ref} when attempting write"
                        )
                    pending.append(f"{path}/{entry.name}")
        finally:
            os.close(fd)
    for path in reversed(found):
        # Not empty any more if somebody made a ref there meanwhile.
        os.rmdir(path, dir_fd=repo.dir_fd)


def _find_above(repo: Repository, base: str, ref: str) -> str | None:
    """Return the ref, or the alias of none, that stands where a directory would have to be."""
    parts = ref.split("/")
    for end in range(1, len(parts)):
        name = "/".join(parts[:end])
        try:
            found = os.stat(f"{base}/{name}", dir_fd=repo.dir_fd)
        except FileNotFoundError:
            return name if exists(f"{base}/{name}", dir_fd=repo.dir_fd) else None
        if not stat.S_ISDIR(found.st_mode):
            return name
    return None


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
