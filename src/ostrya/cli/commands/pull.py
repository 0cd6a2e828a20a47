# SPDX-License-Identifier: Apache-2.0
"""``pull``: copy commits from a remote repository.

A ref may carry the commit to pull for it, ``main@CHECKSUM``. Without refs those are pulled that
the remote's settings name as ``branches``, and with ``--mirror`` all that its summary lists.

``--plan`` pulls nothing, and prints what each way to each commit costs from here: its objects one
by one, a delta, a delta from nothing, deltas one after the other. ``--plan=cheapest`` takes the one
of fewest bytes that the memory and the disk allow.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from ostrya.cli.errors import UsageError
from ostrya.cli.options import Option, flag, number, optional_text, text, texts
from ostrya.cli.output import write, write_json, write_line
from ostrya.cli.pull_ways import print_ways, ways_as_json
from ostrya.cli.repo_lookup import make_runtime, named_path
from ostrya.cli.sizes import parse_size
from ostrya.cli.version import FOLLOWED_VERSION
from ostrya.errors import RepoError
from ostrya.formats.checksum import check_checksum
from ostrya.formats.refs import parse_refspec
from ostrya.pull.network import NetworkOptions
from ostrya.pull.options import Plan, PullOptions, RefRequest
from ostrya.repo.free_space import format_size
from ostrya.repo.repository import open_repository, require_writable

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.pull.result import PullResult

PARAMETERS = "REMOTE [REF...]"
OPTIONS: tuple[Option, ...] = (
    flag("commit-metadata-only", "Copy commits, and nothing that they hold"),
    text("cache-dir", "PATH", "Keep summaries here instead of in the repository"),
    flag("disable-fsync", "Do not wait for the disk"),
    flag("per-object-fsync", "Wait for the disk object by object, to leave room for others"),
    flag("disable-static-deltas", "Do not use static deltas"),
    flag("require-static-deltas", "Fail without static deltas"),
    text("apply-memory", "SIZE", "Use deltas that say to take so much memory at most, as 64M"),
    flag("disable-retry-on-network-errors", "Fail at the first trouble with the network"),
    flag("mirror", "Write refs as the remote has them, all of them if none is named"),
    texts("subpath", "PATH", "Copy only what is at PATH"),
    flag("untrusted", "Hash objects of a repository on this machine too"),
    flag("http-trusted", "Do not hash what a mirror gets over the network"),
    flag("bareuseronly-files", "Refuse files with modes beyond 0775"),
    optional_text("plan", "HOW", "Print what each way costs; with cheapest, take the cheapest"),
    flag("dry-run", "Print what would be fetched; needs static deltas"),
    number("depth", "DEPTH", "Copy this many parents too; -1 for all (default: 0)"),
    text("url", "URL", "Pull from here instead of the remote's address"),
    texts("http-header", "NAME=VALUE", "Send this header with every request"),
    number("update-frequency", "MS", "How often to show progress (default: 1000; terminals: 100)"),
    number("network-retries", "N", "How often a request is tried again (default: 5)"),
    number("low-speed-limit-bytes", "N", "Bytes a second that a link must carry (default: 1000)"),
    number("low-speed-time-seconds", "N", "How long it may carry less (default: 30)"),
    number("max-outstanding-fetcher-requests", "N", "The most requests at a time"),
    texts("localcache-repo", "REPO", "Take objects from this repository first", short="L"),
    flag("timestamp-check", "Refuse commits older than what is here", short="T"),
    text("timestamp-check-from-rev", "REV", "Refuse commits older than this one"),
    flag("disable-verify-bindings", "Take commits that are bound to other refs"),
    Option("append-user-agent", text("", "", "").kind, "", "", "TEXT", hidden=True),
)


def run(arguments: Arguments, context: Context) -> int:
    """Pull, and print how much was new."""
    from ostrya.pull.pull import pull

    repo = context.repo
    require_writable(repo)
    if not arguments.positionals:
        raise context.usage_error("REMOTE must be specified")
    if arguments.flag("dry-run") and not arguments.flag("require-static-deltas"):
        raise RepoError("--dry-run requires --require-static-deltas")
    if arguments.flag("dry-run") and arguments.optional_text("plan") is not None:
        raise UsageError("--dry-run and --plan cannot be used together")
    remote, requests = _parse_what(arguments.positionals, drop_in=context.drop_in)
    if arguments.flag("disable-fsync"):
        context.disable_fsync()
    if arguments.flag("per-object-fsync"):
        repo.config = repo.config._replace(per_object_fsync=True)
    started = time.monotonic()
    with ExitStack() as stack:
        runtime = make_runtime(context.environment)
        caches = tuple(
            stack.enter_context(
                open_repository(named_path(path, "--localcache-repo"), runtime=runtime)
            )
            for path in arguments.texts("localcache-repo")
        )
        cache_dir = arguments.text("cache-dir")
        result = pull(
            repo,
            remote,
            requests,
            _options(arguments)._replace(cache_dir=cache_dir),
            _network(arguments)._replace(user_agent=f"libostree/{FOLLOWED_VERSION}"),
            caches=caches,
            progress=context.progress(
                interval_s=max(arguments.number("update-frequency") or 0, 0) / 1000 or None,
                lines_elsewhere=True,
            ),
        )
    _print(context, result, time.monotonic() - started)
    return 0


def _parse_what(
    positionals: list[str], *, drop_in: bool = False
) -> tuple[str, list[RefRequest] | None]:
    first, *rest = positionals
    if ":" in first and "://" not in first:
        remote, ref = parse_refspec(first)
        if remote is None:
            raise UsageError(f"Invalid remote {first}")
        if rest and not drop_in:
            # libostree passes over them.
            raise UsageError(f"{first} is all that is pulled; for more: {remote} {ref} {rest[0]}")
        return remote, [RefRequest(ref)]
    if not rest:
        return first, None
    return first, [_parse_request(word) for word in rest]


def _parse_request(word: str) -> RefRequest:
    ref, at, commit = word.rpartition("@")
    return RefRequest(ref, check_checksum(commit)) if at else RefRequest(word)


def _options(arguments: Arguments) -> PullOptions:
    for path in arguments.texts("subpath"):
        if not path.startswith("/"):
            raise UsageError(f"Invalid subpath '{path}': it has to begin with a slash")
    return PullOptions(
        mirror=arguments.flag("mirror"),
        commits_only=arguments.flag("commit-metadata-only"),
        subpaths=tuple(path.rstrip("/") or "/" for path in arguments.texts("subpath")),
        depth=arguments.generations("depth"),
        untrusted=arguments.flag("untrusted"),
        trusted_http=arguments.flag("http-trusted"),
        check_user_only_modes=arguments.flag("bareuseronly-files"),
        verify_bindings=not arguments.flag("disable-verify-bindings"),
        timestamp_check=arguments.flag("timestamp-check"),
        timestamp_check_from=arguments.text("timestamp-check-from-rev"),
        url=arguments.text("url"),
        use_deltas=not arguments.flag("disable-static-deltas"),
        require_deltas=arguments.flag("require-static-deltas"),
        apply_memory=_apply_memory(arguments),
        dry_run=arguments.flag("dry-run"),
        plan=_plan(arguments),
    )


def _plan(arguments: Arguments) -> Plan | None:
    text = arguments.optional_text("plan")
    if text is None:
        return None
    try:
        return Plan(text or Plan.SHOW)
    except ValueError:
        raise UsageError(f"Unknown plan '{text}', expected {', '.join(Plan)}") from None


def _apply_memory(arguments: Arguments) -> int | None:
    text = arguments.text("apply-memory")
    return None if text is None else parse_size(text, "--apply-memory")


def _network(arguments: Arguments) -> NetworkOptions:
    headers = []
    for header in arguments.texts("http-header"):
        name, equals, value = header.partition("=")
        if not equals:
            raise UsageError(f"Missing '=' in --http-header '{header}'")
        headers.append((name, value))
    max_in_flight = arguments.number("max-outstanding-fetcher-requests")
    if max_in_flight is not None and max_in_flight < 1:
        raise UsageError(f"Invalid number of requests {max_in_flight}")
    retries = arguments.number("network-retries")
    if arguments.flag("disable-retry-on-network-errors"):
        retries = 0
    return NetworkOptions(
        headers=tuple(headers),
        append_user_agent=arguments.text("append-user-agent"),
        retries=retries,
        low_speed_limit_bytes=arguments.number("low-speed-limit-bytes"),
        low_speed_time_s=arguments.number("low-speed-time-seconds"),
        max_in_flight=max_in_flight,
    )


def _print(context: Context, result: PullResult, seconds: float) -> None:
    if result.plan is not None:
        write_line(result.plan)
        return
    if context.json:
        refs = [
            {"collection": owned.collection_id or None, "ref": owned.ref, "commit": commit}
            for owned, commit in result.refs.items()
        ]
        ways = None if result.ways is None else ways_as_json(result.ways)
        from ostrya.cli.vouched import vouched_as_json

        vouched = vouched_as_json(result.vouched)
        write_json({**result._asdict(), "refs": refs, "ways": ways, "vouched": vouched})
        return
    if result.ways is not None:
        print_ways(result.ways)
        return
    if result.vouched and sys.stdout.isatty():
        from ostrya.cli.vouched import describe_vouched

        write(describe_vouched(result.vouched, drop_in=context.drop_in))
    if result.is_local:
        line = (
            f"{result.metadata_imported} metadata, {result.content_imported} content objects "
            "imported"
        )
    else:
        line = _fetched(result)
        if result.metadata_imported or result.content_imported:
            line += f" ({result.metadata_imported} meta, {result.content_imported} content local)"
    size = result.bytes_transferred
    if size and not result.is_local:
        amount = f"{size} B" if size < 1024 else f"{size // 1024} KiB"
        line += f"; {amount} transferred in {int(seconds)} seconds"
    write_line(f"{line}; {format_size(result.content_bytes_written)} content written")


def _fetched(result: PullResult) -> str:
    if result.delta_parts_fetched:
        loose = result.metadata_fetched + result.content_fetched
        return f"{result.delta_parts_fetched} delta parts, {loose} loose fetched"
    return f"{result.metadata_fetched} metadata, {result.content_fetched} content objects fetched"
