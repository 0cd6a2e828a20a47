# SPDX-License-Identifier: Apache-2.0
"""``image ls``: files in an image.

IMAGE:/PATH is a path as the default deployment will see it, with its /etc, its /var, its /boot and
its /sysroot. IMAGE:PARTITION:/PATH is one on a partition, by its number, its name or its label, and
IMAGE:@1:/PATH one as the second deployment sees it.
"""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ostrya.cli.options import flag
from ostrya.cli.output import write_bytes, write_json, write_line
from ostrya.image.reading.addresses import parse_address, view_at
from ostrya.image.reading.disk import DiskImage
from ostrya.image.reading.files import FileKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.image.reading.files import Place, View

PARAMETERS = "IMAGE[[:PARTITION]:/PATH]..."
OPTIONS = (
    flag("dironly", "List directories themselves, not what is in them", short="d"),
    flag("recursive", "List everything below", short="R"),
    flag("nul-filenames-only", "Print nothing but paths, each ended by a NUL"),
)
_TYPES = {
    FileKind.FILE: stat.S_IFREG, FileKind.DIRECTORY: stat.S_IFDIR, FileKind.LINK: stat.S_IFLNK,
    FileKind.OTHER: 0,
}  # fmt: skip


def run(arguments: Arguments, context: Context) -> int:
    """Print one line for each."""
    if not arguments.positionals:
        raise context.usage_error("An IMAGE must be specified")
    listed: list[dict[str, object]] = []
    for word in arguments.positionals:
        address = parse_address(word)
        with DiskImage(address.image) as disk:
            view = view_at(disk, address)
            for place in _select(view, address.path, arguments):
                if context.json:
                    listed.append(_describe(place))
                elif arguments.flag("nul-filenames-only"):
                    write_bytes(place.path.encode("utf-8", "surrogateescape") + b"\0")
                else:
                    write_line(_line(place))
    if context.json:
        write_json(listed)
    return 0


def _select(view: View, path: str, arguments: Arguments) -> Iterator[Place]:
    # As ls does: a link is shown, unless a slash behind it says that what it leads to is meant.
    place = view.find(path, follow=path.endswith("/"))
    if not place.entry.is_dir or arguments.flag("dironly"):
        yield place
        return
    stack = [view.entries(place)]
    while stack:
        one = next(stack[-1], None)
        if one is None:
            stack.pop()
            continue
        yield one
        if arguments.flag("recursive") and one.entry.is_dir:
            stack.append(view.entries(one))


def _line(place: Place) -> str:
    one = place.entry
    mode = stat.filemode(_TYPES[one.kind] | one.mode)
    moment = datetime.fromtimestamp(one.mtime, UTC)
    target = f" -> {place.files.target(one)}" if one.kind is FileKind.LINK else ""
    return (
        f"{mode} {one.uid:5} {one.gid:5} {one.size_bytes:10} {moment:%Y-%m-%d %H:%M} "
        f"{place.path}{target}"
    )


def _describe(place: Place) -> dict[str, object]:
    one = place.entry
    is_link = one.kind is FileKind.LINK
    return {
        "path": place.path,
        "kind": one.kind.value,
        "mode": one.mode,
        "uid": one.uid,
        "gid": one.gid,
        "size": one.size_bytes,
        "mtime": one.mtime,
        "target": place.files.target(one) if is_link else None,
        "xattrs": {
            name.decode("utf-8", "surrogateescape"): value.hex()
            for name, value in place.files.xattrs(one)
        },
    }
