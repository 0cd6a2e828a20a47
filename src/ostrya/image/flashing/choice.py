# SPDX-License-Identifier: Apache-2.0
"""Whether a device is one to be written to. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.image.errors import FlashError

if TYPE_CHECKING:
    from ostrya.image.flashing.devices import Device


def check_device(device: Device, needed_bytes: int, *, allow_fixed: bool) -> None:
    """Look whether an image may be written to a device.

    Args:
        device: The device.
        needed_bytes: How large the image is, as far as that is known.
        allow_fixed: Whether it may be one that cannot be taken out.

    Raises:
        FlashError: It may not.
    """
    what = f"{device.path} ({device.model})" if device.model else device.path
    if device.is_system:
        raise FlashError(f"the running system is on {what}")
    if device.mounts:
        places = ", ".join(device.mounts)
        raise FlashError(f"{what} is mounted at {places}", hint="unmount it first")
    if device.uses:
        raise FlashError(f"{what} is in use: {', '.join(device.uses)}")
    if device.is_partition:
        raise FlashError(
            f"{what} is a partition", hint="an image is written to a whole disk, as /dev/sdb"
        )
    if device.is_read_only:
        raise FlashError(f"{what} is read-only", hint="a card may have a switch")
    if not device.size_bytes:
        raise FlashError(f"{what} has no medium in it")
    if not device.is_removable and not allow_fixed:
        raise FlashError(
            f"{what} is a disk that cannot be taken out",
            hint="--force-fixed writes to it all the same",
        )
    if needed_bytes > device.size_bytes:
        raise FlashError(
            f"the image has {needed_bytes} bytes, and {what} has room for {device.size_bytes}"
        )
