# SPDX-License-Identifier: Apache-2.0
"""``image cp``: copy files out of an image, or into one.

One of the two is in an image: IMAGE:/PATH as the default deployment will see it, with its /etc, its
/var, its /boot and its /sysroot, or IMAGE:PARTITION:/PATH. Out, ``-`` stands for the standard
output. Only raw images can be copied into: a FAT by ourselves, an ext4 by debugfs. A file that
replaces another one gets its owner, mode and attributes; others are root's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import flag
from ostrya.cli.output import write_bytes, write_message
from ostrya.image.changing.copy_in import copy_in
from ostrya.image.changing.copy_out import copy_out
from ostrya.image.errors import DiskError
from ostrya.image.reading.addresses import is_address, parse_address, view_at
from ostrya.image.reading.disk import DiskImage
from ostrya.image.reading.files import FileKind

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "SOURCE... TARGET"
OPTIONS = (flag("recursive", "Copy directories, and all that is in them", short="r"),)


def run(arguments: Arguments, context: Context) -> int:
    """Copy them."""
    *sources, target = arguments.positionals or [""]
    if not sources:
        raise context.usage_error("A SOURCE and a TARGET must be specified")
    recursive = arguments.flag("recursive")
    if is_address(target):
        for source in sources:
            if is_address(source):
                raise context.usage_error("Only one of SOURCE and TARGET can be in an image")
            address = parse_address(target)
            with DiskImage(address.image) as disk:
                copy_in(disk, address, source, recursive=recursive)
        return 0
    for source in sources:
        if not is_address(source):
            raise context.usage_error(
                "One of SOURCE and TARGET must be in an image, as IMAGE:/PATH"
            )
        _copy_out(source, target, recursive=recursive)
    return 0


def _copy_out(source: str, target: str, *, recursive: bool) -> None:
    address = parse_address(source)
    with DiskImage(address.image) as disk:
        view = view_at(disk, address)
        if target != "-":
            for path in copy_out(view, address.path, target, recursive=recursive):
                write_message(f"left out {path}: it is no file, directory or link")
            return
        place = view.find(address.path)
        if place.entry.kind is not FileKind.FILE:
            raise DiskError(f"{address.path} is no file")
        for chunk in place.files.chunks(place.entry):
            write_bytes(chunk)
