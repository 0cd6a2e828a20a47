# SPDX-License-Identifier: Apache-2.0
"""``ls``: files of a commit."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from ostrya.cli.options import flag
from ostrya.cli.output import write, write_bytes, write_json
from ostrya.errors import OstryaError
from ostrya.named_tuple import NamedTuple
from ostrya.repo import reader
from ostrya.repo.refs import require_rev
from ostrya.tree import lookup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.formats.checksum import Checksum
    from ostrya.formats.xattrs import Xattrs
    from ostrya.repo.repository import Repository

PARAMETERS = "COMMIT [PATH...]"
OPTIONS = (
    flag("dironly", "List directories themselves, not what is in them", short="d"),
    flag("recursive", "List everything below", short="R"),
    flag("checksum", "Print checksums", short="C"),
    flag("xattrs", "Print extended attributes", short="X"),
    flag("nul-filenames-only", "Print nothing but paths, each ended by a NUL"),
)

_KINDS = {stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFREG: "-"}
_NAMES = {"d": "directory", "l": "symlink", "-": "regular"}


class _Facts(NamedTuple):
    """What one line of the listing says."""

    path: str
    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    target: str
    xattrs: Xattrs
    checksum: Checksum
    contents: Checksum | None


def run(arguments: Arguments, context: Context) -> int:
    """Print one line for each entry."""
    if not arguments.positionals:
        raise context.usage_error("An COMMIT argument is required")
    rev, *paths = arguments.positionals
    repo = context.repo
    root = lookup.commit_root(repo, require_rev(repo, rev))
    listed: list[dict[str, object]] = []
    for path in paths or ["/"]:
        try:
            for entry in _select(repo, root, path, arguments):
                if context.json:
                    listed.append(_as_json(_gather(repo, entry)))
                else:
                    _print(repo, entry, arguments)
        except OstryaError as exc:
            if paths:
                exc.message = f"Inspecting path '{path}': {exc.message}"
            raise
    if context.json:
        write_json(listed)
    return 0


def _select(
    repo: Repository, root: lookup.Directory, path: str, arguments: Arguments
) -> Iterator[lookup.Entry]:
    entry = lookup.resolve_path(repo, root, path)
    yield entry
    if isinstance(entry, lookup.Directory):
        if arguments.flag("recursive"):
            yield from lookup.walk(repo, entry)
        elif not arguments.flag("dironly"):
            yield from lookup.list_directory(repo, entry)


def _gather(repo: Repository, entry: lookup.Entry) -> _Facts:
    if isinstance(entry, lookup.Directory):
        meta = reader.load_dirmeta(repo, entry.meta)
        owner = (meta.uid, meta.gid)
        return _Facts(
            entry.path, "d", meta.mode, *owner, 0, "", meta.xattrs, entry.meta, entry.tree
        )
    with reader.load_file(repo, entry.checksum) as file:
        header, size = file.header, file.size
    kind = _KINDS[stat.S_IFMT(header.mode)]
    return _Facts(
        *(entry.path, kind, header.mode, header.uid, header.gid, size),
        *(header.symlink_target, header.xattrs, entry.checksum, None),
    )


def _print(repo: Repository, entry: lookup.Entry, arguments: Arguments) -> None:
    if arguments.flag("nul-filenames-only"):
        write_bytes(entry.path.encode() + b"\0")
        return
    facts = _gather(repo, entry)
    mode = f"{facts.kind}0{stat.S_IMODE(facts.mode):04o}"
    parts = [f"{mode} {facts.uid} {facts.gid} {facts.size:6} "]
    if arguments.flag("checksum"):
        parts += [f"{facts.contents} "] if facts.contents is not None else []
        parts.append(f"{facts.checksum} ")
    if arguments.flag("xattrs"):
        from ostrya.cli.dump import format_xattrs

        parts.append(f"{format_xattrs(facts.xattrs)} ")
    target = f" -> {facts.target}" if facts.kind == "l" else ""
    write("".join(parts) + f"{facts.path}{target}\n")


def _as_json(facts: _Facts) -> dict[str, object]:
    from ostrya.cli.dump import xattrs_as_json

    shown: dict[str, object] = {
        "path": facts.path,
        "type": _NAMES[facts.kind],
        "mode": f"{facts.mode:o}",
        "uid": facts.uid,
        "gid": facts.gid,
        "size": facts.size,
        "checksum": facts.checksum,
    }
    if facts.contents is not None:
        shown["contents_checksum"] = facts.contents
    if facts.kind == "l":
        shown["target"] = facts.target
    shown["xattrs"] = xattrs_as_json(facts.xattrs)
    return shown
