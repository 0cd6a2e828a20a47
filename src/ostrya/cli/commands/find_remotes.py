# SPDX-License-Identifier: Apache-2.0
"""``find-remotes``: say who has refs of collections, and pull them from there.

The finder ``config`` asks the remotes of the repository that are configured for a collection,
``mount`` looks for repositories on volumes under ``/media``, ``/run/media`` and the home
directory. The local network, ``lan``, is not searched. Without ``--finders``, the setting
``core.default-repo-finders`` says where to look. With ``--pull`` each ref is taken from the first
remote in the list that has its newest commit, and from the next one if that fails.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ostrya.cli.errors import UsageError
from ostrya.cli.options import flag, text
from ostrya.cli.output import write, write_json, write_line, write_message
from ostrya.cli.version import FOLLOWED_VERSION
from ostrya.formats.refs import CollectionRef, check_collection_id, check_ref_name
from ostrya.pull.find_remotes import FindOptions, find_remotes
from ostrya.pull.network import NetworkOptions
from ostrya.pull.options import PullOptions
from ostrya.pull.pull_found import pull_found
from ostrya.pull.volumes import find_volumes
from ostrya.repo.repository import require_writable

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.pull.offers import FoundRemote

PARAMETERS = "COLLECTION-ID REF [COLLECTION-ID REF...]"
OPTIONS = (
    text("cache-dir", "PATH", "Keep summaries here instead of in the repository"),
    flag("disable-fsync", "Do not wait for the disk"),
    text("finders", "FINDERS", "Where to look: config, lan, mount, separated by commas"),
    flag("pull", "Pull what was found"),
    flag("mirror", "Write refs as those of their collections; needs --pull"),
)

_LAN = "lan"
_FINDERS = ("config", _LAN, "mount")


def run(arguments: Arguments, context: Context) -> int:
    """Find, print, and pull if that was asked for."""
    wanted = _parse_refs(arguments, context)
    options = _find_options(arguments, context)
    found = find_remotes(
        context.repo,
        wanted,
        options,
        on_skipped=lambda place, why: write_message(f"{place.uri} is left out: {why}"),
    )
    pulls = arguments.flag("pull") and bool(found)
    if not context.json:
        _print(found, wanted)
    if pulls:
        _pull(found, arguments, options, context)
    if context.json:
        write_json(_as_json(found, wanted, pulled=pulls))
    elif pulls:
        # Whatever could not be pulled is an error, so these are all.
        write_line(f"Pulled {len(wanted)}/{len(wanted)} refs successfully.")
    return 0


def _pull(
    found: list[FoundRemote], arguments: Arguments, options: FindOptions, context: Context
) -> None:
    require_writable(context.repo)
    if arguments.flag("disable-fsync"):
        context.disable_fsync()
    pull_found(
        context.repo,
        found,
        PullOptions(mirror=arguments.flag("mirror"), cache_dir=options.cache_dir),
        options.network,
        on_failure=lambda remote, why: write_message(f"Pulling from {remote.place.uri}: {why}"),
        progress=context.progress(),
    )


# ------------------------------------------------------------------------- what is asked


def _parse_refs(arguments: Arguments, context: Context) -> list[CollectionRef]:
    words = arguments.positionals
    if len(words) < 2:
        raise context.usage_error("At least one COLLECTION-ID REF pair must be specified")
    if len(words) % 2:
        raise context.usage_error("Only complete COLLECTION-ID REF pairs may be specified")
    if arguments.flag("mirror") and not arguments.flag("pull"):
        raise context.usage_error("When --mirror is specified, --pull must also be")
    pairs = zip(words[::2], words[1::2], strict=True)
    refs = [CollectionRef(check_collection_id(owner), check_ref_name(ref)) for owner, ref in pairs]
    return list(dict.fromkeys(refs))


def _find_options(arguments: Arguments, context: Context) -> FindOptions:
    finders = _parse_finders(arguments.text("finders"), context)
    return FindOptions(
        finders=finders,
        volumes=_volumes(context) if "mount" in finders else (),
        cache_dir=arguments.text("cache-dir"),
        network=NetworkOptions(user_agent=f"libostree/{FOLLOWED_VERSION}"),
    )


def _volumes(context: Context) -> tuple[str, ...]:
    from ostrya._linux.mount_table import read_mounts

    try:
        mounts = read_mounts()
    except OSError:
        # Without /proc nobody knows of any.
        return ()
    return tuple(find_volumes(mounts, context.environment.home))


def _parse_finders(value: str | None, context: Context) -> tuple[str, ...]:
    if value is None:
        return context.repo.config.repo_finders
    if not value:
        raise context.usage_error("List of finders in --finders option must not be empty")
    names = value.split(",")
    for position, name in enumerate(names):
        if name not in _FINDERS or name in names[:position]:
            raise context.usage_error(
                f"Unknown or duplicate finder type given in --finders option: ‘{name}’"
            )
    if names == [_LAN]:
        raise UsageError("LAN repo finder requested but ostree was compiled without Avahi support")
    if _LAN in names:
        write_message("Avahi finder failed; removing it: there is no Avahi support")
    return tuple(names)


# -------------------------------------------------------------------------- what is said


def _print(found: list[FoundRemote], wanted: list[CollectionRef]) -> None:
    if not found:
        write_line("No results.")
        return
    for number, remote in enumerate(found):
        write(_format_result(number, remote))
    refs = {ref for remote in found for ref in remote.wanted}
    write_line(f"{len(refs)}/{len(wanted)} refs were found.")
    if len(refs) != len(wanted):
        write_line("Refs not found in any remote:")
        for ref in wanted:
            if ref not in refs:
                write_line(f" - {ref}")


def _format_result(number: int, remote: FoundRemote) -> str:
    place = remote.place
    lines = [
        f"Result {number}: {place.uri}",
        f" - Finder: {place.finder.title}",
        f" - Keyring: {place.settings.keyring}.trustedkeys.gpg",
        f" - Priority: {place.finder.priority}",
        f" - Summary last modified: {_format_time(remote.last_modified)}",
        " - Refs:",
        *(f"    - {ref} = {commit or '(not found)'}" for ref, commit in remote.refs.items()),
        "",
    ]
    return "".join(f"{line}\n" for line in lines)


def _format_time(seconds: int) -> str:
    if seconds <= 0:
        return "unknown"
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OSError, OverflowError, ValueError):
        # Beyond the year 9999.
        return "invalid"


def _as_json(
    found: list[FoundRemote], wanted: list[CollectionRef], *, pulled: bool
) -> dict[str, object]:
    refs = {ref for remote in found for ref in remote.wanted}
    return {
        "results": [
            {
                "uri": remote.place.uri,
                "finder": remote.place.finder.name,
                "keyring": f"{remote.place.settings.keyring}.trustedkeys.gpg",
                "priority": remote.place.finder.priority,
                "summary_last_modified": remote.last_modified or None,
                "refs": [
                    {"collection": ref.collection_id, "ref": ref.ref, "commit": commit}
                    for ref, commit in remote.refs.items()
                ],
            }
            for remote in found
        ],
        "not_found": [
            {"collection": ref.collection_id, "ref": ref.ref} for ref in wanted if ref not in refs
        ],
        "pulled": pulled,
    }
