# SPDX-License-Identifier: Apache-2.0
"""What would happen, for people to read: ``upgrade --check`` and ``deploy --dry-run``."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ostrya.cli.output import write_json, write_line
from ostrya.repo.free_space import format_size

if TYPE_CHECKING:
    from ostrya.sysroot.preflight import Need, Preflight

_NO_UPDATE = "No update available."
_ONCE_MORE = "the commit that is deployed already: it is deployed once more"


def print_preflight(found: Preflight, *, prints_json: bool, is_upgrade: bool = False) -> int:
    """Print it; return the exit status: 1 if something stands in the way.

    Args:
        found: What would happen.
        prints_json: Whether it is printed for programs.
        is_upgrade: Whether nothing is deployed unless there is another commit.
    """
    if is_upgrade and not found.is_new:
        found = found.with_nothing_deployed()
    if prints_json:
        write_json(found.as_json())
    else:
        for line in preflight_lines(found, is_upgrade=is_upgrade):
            write_line(line)
    return 1 if found.obstacles else 0


def preflight_lines(found: Preflight, *, is_upgrade: bool = False) -> list[str]:
    """Return it line by line."""
    version = f", version {found.version}" if found.version else ""
    lines = [f"{found.stateroot} {found.checksum}{version}"]
    if not found.is_new:
        lines.append(f"  {_NO_UPDATE if is_upgrade else _ONCE_MORE}")
    if found.end_of_life is not None:
        lines.append(f"  end of life: {found.end_of_life}")
    lines.append(f"  to fetch: {_fetch(found)}")
    lines.append(f"  repository: {_need(found.repo)}")
    if found.boot is not None:
        lines.append(f"  /boot: {_need(found.boot)}")
    lines += _etc(found)
    changes = [f"+{one}" for one in found.kargs_added] + [f"-{one}" for one in found.kargs_removed]
    if changes:
        lines.append(f"  kernel arguments: {' '.join(changes)}")
    lines += [f"  goes: {name}" for name in found.going]
    lines += [f"  in the way: {text}" for text in found.obstacles]
    return lines


def _fetch(found: Preflight) -> str:
    if not found.fetch_files:
        return "nothing"
    files = "1 file" if found.fetch_files == 1 else f"{found.fetch_files} files"
    if found.fetch_bytes is None:
        return f"{files}, of a size that nobody says"
    how = "by a static delta" if found.by_delta else files
    return f"{format_size(found.fetch_bytes)}, {how}"


def _need(need: Need) -> str:
    size = "an unknown size" if need.needed_bytes is None else format_size(need.needed_bytes)
    when = "later"
    if need.needed_bytes is not None and need.needed_bytes > need.room_bytes and need.frees_first:
        when = "once what goes is gone, which is before"
    freed = f", {format_size(need.freed_bytes)} more {when}" if need.freed_bytes else ""
    return f"{size} of {format_size(need.room_bytes)}{freed}"


def _etc(found: Preflight) -> list[str]:
    counts = Counter(step.outcome for step in found.etc)
    if not counts:
        return []
    return [f"  /etc: {', '.join(f'{count} {word}' for word, count in counts.items())}"]
