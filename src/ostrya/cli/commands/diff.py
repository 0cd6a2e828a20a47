# SPDX-License-Identifier: Apache-2.0
"""``diff``: two commits or directories, compared."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from ostrya.cli.options import flag, number
from ostrya.cli.output import write, write_json
from ostrya.repo.free_space import format_size
from ostrya.repo.refs import require_rev
from ostrya.tree import diff

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "REV_OR_DIR REV_OR_DIR"
OPTIONS = (
    flag("stats", "Print how many objects there are, and how many are shared"),
    flag("fs-diff", "Print which files differ (the default)"),
    flag("no-xattrs", "Look away from extended attributes"),
    number("owner-uid", "UID", "Take local files for this user's"),
    number("owner-gid", "GID", "Take local files for this group's"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Print one line for each difference."""
    if not arguments.positionals:
        raise context.usage_error("REV must be specified")
    if len(arguments.positionals) == 1:
        new = arguments.positionals[0]
        old = f"{new}^"
    else:
        old, new = arguments.positionals[:2]
    wants_stats = arguments.flag("stats")
    shown: dict[str, object] = {}
    if arguments.flag("fs-diff") or not wants_stats:
        found = _compare(context, old, new, arguments)
        shown |= {key: list(paths) for key, paths in found._asdict().items()}
        if not context.json:
            _print_diff(found, old, new)
    if wants_stats:
        repo = context.repo
        stats = diff.compare_objects(repo, require_rev(repo, old), require_rev(repo, new))
        shown["stats"] = stats._asdict()
        if not context.json:
            _print_stats(stats)
    if context.json:
        write_json(shown)
    return 0


def _is_host_path(name: str) -> bool:
    return name.startswith(("/", "./"))


def _compare(context: Context, old: str, new: str, arguments: Arguments) -> diff.TreeDiff:
    repo = context.repo
    commits = {
        name: diff.open_commit_tree(repo, require_rev(repo, name))
        for name in (old, new)
        if not _is_host_path(name)
    }
    with_xattrs = not arguments.flag("no-xattrs") and not any(
        tree.lacks_xattrs for tree in commits.values()
    )

    def open_side(name: str, view: diff.HostView) -> diff.Node:
        return commits[name] if name in commits else diff.open_host_tree(name, view)

    view = diff.HostView(with_xattrs)
    pretended = view._replace(
        uid=_owner(arguments, "owner-uid"), gid=_owner(arguments, "owner-gid")
    )
    with closing(open_side(old, view)) as a, closing(open_side(new, pretended)) as b:
        return diff.compare_trees(a, b)


def _owner(arguments: Arguments, name: str) -> int | None:
    value = arguments.number(name)
    return None if value is None or value < 0 else value


def _print_diff(found: diff.TreeDiff, old: str, new: str) -> None:
    for letter, paths, tree in (
        ("M", found.modified, old),
        ("D", found.removed, old),
        ("A", found.added, new),
    ):
        # Libostree prints host paths relative to where the comparison began.
        cut = 1 if _is_host_path(tree) else 0
        write("".join(f"{letter}    {path[cut:]}\n" for path in paths))


def _print_stats(stats: diff.DiffStats) -> None:
    write(
        f"[A] Object Count: {stats.old_objects}\n"
        f"[B] Object Count: {stats.new_objects}\n"
        f"Common Object Count: {stats.common_objects}\n"
        f"Common Object Size: {format_size(stats.common_bytes)}\n"
    )
