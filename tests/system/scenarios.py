# SPDX-License-Identifier: Apache-2.0
"""What can happen to a device, and where it has to end: in a complete, healthy release.

Each scenario gets a device that is off and has release 1 deployed; releases 2, ``panic``, ``hang``
and ``unhealthy`` are in its repository.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

from support.device import Device, Up

# Settled: nothing of the trial is left but what the ledger remembers.
USUAL = ""


class Loader(NamedTuple):
    """What a loader can do.

    Attributes:
        name: The board's.
        tells: Whether it says why it starts something.
        sees_loads: Whether it falls back at once if something cannot be loaded.
        keeps_record: Whether there is a record that can be torn.
    """

    name: str
    tells: bool = True
    sees_loads: bool = True
    keeps_record: bool = True


def status(device: Device) -> dict[str, object]:
    """What ``boot status`` says."""
    found: dict[str, object] = json.loads(device.sh("ostrya boot status --json"))["rollback"]
    return found


def deployments(device: Device) -> list[dict[str, object]]:
    """What ``admin status`` says."""
    found: list[dict[str, object]] = json.loads(device.sh("ostree admin status --json"))[
        "deployments"
    ]
    return found


def expect(up: Up, release: str, pick: str, loader: Loader) -> None:
    """See that it is what it has to be."""
    assert up.release == release, up
    if loader.tells:
        assert up.pick == pick, up


def begin(device: Device, loader: Loader) -> None:
    """Start release 1, as on any day."""
    expect(device.start(), "1", USUAL, loader)


def fails_until_fallback(device: Device, loader: Loader, release: str, tries: int = 3) -> None:
    """Restart into a bad release, and wait until release 1 is back."""
    device.running.send("sync; reboot -f")
    for _ in range(tries):
        expect(device.wait_up(), release, "trial", loader)
    expect(device.wait_ready(), "1", "fallback-tries", loader)


def is_back(device: Device, loader: Loader, why: str) -> None:
    """See that release 1 is what it was, that everybody says what happened, and that it is over."""
    found = status(device)
    assert found["last-rollback"]["why"] == why, found
    assert not found["on-trial"], found
    first = deployments(device)[0]
    assert first["booted"], first
    expect(device.restart(), "1", USUAL, loader)


def good_update(device: Device, loader: Loader) -> None:
    begin(device, loader)
    device.sh("ostree admin deploy os/2")
    assert "pending" in device.sh("ostree admin status | grep pending")
    expect(device.restart(), "2", "trial", loader)
    found = status(device)
    assert (found["on-trial"], found["last-rollback"]) == (False, None), found
    expect(device.restart(), "2", USUAL, loader)
    assert device.sh("ostrya boot check"), "the checks say what they looked at"


def kernel_panics(device: Device, loader: Loader) -> None:
    begin(device, loader)
    device.sh("ostree admin deploy os/panic")
    fails_until_fallback(device, loader, "panic")
    is_back(device, loader, "tries")
    said = device.sh("ostree admin deploy os/panic", ok=False)
    assert "was rolled back on this device" in said


def userspace_hangs(device: Device, loader: Loader) -> None:
    begin(device, loader)
    device.sh("ostree admin deploy os/hang")
    fails_until_fallback(device, loader, "hang")
    is_back(device, loader, "tries")


def health_is_red(device: Device, loader: Loader) -> None:
    begin(device, loader)
    device.sh("ostree admin deploy os/unhealthy")
    fails_until_fallback(device, loader, "unhealthy")
    is_back(device, loader, "tries")


def health_fails_fast(device: Device, loader: Loader) -> None:
    begin(device, loader)
    device.sh("ostree config --repo=/sysroot/ostree/repo set ostrya.rollback-fail-fast true")
    device.sh("ostree admin deploy os/unhealthy")
    device.running.send("sync; reboot -f")
    expect(device.wait_up(), "unhealthy", "trial", loader)
    expect(device.wait_ready(), "1", "fallback-bad", loader)
    assert "unwell" in status(device)["last-rollback"]["detail"]
    is_back(device, loader, "health")


def _new_boot_file(device: Device, key: str) -> str:
    """The path of the kernel or ramdisk that is started next."""
    entries = device.sh(
        "for f in $(ls -r /boot/loader/entries/*.conf); do "
        f"grep -q \"ostree=.*\" $f && sed -n 's/^{key} //p' $f && break; done"
    )
    return f"/boot{entries.split()[0]}"


def kernel_is_missing(device: Device, loader: Loader) -> None:
    begin(device, loader)
    device.sh("ostree admin deploy os/2")
    device.sh(f"rm {_new_boot_file(device, 'linux')}; sync")
    if loader.sees_loads:
        expect(device.restart(), "1", "fallback-load", loader)
        is_back(device, loader, "load")
    else:
        expect(device.restart(timeout=300), "1", "fallback-tries", loader)
        is_back(device, loader, "tries")


def ramdisk_is_corrupt(device: Device, loader: Loader) -> None:
    begin(device, loader)
    device.sh("ostree admin deploy os/2")
    path = _new_boot_file(device, "initrd")
    device.sh(f"busybox dd if=/dev/urandom of={path} bs=64k count=8 conv=notrunc && sync")
    expect(device.restart(timeout=300), "1", "fallback-tries", loader)
    is_back(device, loader, "tries")


def rolled_back_by_hand(device: Device, loader: Loader) -> None:
    begin(device, loader)
    device.sh("ostree admin deploy os/2")
    expect(device.restart(), "2", "trial", loader)
    device.sh("ostree admin rollback")
    expect(device.restart(), "1", USUAL, loader)
    assert status(device)["last-rollback"] is None


def a_second_bad_release(device: Device, loader: Loader) -> None:
    begin(device, loader)
    for release in ("panic", "unhealthy"):
        device.sh(f"ostree admin deploy os/{release}")
        fails_until_fallback(device, loader, release)
    is_back(device, loader, "tries")
    assert len(status(device)["failed"]) == 2
    device.sh("ostree admin deploy os/2")
    expect(device.restart(), "2", "trial", loader)


def the_disk_is_full(device: Device, loader: Loader) -> None:
    begin(device, loader)
    device.sh("busybox dd if=/dev/zero of=/var/fill bs=1M 2>/dev/null; sync", ok=False)
    said = device.sh("ostree admin deploy os/2", ok=False)
    assert "No space left" in said or "no room" in said, said
    expect(device.restart(), "1", USUAL, loader)
    device.sh("rm /var/fill; ostree admin deploy os/2")
    expect(device.restart(), "2", "trial", loader)


def the_fallback_is_damaged(device: Device, loader: Loader) -> None:
    begin(device, loader)
    kernel = _new_boot_file(device, "linux")
    device.sh("ostree admin deploy os/2")
    expect(device.restart(), "2", "trial", loader)
    device.sh(f"rm {kernel}")
    assert any("not there" in line for line in status(device)["damage"])
    assert "Damage: fallback" in device.sh("ostree admin status")


ALL: dict[str, Callable[[Device, Loader], None]] = {
    one.__name__: one
    for one in (
        good_update,
        kernel_panics,
        userspace_hangs,
        health_is_red,
        health_fails_fast,
        kernel_is_missing,
        ramdisk_is_corrupt,
        rolled_back_by_hand,
        a_second_bad_release,
        the_disk_is_full,
        the_fallback_is_damaged,
    )
}
