# SPDX-License-Identifier: Apache-2.0
"""Addresses of files in images, as people write them.

::

    disk.img:/etc/hostname        as the default deployment sees it; /var, /boot and /sysroot too
    disk.img:2:/EFI/BOOT          the root of a partition, by number
    disk.img:boot:/EFI/BOOT       by its name in the table, or by its label
    disk.img:@1:/etc              as another deployment sees it, counted from the default one, @0
    disk.img                      the same as disk.img:/

The image is the longest beginning that is there, so its own name may have colons in it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya.image.errors import DiskError
from ostrya.image.reading.files import View
from ostrya.image.reading.system import find_system, usual_view
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.image.reading.disk import DiskImage

_SEPARATOR, _DEPLOYMENT = ":", "@"


class Address(NamedTuple):
    """Where something is.

    Attributes:
        image: The file of the image.
        partition: Number, name or label; ``@1`` for a deployment; empty for the default one.
        path: In there; begins with a slash.
    """

    image: str
    partition: str
    path: str

    def __str__(self) -> str:
        words = (self.image, self.partition, self.path)
        return _SEPARATOR.join(word for word in words if word)


def is_address(text: str) -> bool:
    """Say whether something looks like an address with a path, and not like a file here."""
    return f"{_SEPARATOR}/" in text and not os.path.lexists(text)


def parse_address(text: str) -> Address:
    """Read an address.

    Raises:
        DiskError: There is no such image.
    """
    if os.path.exists(text):
        return Address(text, "", "/")
    at = len(text)
    while (at := text.rfind(_SEPARATOR, 0, at)) > 0:
        image, rest = text[:at], text[at + 1 :]
        if not os.path.exists(image):
            continue
        if rest.startswith("/"):
            return Address(image, "", rest)
        partition, colon, path = rest.partition(_SEPARATOR)
        if partition and (path.startswith("/") or not path):
            return Address(image, partition, path or "/")
        hint = "" if colon else f"a path in it begins with a slash: {image}:/{rest}"
        raise DiskError(f"{text} says no place in {image}", hint=hint)
    image = text.partition(f"{_SEPARATOR}/")[0]
    raise DiskError(f"there is no image {image}")


def view_at(disk: DiskImage, address: Address) -> View:
    """Return the files that an address is about.

    Raises:
        DiskError: There is no such partition, or its files cannot be read here.
    """
    if not address.partition:
        return usual_view(disk)
    if address.partition.startswith(_DEPLOYMENT):
        return _deployment_view(disk, address.partition)
    volume = disk.volume(address.partition)
    if volume.files is None:
        kind = f"is {volume.kind}, which" if volume.kind else "has no file system that"
        raise DiskError(
            f"partition {volume.partition.number} of {disk.path} {kind} cannot be read here",
            hint=volume.fault,
        )
    return View(volume.files)


def _deployment_view(disk: DiskImage, name: str) -> View:
    system = find_system(disk)
    deployments = system.deployments if system is not None else ()
    numbers = [f"{_DEPLOYMENT}{number}" for number in range(len(deployments))]
    if system is None or name not in numbers:
        hint = f"it has {', '.join(numbers)}" if numbers else "nothing is deployed in it"
        raise DiskError(f"{disk.path} has no deployment {name}", hint=hint)
    return system.view(deployments[numbers.index(name)])
