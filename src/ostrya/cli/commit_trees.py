# SPDX-License-Identifier: Apache-2.0
"""``--tree``: directories, archives and commits, laid one over the other."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, NamedTuple

from ostrya.cli.commit_modifier import set_policy, set_policy_of_commit
from ostrya.cli.errors import UsageError
from ostrya.cli.standard_input import standard_input
from ostrya.repo.refs import require_rev
from ostrya.tree.errors import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.cli.parser import Arguments
    from ostrya.progress import ProgressSink
    from ostrya.repo.transaction import Transaction
    from ostrya.tree.modifier import CommitModifier
    from ostrya.tree.mutable_tree import MutableTree

_KINDS = ("dir", "tar", "ref")


class TreeSpec(NamedTuple):
    """One tree to lay over the others.

    Attributes:
        kind: dir, tar or ref.
        source: A path, ``-`` for an archive on the standard input, or a rev.
        gives_policy: The SELinux policy is taken from this tree.
        autocreate_parents: Directories that an archive leaves out are made.
        rename: New path for a path of an archive.
    """

    kind: str
    source: str
    gives_policy: bool = False
    autocreate_parents: bool = False
    rename: Callable[[str], str] | None = None


def parse_trees(arguments: Arguments) -> list[TreeSpec]:
    """Return the trees that the options ask for; by default one directory.

    Raises:
        UsageError: A tree or a filter cannot be parsed.
    """
    path = arguments.positionals[0] if arguments.positionals else "."
    texts = arguments.texts("tree") or [f"dir={path}"]
    rename = _parse_filter(arguments.text("tar-pathname-filter"))
    # A base that is named gives the policy itself.
    from_base = arguments.flag("selinux-policy-from-base") and arguments.text("base") is None
    specs = []
    for index, text in enumerate(texts):
        kind, equals, source = text.partition("=")
        if not equals:
            raise UsageError(f"Missing type in tree specification '{text}'")
        if kind not in _KINDS:
            raise UsageError(f"Invalid tree type specification '{kind}'")
        policy = from_base and index == 0
        if policy and kind == "tar":
            raise UsageError("Cannot use --selinux-policy-from-base with tar")
        specs.append(
            TreeSpec(kind, source, policy, arguments.flag("tar-autocreate-parents"), rename)
        )
    return specs


def add_tree(
    transaction: Transaction,
    tree: MutableTree,
    spec: TreeSpec,
    modifier: CommitModifier,
    progress: ProgressSink,
) -> None:
    """Lay one tree over what is there."""
    if spec.kind == "dir":
        from ostrya.tree.scan import write_directory

        if spec.gives_policy:
            set_policy(modifier, spec.source)
        write_directory(transaction, spec.source, tree, modifier, progress=progress)
    elif spec.kind == "tar":
        _add_archive(transaction, tree, spec, modifier, progress)
    else:
        from ostrya.tree.overlay import overlay_commit

        commit = require_rev(transaction.repo, spec.source)
        if spec.gives_policy:
            set_policy_of_commit(modifier, transaction.repo, commit)
        overlay_commit(transaction, commit, tree, modifier)


def _parse_filter(text: str | None) -> Callable[[str], str] | None:
    if text is None:
        return None
    import re

    expression, comma, replacement = text.partition(",")
    if not comma:
        raise UsageError("Missing ',' in --tar-pathname-filter")
    try:
        pattern = re.compile(expression)
        return lambda path: pattern.sub(replacement, path)
    except re.error as exc:
        raise UsageError(f"--tar-pathname-filter: {exc}") from exc


def _add_archive(
    transaction: Transaction,
    tree: MutableTree,
    spec: TreeSpec,
    modifier: CommitModifier,
    progress: ProgressSink,
) -> None:
    try:
        if spec.source == "-":
            _import(transaction, tree, spec, modifier, progress, standard_input())
        else:
            with open(spec.source, "rb") as stream:
                _import(transaction, tree, spec, modifier, progress, stream)
    except ArchiveError as exc:
        name = "standard input" if spec.source == "-" else spec.source
        raise ArchiveError(f"{name}: {exc.message}", hint=exc.hint) from exc


def _import(
    transaction: Transaction,
    tree: MutableTree,
    spec: TreeSpec,
    modifier: CommitModifier,
    progress: ProgressSink,
    stream: IO[bytes],
) -> None:
    from ostrya.tree.archive_import import import_archive

    import_archive(
        transaction,
        stream,
        tree,
        modifier,
        autocreate_parents=spec.autocreate_parents,
        rename=spec.rename,
        progress=progress,
    )
