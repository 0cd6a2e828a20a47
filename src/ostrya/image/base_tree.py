# SPDX-License-Identifier: Apache-2.0
"""The source of a recipe as a converted tree, taken in once as long as it stays the same.

It is a commit of the cache's repository without a ramdisk, which depends on what comes later.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ostrya.image.cache import BASES, Cache, key_of
from ostrya.image.convert import ConvertOptions, convert
from ostrya.image.decisions import Decision, left_out
from ostrya.image.sources import take_in_source
from ostrya.image.wished_source import source_key
from ostrya.named_tuple import NamedTuple
from ostrya.progress import NULL_PROGRESS, ProgressSink
from ostrya.repo.refs import resolve_rev
from ostrya.repo.transaction import Transaction
from ostrya.tree.commit import write_commit, write_tree

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.image.source_kinds import AnySource
    from ostrya.repo.repository import Repository

_NO_RAMDISK = b""
_RAMDISK_TOLD = "ramdisk.built"


class BaseTree(NamedTuple):
    """A converted tree.

    Attributes:
        commit: It, in the cache's repository.
        kver: The version of its kernel.
        report: What was done to it.
        timestamp: Of the newest in the source, in seconds since 1970 UTC.
        origin: What the source was exactly; empty if there is no name for it.
        labels: Those of a container image.
    """

    commit: Checksum
    kver: str
    report: tuple[Decision, ...]
    timestamp: int
    origin: str = ""
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def decisions(self) -> tuple[str, ...]:
        """What was done, a sentence each."""
        return tuple(decision.sentence for decision in self.report)


class BaseWish(NamedTuple):
    """What is to be taken in and converted.

    Attributes:
        source: What it is.
        converting: How it is converted, but for the ramdisk.
        code: The digest of our own code.
    """

    source: AnySource
    converting: ConvertOptions
    code: str


def base_key(cache: Cache, wish: BaseWish) -> str:
    """Return what the converted tree of a source is known by; empty if nobody can say.

    Raises:
        OstryaError: The source cannot be looked at.
        OSError: Likewise.
    """
    known = source_key(cache, wish.source)
    if not known:
        return ""
    return key_of(BASES, wish.code, known, tuple(wish.converting))


def find_base(cache: Cache, repo: Repository, key: str) -> BaseTree | None:
    """Return a converted tree that is there; None if it is not."""
    found = cache.load(BASES, key) if key else None
    if found is None:
        return None
    commit = resolve_rev(repo, f"{BASES}/{key}", allow_noent=True)
    known = json.loads(found)
    if commit is None or commit != known["commit"]:
        return None
    return BaseTree(
        commit,
        known["kver"],
        tuple(Decision(*one) for one in known["report"]),
        known["timestamp"],
        known["origin"],
        tuple((name, value) for name, value in known["labels"]),
    )


def make_base(
    cache: Cache,
    repo: Repository,
    key: str,
    wish: BaseWish,
    *,
    progress: ProgressSink = NULL_PROGRESS,
) -> BaseTree:
    """Take a source in and convert it.

    Args:
        cache: Where it is kept.
        repo: The cache's repository.
        key: What it is known by; empty if it is not to be found again.
        wish: What it is.
        progress: Told about files.

    Raises:
        ImageError: It is no root file system that can be a release.
        OstryaError: It cannot be read.
        OSError: Likewise.
    """
    with Transaction(repo) as tx:
        taken = take_in_source(tx, wish.source, progress=progress)
        without = wish.converting._replace(build_ramdisk=lambda _editor, _kver: _NO_RAMDISK)
        converted = convert(taken.editor, without)
        report = (
            *map(left_out, taken.left_out),
            *(one for one in converted.report if one.code != _RAMDISK_TOLD),
        )
        root = write_tree(tx, taken.editor.root)
        commit = write_commit(tx, root, timestamp=0)
        if key:
            tx.set_ref(None, f"{BASES}/{key}", commit)
        tx.commit()
    base = BaseTree(commit, converted.kver, report, taken.newest, taken.origin, tuple(taken.labels))
    if key:
        cache.store(BASES, key, json.dumps(base._asdict()).encode())
    return base
