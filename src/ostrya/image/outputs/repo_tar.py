# SPDX-License-Identifier: Apache-2.0
"""A repository with one release as a tar archive, to be unpacked where devices pull from.

It is an archive, mode ``archive-z2``: what the release needs, its signatures, and its ref. Objects
are those of the repository that it was committed to, byte for byte; of a repository in another mode
they are packed on the way.
"""

from __future__ import annotations

import os
import stat
import tempfile
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import remove_tree
from ostrya.image.outputs.sysroot_tar import put_file, walk_sorted
from ostrya.named_tuple import NamedTuple
from ostrya.pull.pull_local import PullLocalOptions, pull_local
from ostrya.repo.config_writer import write_config
from ostrya.repo.modes import RepoMode
from ostrya.repo.ref_writer import write_ref
from ostrya.repo.repository import create_repository
from ostrya.tree.tar_header import BLOCK, DIRECTORY, FILE, TarHeader, encode_entry

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.image.outputs.sinks import Sink
    from ostrya.repo.repository import Repository

# Of whoever works on it, not of the release.
_LEFT_OUT = ("tmp/", ".lock")
_CORE = "core"


class RepoRelease(NamedTuple):
    """Which release.

    Attributes:
        repo: Where it is.
        commit: Its commit.
        ref: What it follows.
        timestamp: Of all entries, in seconds since 1970 UTC.
    """

    repo: Repository
    commit: Checksum
    ref: str
    timestamp: int


def write_repo_tar(release: RepoRelease, sink: Sink, scratch: str) -> None:
    """Write a repository as an archive.

    Args:
        release: What is in it.
        sink: Takes the archive.
        scratch: A directory for files that are needed on the way.

    Raises:
        ObjectNotFound: The repository lacks an object of the release.
        OSError: Something cannot be read or written.
    """
    folder = tempfile.mkdtemp(prefix="repo-", dir=scratch)
    try:
        _fill(release, f"{folder}/repo")
        _write(f"{folder}/repo", release.timestamp, sink)
    finally:
        remove_tree(folder)


def _fill(release: RepoRelease, path: str) -> None:
    with create_repository(path, RepoMode.ARCHIVE) as target:
        keyfile = target.config.keyfile
        # Nobody waits for a working directory to be on the disk.
        keyfile.set_value(_CORE, "fsync", "false")
        collection = release.repo.config.collection_id
        if collection is not None:
            keyfile.set_value(_CORE, "collection-id", collection)
        write_config(target, keyfile)
        target.reload_config()
        pull_local(target, release.repo, [release.commit], PullLocalOptions())
        write_ref(target, None, release.ref, release.commit)
        keyfile.remove_key(_CORE, "fsync")
        write_config(target, keyfile)


def _write(folder: str, timestamp: int, sink: Sink) -> None:
    for path, found in walk_sorted(folder):
        if path.startswith(_LEFT_OUT):
            continue
        name = os.fsencode(f"./{path}" if path else ".")
        if stat.S_ISDIR(found.st_mode):
            header = TarHeader(name + b"/", DIRECTORY, 0o755)
            sink.write(encode_entry(header, timestamp))
        else:
            header = TarHeader(name, FILE, 0o644, size=found.st_size)
            sink.write(encode_entry(header, timestamp))
            put_file(os.path.join(folder, path), found.st_size, sink)
    sink.write(bytes(2 * BLOCK))
