# SPDX-License-Identifier: Apache-2.0
"""``image flash``: write an image to a device, a card or a stick, and read it back.

The image is raw, qcow2, or compressed by gzip, bzip2, xz or zstd. A map beside it, or that of
--bmap, says what of it matters: only that is written. Refused are devices that are in use, disks
that cannot be taken out, partitions, and what is too small.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from typing import TYPE_CHECKING

from ostrya.cli.options import flag, text
from ostrya.cli.output import write_line, write_message
from ostrya.image.errors import FlashError
from ostrya.image.flashing.choice import check_device
from ostrya.image.flashing.devices import look_at_device
from ostrya.image.flashing.sources import ImageStream, find_map, load_map
from ostrya.image.flashing.writing import write_image
from ostrya.repo.free_space import format_size

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.image.bmap import Bmap
    from ostrya.image.flashing.devices import Device

PARAMETERS = "IMAGE DEVICE"
OPTIONS = (
    text("bmap", "FILE", "The map of the image; default: the one beside it"),
    flag("no-bmap", "Write all of it, whatever a map says"),
    flag("force-fixed", "Write to a disk that cannot be taken out, too"),
    flag("to-file", "Write to a file, which is made if it is not there"),
    flag("no-verify", "Do not read it back"),
    flag("yes", "Do not ask", short="y"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Write it."""
    if len(arguments.positionals) != 2:
        raise context.usage_error("An IMAGE and a DEVICE must be specified")
    path, target = arguments.positionals
    with ImageStream(path) as image:
        bmap = _bmap(arguments, path)
        size = bmap.size_bytes if bmap is not None else image.size_bytes
        needed = size if size is not None else os.path.getsize(path)
        is_new = not os.path.lexists(target)
        fd, device = _open(arguments, target, needed)
        if device is not None and not arguments.flag("yes") and sys.stdin.isatty():
            _ask(device)
        try:
            written = write_image(
                image.chunks(),
                fd,
                device.size_bytes if device is not None else 0,
                bmap=bmap,
                image_bytes=image.size_bytes,
                verify=not arguments.flag("no-verify"),
                progress=context.progress(),
            )
            if device is None:
                os.ftruncate(fd, written.image_bytes)
        except BaseException:
            if is_new:
                os.unlink(target)
            else:
                write_message(f"{target} is not whole: nothing starts from it")
            raise
        finally:
            os.close(fd)
    word = "and verified " if written.verified else ""
    write_line(
        f"wrote {word}{format_size(written.written_bytes)} of {format_size(written.image_bytes)} "
        f"to {target}"
    )
    return 0


def _bmap(arguments: Arguments, image: str) -> Bmap | None:
    path = arguments.text("bmap")
    if path is None and not arguments.flag("no-bmap"):
        path = find_map(image)
    return None if path is None else load_map(path)


def _open(arguments: Arguments, target: str, needed: int) -> tuple[int, Device | None]:
    """Open what is written to; return what is known of it, None for a file."""
    is_file = arguments.flag("to-file")
    try:
        found = os.stat(target)
    except FileNotFoundError:
        if is_file:
            return os.open(target, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666), None
        raise FlashError(f"there is no device {target}") from None
    if stat.S_ISREG(found.st_mode) and is_file:
        return os.open(target, os.O_RDWR | os.O_CLOEXEC), None
    if not stat.S_ISBLK(found.st_mode):
        hint = "--to-file writes to it all the same" if stat.S_ISREG(found.st_mode) else ""
        raise FlashError(f"{target} is no block device", hint=hint)
    device = look_at_device(target, found.st_rdev)
    check_device(device, needed, allow_fixed=arguments.flag("force-fixed"))
    try:
        # Exclusively: the kernel refuses what anybody has mounted meanwhile.
        return os.open(target, os.O_RDWR | os.O_EXCL | os.O_CLOEXEC), device
    except OSError as exc:
        if exc.errno == errno.EBUSY:
            raise FlashError(f"{target} is in use") from exc
        if exc.errno == errno.EACCES:
            raise FlashError(
                f"{target} cannot be written to by this user", hint="sudo may help"
            ) from exc
        raise


def _ask(device: Device) -> None:
    model = f" ({device.model})" if device.model else ""
    sys.stderr.write(
        f"All that is on {device.path}{model}, {format_size(device.size_bytes)}, will be lost. "
        "Continue? [y/N] "
    )
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise FlashError("nothing was written")
