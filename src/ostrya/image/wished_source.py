# SPDX-License-Identifier: Apache-2.0
"""What a recipe's ``[source]`` means, and what distinguishes it from others."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ostrya.image.cache import Cache, fingerprint, key_of
from ostrya.image.source_kinds import (
    AnySource,
    ArchiveSource,
    CommitSource,
    DebianSource,
    DirectorySource,
    DockerArchiveSource,
    OciSource,
)
from ostrya.image.sources import find_source
from ostrya.repo.refs import require_rev
from ostrya.repo.repository import open_repository

if TYPE_CHECKING:
    from ostrya.image.board import Board
    from ostrya.image.recipe.values import SourceWish

# As `uname -m` has them, and as Debian and the Open Container Initiative do.
_DEBIAN = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "armhf", "riscv64": "riscv64"}
_OCI = {
    "x86_64": "linux/amd64",
    "aarch64": "linux/arm64",
    "armv7l": "linux/arm/v7",
    "riscv64": "linux/riscv64",
}


def wished_source(wish: SourceWish, board: Board) -> AnySource:
    """Return what a recipe wants to be taken in.

    Args:
        wish: Its ``[source]``.
        board: What for, where it does not say for which machines.

    Raises:
        SourceError: There is nothing of that kind.
    """
    if wish.kind == "debian":
        return DebianSource(
            wish.suite,
            wish.packages,
            wish.architecture or _DEBIAN.get(board.architecture, ""),
            wish.mirrors,
            wish.components or ("main",),
            wish.variant or "apt",
            (wish.keyring,) if wish.keyring else (),
            wish.left_out,
        )
    if wish.kind == "ostree":
        return CommitSource(wish.path, wish.ref)
    found = find_source(wish.path) if wish.kind == "auto" else None
    if wish.kind == "oci" or isinstance(found, OciSource):
        return OciSource(wish.path, wish.ref, _platform(wish, board))
    if wish.kind == "docker-archive" or isinstance(found, DockerArchiveSource):
        return DockerArchiveSource(wish.path, wish.ref, _platform(wish, board))
    if wish.kind == "tar" or isinstance(found, ArchiveSource):
        return ArchiveSource(wish.path)
    return DirectorySource(wish.path)


def for_board(source: AnySource, board: Board) -> AnySource:
    """Return a source for the machines of a board, where it does not say for which it is."""
    if isinstance(source, DebianSource) and not source.architecture:
        return source._replace(architecture=_DEBIAN.get(board.architecture, ""))
    if isinstance(source, OciSource | DockerArchiveSource) and not source.platform:
        return source._replace(platform=_OCI.get(board.architecture, ""))
    return source


def _platform(wish: SourceWish, board: Board) -> str:
    return wish.architecture or _OCI.get(board.architecture, "")


def source_key(cache: Cache, source: AnySource) -> str:
    """Return what distinguishes a source from all others; empty if nobody can say by now.

    A Debian is known by how it is made: as long as that stays the same, so does what was made.

    Raises:
        OstryaError: A commit is not there.
        OSError: It cannot be looked at.
    """
    if isinstance(source, DebianSource):
        return key_of("debian", tuple(source))
    if isinstance(source, CommitSource):
        with open_repository(source.repo) as repo:
            return key_of("commit", str(require_rev(repo, source.rev)))
    facts = (type(source).__name__, tuple(source._replace(path="")))
    if not os.path.exists(source.path):
        return ""
    if stat.S_ISREG(os.stat(source.path).st_mode):
        return key_of(*facts, cache.digest(source.path))
    # Who looks says who owns what is in it.
    found = fingerprint(source.path)
    return "" if found is None else key_of(*facts, found, os.geteuid() == 0)
