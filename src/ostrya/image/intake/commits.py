# SPDX-License-Identifier: Apache-2.0
"""A commit that there is becomes what a release begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import RepoError
from ostrya.formats.checksum import Checksum
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.image.errors import SourceError
from ostrya.named_tuple import NamedTuple
from ostrya.progress import Advanced, Finished, ProgressSink, Started, Unit
from ostrya.repo.importer import Importer
from ostrya.repo.reader import load_commit, load_dirtree
from ostrya.repo.refs import resolve_rev
from ostrya.repo.repository import open_repository
from ostrya.repo.traverse import reachable_objects
from ostrya.tree.commit import tree_from_commit
from ostrya.tree.mutable_tree import MutableTree
from ostrya.tree.worker_results import gather, take_told
from ostrya.workers import map_batches

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.formats.commit import Commit
    from ostrya.repo.repository import Repository
    from ostrya.repo.transaction import Transaction
    from ostrya.tree.worker_results import Told

_BATCH = 128
_TASK = "importing commit"

_Plain = tuple[str, int]


class TakenCommit(NamedTuple):
    """A commit that was taken in.

    Attributes:
        tree: Its tree.
        checksum: Which it was.
        timestamp: When it was made, in seconds since 1970 UTC.
    """

    tree: MutableTree
    checksum: Checksum
    timestamp: int


def take_commit(tx: Transaction, path: str, rev: str, progress: ProgressSink) -> TakenCommit:
    """Take the tree of a commit.

    Args:
        tx: Where its objects are, or are written.
        path: The repository that it is in; empty for that of the transaction.
        rev: A ref or a checksum.
        progress: Told about objects.

    Raises:
        SourceError: There is no such repository, or no such commit.
        ObjectNotFound: The commit is not whole.
        IntegrityError: An object is damaged.
        OSError: Something cannot be read, or not be written.
    """
    if not path:
        checksum = _resolve(tx.repo, rev)
        commit = load_commit(tx.repo, checksum)
        return TakenCommit(tree_from_commit(tx.repo, checksum), checksum, commit.timestamp)
    try:
        source = open_repository(path)
    except (RepoError, FileNotFoundError) as exc:
        raise SourceError(f"{path} is no repository: {exc}") from exc
    with source:
        checksum = _resolve(source, rev)
        _import(tx, source, checksum, progress)
        # The commit itself stays where it is: the release is another one.
        commit = load_commit(source, checksum)
        return TakenCommit(_tree(tx, commit), checksum, commit.timestamp)


def _resolve(repo: Repository, rev: str) -> Checksum:
    checksum = resolve_rev(repo, rev, allow_noent=True)
    if checksum is None:
        raise SourceError(
            f"{repo.path} has no commit {rev}", hint='"ostrya refs" lists what it has'
        )
    return checksum


def _tree(tx: Transaction, commit: Commit) -> MutableTree:
    tree = MutableTree()
    tree.fill_from(
        commit.root_contents, commit.root_metadata, lambda wanted: load_dirtree(tx.repo, wanted)
    )
    return tree


def _import(
    tx: Transaction, source: Repository, checksum: Checksum, progress: ProgressSink
) -> None:
    plain = sorted(
        (str(name.checksum), int(name.type))
        for name in reachable_objects(source, [checksum])
        if name.type is not ObjectType.COMMIT
    )
    progress.send(Started(_TASK, len(plain), Unit.ITEMS))
    batches = (plain[at : at + _BATCH] for at in range(0, len(plain), _BATCH))
    done = 0
    for count, told in map_batches(_make_worker(tx, source), batches):
        gather(tx, told)
        done += count
        progress.send(Advanced(_TASK, done))
    progress.send(Finished(_TASK, done))


def _make_worker(
    tx: Transaction, source: Repository
) -> Callable[[], Callable[[list[_Plain]], tuple[int, Told]]]:
    def make() -> Callable[[list[_Plain]], tuple[int, Told]]:
        writer = tx.new_writer()
        importer = Importer(tx.repo, source, writer, trusted=False, check_user_only_modes=False)

        def work(batch: list[_Plain]) -> tuple[int, Told]:
            for checksum, kind in batch:
                name = ObjectName(Checksum(checksum), ObjectType(kind))
                if name.type is ObjectType.FILE:
                    importer.import_content(name.checksum)
                else:
                    importer.import_metadata(name)
            return len(batch), take_told(writer)

        return work

    return make
