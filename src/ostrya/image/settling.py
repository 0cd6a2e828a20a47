# SPDX-License-Identifier: Apache-2.0
"""What can be said of a tree only once everything is in it: numbers of accounts, SELinux labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.image.decisions import Report
from ostrya.image.labels import label_tree
from ostrya.image.owners import read_accounts, settle_accounts
from ostrya.image.policies import AccountPolicy
from ostrya.image.tree import TreeEditor
from ostrya.repo.refs import resolve_rev
from ostrya.repo.transaction import Transaction
from ostrya.tree.commit import tree_from_commit

if TYPE_CHECKING:
    from ostrya.image.accounts import Accounts
    from ostrya.image.decisions import Decision
    from ostrya.image.recipe.values import ConvertWish
    from ostrya.repo.repository import Repository


def accounts_before(repo: Repository, kept: Repository, ref: str) -> Accounts | None:
    """Return who there was in the release before; None if there was none.

    Args:
        repo: Where releases are committed.
        kept: The cache's repository; one that is committed to that has no release before it.
        ref: What releases follow one another under.
    """
    if repo is kept:
        return None
    parent = resolve_rev(repo, ref, allow_noent=True)
    if parent is None:
        return None
    with Transaction(repo) as tx:
        return read_accounts(TreeEditor(tx, tree_from_commit(repo, parent)))


def settle(editor: TreeEditor, before: Accounts | None, wish: ConvertWish) -> tuple[Decision, ...]:
    """Keep numbers of accounts as they were, and label files.

    Args:
        editor: The tree.
        before: Who there was in the release before.
        wish: What is to be done.

    Returns:
        What was done.

    Raises:
        ConversionError: An account has another number.
    """
    report = Report()
    settle_accounts(editor, report, before, AccountPolicy(wish.accounts))
    report.check()
    if wish.selinux:
        label_tree(editor, report)
    return tuple(report.decisions)
