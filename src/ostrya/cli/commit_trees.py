# SPDX-License-Identifier: Apache-2.0
"""``--tree``: directories, archives and commits, laid one over the other."""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING

from ostrya.cli.commit_modifier import set_policy, set_policy_of_commit
from ostrya.cli.errors import UsageError
from ostrya.cli.standard_input import standard_input
from ostrya.named_tuple import NamedTuple
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
    expression, comma, replacement = text.partition(",")
    if not comma:
        raise UsageError("Missing ',' in --tar-pathname-filter")
    pattern = _compile(expression)
    parts = _parse_replacement(replacement)
    # As for GRegex: a group that is not there is empty.
    groups = {*range(pattern.groups + 1), *pattern.groupindex}
    parts = [part for part in parts if part[1] is None or part[1] in groups]

    def expand(match: re.Match[str]) -> str:
        return "".join(text if group is None else match.group(group) or "" for text, group in parts)

    return lambda path: pattern.sub(expand, path)


def _compile(expression: str) -> re.Pattern[str]:
    """Compile what GRegex calls an expression, as far as Python can do the same."""
    import warnings

    try:
        with warnings.catch_warnings():
            # What Python warns about means something else than it says.
            warnings.simplefilter("error")
            return re.compile(_GREGEX.sub(_translate, expression), re.ASCII)
    except (re.error, ValueError, OverflowError, RecursionError, Warning) as exc:
        raise UsageError(f"--tar-pathname-filter: {exc}") from exc


_POSIX_CLASSES = {
    "alnum": "a-zA-Z0-9", "alpha": "a-zA-Z", "blank": r" \t", "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9", "graph": r"\x21-\x7e", "lower": "a-z", "print": r"\x20-\x7e",
    "punct": r"\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e", "space": r"\s", "upper": "A-Z",
    "word": r"\w", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_GREGEX = re.compile(
    r"(?P<set>\[\^?\]?(?:\[:[^\]:]*:\]|\\.|[^\]\\])*\])|\(\?<(?P<name>[A-Za-z_]\w*)>"
    r"|\\k[<{](?P<back>\w+)[>}]|(?P<escape>\\.)",
    re.DOTALL,
)


def _translate(match: re.Match[str]) -> str:
    if match["set"]:
        return re.sub(r"\[:([^\]:]*):\]", _posix_class, str(match["set"]))
    if match["name"]:
        return f"(?P<{match['name']}>"
    if match["back"]:
        return f"(?P={match['back']})"
    # Python's \Z is \z elsewhere.
    return {r"\z": r"\Z", r"\Z": r"(?=\n?\Z)"}.get(match[0], match[0])


def _posix_class(match: re.Match[str]) -> str:
    if match[1] not in _POSIX_CLASSES:
        raise UsageError(f"--tar-pathname-filter: unknown class [:{match[1]}:]")
    return _POSIX_CLASSES[str(match[1])]


_REPLACEMENT = re.compile(
    r"(?P<text>[^\\]+)|\\(?:(?P<number>0(?!\d)|[1-9]\d?(?!\d))|g<(?P<group>\w+)>"
    r"|x(?P<hex>[0-9A-Fa-f]{2})|x\{(?P<code>[0-9A-Fa-f]{1,4})\}|(?P<plain>[\\abfnrtv]))",
    re.DOTALL | re.ASCII,
)
_PLAIN = dict(zip("\\abfnrtv", "\\\a\b\f\n\r\t\v", strict=True))


def _parse_replacement(replacement: str) -> list[tuple[str, int | str | None]]:
    """Split a replacement into texts, and groups by number or name."""
    parts: list[tuple[str, int | str | None]] = []
    at = 0
    while at < len(replacement):
        match = _REPLACEMENT.match(replacement, at)
        if match is None:
            raise UsageError(
                f"--tar-pathname-filter: unknown escape '{replacement[at : at + 2]}' "
                "in the replacement"
            )
        at = match.end()
        group = match["number"] or match["group"]
        if group:
            parts.append(("", int(group) if group.isdigit() else group))
        elif match["hex"] or match["code"]:
            parts.append((chr(int(match["hex"] or match["code"], 16)), None))
        else:
            parts.append((match["text"] or _PLAIN[match["plain"]], None))
    return parts


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
