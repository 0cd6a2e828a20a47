# SPDX-License-Identifier: Apache-2.0
"""``commit``: a tree, put together from directories, archives and commits, becomes a commit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ostrya.cli import commit_options
from ostrya.cli.commit_message import read_message
from ostrya.cli.commit_metadata import detached_metadata, given_metadata, with_automatic_metadata
from ostrya.cli.commit_modifier import make_modifier, set_policy_of_commit
from ostrya.cli.commit_trees import TreeSpec, add_tree, parse_trees
from ostrya.cli.output import write, write_line, write_message
from ostrya.cli.signing import make_signers
from ostrya.errors import OstryaError
from ostrya.formats.checksum import Checksum, check_checksum
from ostrya.formats.refs import parse_refspec
from ostrya.named_tuple import NamedTuple
from ostrya.repo import refs
from ostrya.repo.detached import write_detached
from ostrya.repo.reader import load_commit
from ostrya.repo.repository import require_writable
from ostrya.repo.signing import sign_commit
from ostrya.repo.transaction import Transaction, TransactionStats
from ostrya.tree.commit import TreeRoot, tree_from_commit, write_commit, write_tree
from ostrya.tree.errors import UnmatchedPaths
from ostrya.tree.mutable_tree import MutableTree

if TYPE_CHECKING:
    from ostrya.cli.commit_message import Message
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.formats.gvariant.vardict import VarDict
    from ostrya.repo.repository import Repository
    from ostrya.sign.engine import Signer
    from ostrya.tree.modifier import CommitModifier

PARAMETERS = "[PATH]"
OPTIONS = commit_options.OPTIONS


class _Plan(NamedTuple):
    """What is to be committed, as far as it can be known before anything is written."""

    parent: Checksum | None
    metadata: VarDict
    detached: VarDict | None
    signers: list[Signer]
    modifier: CommitModifier
    message: Message
    trees: list[TreeSpec]


def run(arguments: Arguments, context: Context) -> int:
    """Commit, and print the checksum."""
    repo = context.repo
    require_writable(repo)
    if arguments.flag("disable-fsync") or arguments.boolean("fsync") is False:
        context.disable_fsync()
    plan = _plan(arguments, context)
    with Transaction(repo) as transaction:
        checksum, stats = _write(transaction, plan, arguments, context)
    for directory in plan.modifier.consumed:
        directory.delete()
    if arguments.flag("table-output"):
        _print_table(checksum, stats)
    else:
        write_line(checksum)
    return 0


def _plan(arguments: Arguments, context: Context) -> _Plan:
    repo = context.repo
    modifier = make_modifier(arguments, repo)
    if arguments.text("branch") is None and not arguments.flag("orphan"):
        raise OstryaError("A branch must be specified with --branch, or use --orphan")
    parent = _find_parent(repo, arguments)
    return _Plan(
        parent,
        given_metadata(repo, arguments, parent),
        detached_metadata(arguments),
        make_signers(repo, arguments),
        modifier,
        read_message(arguments, context.environment.editor),
        parse_trees(arguments),
    )


def _find_parent(repo: Repository, arguments: Arguments) -> Checksum | None:
    named = arguments.text("parent")
    if named is not None:
        return None if named == "none" else check_checksum(named)
    branch = arguments.text("branch")
    if arguments.flag("orphan") or branch is None:
        return None
    try:
        return refs.resolve_rev(repo, branch, allow_noent=True)
    except IsADirectoryError:
        # Writing the ref knows best whether the directory is in the way.
        return None


def _write(
    transaction: Transaction, plan: _Plan, arguments: Arguments, context: Context
) -> tuple[Checksum, TransactionStats]:
    repo = context.repo
    root = _write_root(transaction, plan, arguments, context)
    if arguments.flag("skip-if-unchanged") and plan.parent is not None:
        old = load_commit(repo, plan.parent)
        if root == TreeRoot(old.root_contents, old.root_metadata):
            return plan.parent, TransactionStats(*transaction.counts.as_tuple())
    metadata = with_automatic_metadata(transaction, plan.metadata, root, arguments)
    checksum = write_commit(
        transaction,
        root,
        timestamp=_timestamp(arguments, context),
        parent=plan.parent,
        subject=plan.message.subject,
        body=plan.message.body,
        metadata=metadata,
    )
    if plan.detached is not None:
        write_detached(repo, checksum, plan.detached)
    for signer in plan.signers:
        sign_commit(repo, checksum, signer)
    branch = arguments.text("branch")
    if branch is not None:
        transaction.set_ref(*parse_refspec(branch), checksum)
    return checksum, transaction.commit()


def _write_root(
    transaction: Transaction, plan: _Plan, arguments: Arguments, context: Context
) -> TreeRoot:
    if plan.modifier.generate_sizes:
        transaction.want_sizes()
    base = arguments.text("base")
    tree = MutableTree()
    if base is not None:
        commit = refs.require_rev(context.repo, base)
        tree = tree_from_commit(context.repo, commit)
        if arguments.flag("selinux-policy-from-base"):
            set_policy_of_commit(plan.modifier, context.repo, commit)
    progress = context.progress()
    for spec in plan.trees:
        add_tree(transaction, tree, spec, plan.modifier, progress)
    try:
        plan.modifier.check_all_matched()
    except UnmatchedPaths as exc:
        for path in exc.paths:
            write_message(f"Unmatched {exc.what} path: {path}")
        raise
    return write_tree(transaction, tree)


def _timestamp(arguments: Arguments, context: Context) -> int:
    now = int(time.time())
    given = arguments.text("timestamp")
    if given is not None:
        from ostrya.cli.datetimes import parse_datetime

        return parse_datetime(given, now=now)
    epoch = context.environment.source_date_epoch
    if epoch is None:
        return now
    from ostrya.cli.environment import parse_source_date_epoch

    return parse_source_date_epoch(epoch)


def _print_table(checksum: Checksum, stats: TransactionStats) -> None:
    write(
        f"Commit: {checksum}\n"
        f"Metadata Total: {stats.metadata_total}\n"
        f"Metadata Written: {stats.metadata_written}\n"
        f"Content Total: {stats.content_total}\n"
        f"Content Written: {stats.content_written}\n"
        f"Content Cache Hits: {stats.devino_cache_hits}\n"
        f"Content Bytes Written: {stats.content_bytes_written}\n"
    )
