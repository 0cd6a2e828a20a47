# SPDX-License-Identifier: Apache-2.0
"""``prune``: find and delete objects that nothing refers to.

Without ``--refs-only`` everything that any commit reaches is kept, whether a ref points to it or
not. ``--keep-younger-than``, ``--retain-branch-depth`` and ``--only-branch`` go by refs alone.

With ``--repo=s3://BUCKET/PREFIX`` an archive in a bucket is pruned, while nobody pushes to it; what
came in the last 24 hours, or in those of ``--grace``, is kept there.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ostrya.cli.errors import UsageError
from ostrya.cli.options import Kind, flag, number, text, texts
from ostrya.cli.output import write_line
from ostrya.formats.checksum import check_checksum
from ostrya.repo.free_space import format_size
from ostrya.repo.prune import PruneResult, delete_commit, prune, prune_branches, prune_deltas
from ostrya.repo.repository import require_writable
from ostrya.repo.traverse import ALL_PARENTS

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = ""
OPTIONS = (
    flag("no-prune", "Delete nothing, only count"),
    flag("refs-only", "Keep only what refs lead to"),
    number("depth", "DEPTH", "Keep this many parents of each commit (default: -1, all)"),
    text("delete-commit", "COMMIT", "Delete this commit first"),
    text("keep-younger-than", "DATE", "Keep commits of each branch from DATE on"),
    flag("static-deltas-only", "With --delete-commit, delete only the deltas to it"),
    texts("retain-branch-depth", "BRANCH=DEPTH", "Keep this many parents on BRANCH; 0 for no rule"),
    texts("only-branch", "BRANCH", "Leave all other branches as they are"),
    flag("commit-only", "Look at and delete commits alone"),
    number("grace", "HOURS", "Of a bucket: keep what is younger (default: 24)"),
    text("endpoint-url", "URL", "Of a bucket: the server, for others than Amazon's"),
    text("region", "REGION", "Of a bucket: its region"),
)
_BUCKET_ONLY = ("grace", "endpoint-url", "region")
_NOT_FOR_BUCKETS = ("delete-commit", "keep-younger-than", "retain-branch-depth", "only-branch")


def run(arguments: Arguments, context: Context) -> int:
    """Delete, and print what was done."""
    if "://" in context.repo_path:
        result = _prune_bucket(arguments, context)
    else:
        for name in _BUCKET_ONLY:
            if _is_given(arguments, name):
                raise UsageError(f"--{name} is for buckets, --repo=s3://BUCKET/PREFIX")
        if not arguments.flag("no-prune"):
            require_writable(context.repo)
        _delete_commit_first(arguments, context)
        result = _prune(arguments, context)
    _print(arguments, result)
    return 0


def _print(arguments: Arguments, result: PruneResult) -> None:
    what = "Total (commit only) objects" if arguments.flag("commit-only") else "Total objects"
    write_line(f"{what}: {result.total}")
    freed = format_size(result.freed_bytes)
    if not result.pruned:
        write_line("No unreachable objects")
    elif arguments.flag("no-prune"):
        write_line(f"Would delete: {result.pruned} objects, freeing {freed}")
    else:
        write_line(f"Deleted {result.pruned} objects, {freed} freed")


def _prune_bucket(arguments: Arguments, context: Context) -> PruneResult:
    from ostrya.repo.bucket_prune import DEFAULT_GRACE_S, BucketPruneOptions, prune_bucket
    from ostrya.repo.stores.bucket import BucketOptions, open_bucket

    for name in _NOT_FOR_BUCKETS:
        if _is_given(arguments, name):
            raise UsageError(f"--{name} is not possible on a bucket")
    for name in ("commit-only", "static-deltas-only"):
        if arguments.flag(name):
            raise UsageError(f"--{name} is not possible on a bucket")
    hours, depth = arguments.number("grace"), arguments.number("depth")
    if hours is not None and hours < 0:
        raise UsageError(f"Invalid number of hours {hours}")
    bucket = BucketOptions(arguments.text("endpoint-url"), arguments.text("region"))
    return prune_bucket(
        open_bucket(context.repo_path, bucket),
        BucketPruneOptions(
            refs_only=arguments.flag("refs-only"),
            depth=ALL_PARENTS if depth is None else depth,
            grace_s=DEFAULT_GRACE_S if hours is None else hours * 3600,
            dry_run=arguments.flag("no-prune"),
        ),
        progress=context.progress(),
    )


def _is_given(arguments: Arguments, name: str) -> bool:
    declared = next(option for option in OPTIONS if option.name == name)
    if declared.kind is Kind.NUMBER:
        return arguments.number(name) is not None
    if declared.kind is Kind.TEXTS:
        return bool(arguments.texts(name))
    return arguments.text(name) is not None


def _delete_commit_first(arguments: Arguments, context: Context) -> None:
    named = arguments.text("delete-commit")
    deltas_only = arguments.flag("static-deltas-only")
    if named is None:
        if deltas_only:
            raise UsageError("--static-deltas-only requires --delete-commit")
        return
    if arguments.flag("no-prune"):
        raise context.usage_error("Cannot specify both --delete-commit and --no-prune")
    checksum = check_checksum(named)
    if deltas_only:
        prune_deltas(context.repo, to=checksum)
    else:
        delete_commit(context.repo, checksum)


def _prune(arguments: Arguments, context: Context) -> PruneResult:
    given_depth = arguments.number("depth")
    depth = ALL_PARENTS if given_depth is None else given_depth
    since = arguments.text("keep-younger-than")
    branch_depths = arguments.texts("retain-branch-depth")
    only = arguments.texts("only-branch")
    commits_only, dry_run = arguments.flag("commit-only"), arguments.flag("no-prune")
    progress = context.progress()
    if since is None and not branch_depths and not only:
        return prune(
            context.repo,
            refs_only=arguments.flag("refs-only"),
            depth=depth,
            commits_only=commits_only,
            dry_run=dry_run,
            progress=progress,
        )
    keep_since = None
    if since is not None:
        from ostrya.cli.datetimes import parse_datetime

        keep_since = parse_datetime(since, now=int(time.time()))
    return prune_branches(
        context.repo,
        depth=depth,
        keep_since=keep_since,
        branch_depths=_parse_branch_depths(branch_depths),
        only_branches=only,
        commits_only=commits_only,
        dry_run=dry_run,
        progress=progress,
    )


def _parse_branch_depths(texts: list[str]) -> dict[str, int | None]:
    # For libostree a depth of 0 is none; what it keeps must not be deleted here.
    depths = dict(map(_parse_branch_depth, texts))
    return {branch: depth or None for branch, depth in depths.items()}


def _parse_branch_depth(text: str) -> tuple[str, int]:
    branch, equals, depth = text.partition("=")
    if not equals:
        raise UsageError(f"Invalid value {text}, must specify BRANCH=DEPTH")
    try:
        return branch, int(depth)
    except ValueError:
        raise UsageError(f"Invalid depth {depth}") from None
