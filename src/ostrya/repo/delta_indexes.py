# SPDX-License-Identifier: Apache-2.0
"""Delta indexes on the disk: for each commit, which deltas lead to it.

Written whenever the summary is. An index is replaced only if it changes, and goes with the last
delta to its commit; ``core.indexed-deltas`` in the configuration says that they can be relied on.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import FileTooLargeError, ensure_dir, read_file, unlink_if_exists
from ostrya._linux.naming import names_repo
from ostrya.errors import FormatError, RepoError
from ostrya.formats.checksum import check_checksum, from_modified_base64
from ostrya.formats.delta_index import encode_delta_index
from ostrya.formats.delta_name import INDEX_SUFFIX, index_path, superblock_path
from ostrya.repo.config_writer import write_config
from ostrya.repo.delta_files import list_deltas, list_folder

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.formats.delta_name import DeltaName
    from ostrya.repo.repository import Repository

MAX_SUPERBLOCK_BYTES = 128 << 20
MAX_INDEX_BYTES = 16 << 20


def superblock_digest(repo: Repository, name: DeltaName) -> bytes:
    """Return the SHA-256 of a delta's superblock.

    Raises:
        FileNotFoundError: There is no such delta.
        RepoError: It is larger than any that is pulled.
    """
    path = superblock_path(name)
    try:
        data = read_file(path, dir_fd=repo.dir_fd, max_bytes=MAX_SUPERBLOCK_BYTES)
    except FileTooLargeError:
        raise RepoError(f"{path} of repo {repo.path} is too large") from None
    import hashlib

    return hashlib.sha256(data).digest()


@names_repo
def list_delta_indexes(repo: Repository) -> list[Checksum]:
    """List the commits that have an index, sorted."""
    found = []
    for prefix in list_folder(repo, "delta-indexes", folders=True):
        for rest in list_folder(repo, f"delta-indexes/{prefix}", folders=False):
            if not rest.endswith(INDEX_SUFFIX):
                continue
            try:
                found.append(from_modified_base64(prefix + rest.removesuffix(INDEX_SUFFIX)))
            except FormatError:
                continue
    return sorted(found)


@names_repo
def reindex_deltas(repo: Repository, to: str | None = None) -> None:
    """Write the indexes anew: of one commit, or of all.

    Raises:
        ObjectFormatError: ``to`` is no checksum.
        RepoError: A superblock is too large.
    """
    with repo.lock.hold(exclusive=False):
        _mark_indexed(repo)
        targets = list_delta_indexes(repo) if to is None else [check_checksum(to)]
        wanted: dict[Checksum, dict[DeltaName, bytes]] = {target: {} for target in targets}
        for name in list_deltas(repo):
            if to is None or name.to == to:
                wanted.setdefault(name.to, {})[name] = superblock_digest(repo, name)
        for target, digests in wanted.items():
            _write_index(repo, target, digests)


def _mark_indexed(repo: Repository) -> None:
    if repo.config.indexed_deltas:
        return
    keyfile = repo.config.keyfile
    keyfile.set_value("core", "indexed-deltas", "true")
    write_config(repo, keyfile)
    repo.config = repo.config._replace(indexed_deltas=True)


def _write_index(repo: Repository, to: Checksum, digests: dict[DeltaName, bytes]) -> None:
    path = index_path(to)
    if not digests:
        unlink_if_exists(path, dir_fd=repo.dir_fd)
        return
    data = encode_delta_index(digests)
    if _holds(repo, path, data):
        return
    folder = os.path.dirname(path)
    ensure_dir("delta-indexes", dir_fd=repo.dir_fd)
    ensure_dir(folder, dir_fd=repo.dir_fd)
    replace_file(path, data, dir_fd=repo.dir_fd, durable=repo.config.fsync)


def _holds(repo: Repository, path: str, data: bytes) -> bool:
    try:
        return read_file(path, dir_fd=repo.dir_fd, max_bytes=MAX_INDEX_BYTES) == data
    except (FileNotFoundError, FileTooLargeError):
        return False
