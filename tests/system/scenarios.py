# SPDX-License-Identifier: Apache-2.0
"""What can happen to a device, and where it has to end: in a complete, healthy release.

Each scenario gets a device that is off and has release 1 deployed; releases 2, 3 with another kernel,
``panic``, ``hang`` and ``unhealthy`` are in its repository.
"""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable
from typing import NamedTuple

from support.device import READY, Device, Up, partitions

# Settled: nothing of the trial is left but what the ledger remembers.
USUAL = ""


class Loader(NamedTuple):
    """What a loader can do.

    Attributes:
        name: The board's.
        kind: ``uboot``, ``grub`` or ``systemd-boot``.
        tells: Whether it says why it starts something.
    """

    name: str
    kind: str
    tells: bool = True


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
    device.sh("ostree admin deploy os/3")
    device.sh(f"rm {_new_boot_file(device, 'linux')}; sync")
    expect(device.restart(timeout=300), "1", "fallback-load", loader)
    is_back(device, loader, "load")


def ramdisk_is_corrupt(device: Device, loader: Loader) -> None:
    begin(device, loader)
    device.sh("ostree admin deploy os/3")
    path = _new_boot_file(device, "initrd")
    device.sh(f"dd if=/dev/urandom of={path} bs=64k count=8 conv=notrunc && sync")
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
    device.sh("dd if=/dev/zero of=/var/fill bs=1M 2>/dev/null; sync", ok=False)
    said = device.sh("ostree admin deploy os/2", ok=False)
    assert "No space left" in said or "no room" in said, said
    expect(device.restart(), "1", USUAL, loader)
    device.sh("rm /var/fill; ostree admin deploy os/2")
    expect(device.restart(), "2", "trial", loader)


def the_boot_is_full(device: Device, loader: Loader) -> None:
    """No kernel fits beside the others, be ``/boot`` a file system of its own or not."""
    begin(device, loader)
    before = device.sh("ls /boot/loader/entries; cat /boot/loader/uEnv.txt 2>/dev/null; :")
    device.sh("dd if=/dev/zero of=/boot/fill bs=1M 2>/dev/null; sync", ok=False)
    said = device.sh("ostree admin deploy os/3", ok=False)
    assert "No space left" in said or "no room" in said or "/boot" in said, said
    assert device.sh("ls /boot/loader/entries; cat /boot/loader/uEnv.txt 2>/dev/null; :") == before
    expect(device.restart(), "1", USUAL, loader)
    device.sh("rm /boot/fill; ostree admin deploy os/3")
    expect(device.restart(), "3", "trial", loader)


def the_fallback_is_damaged(device: Device, loader: Loader) -> None:
    begin(device, loader)
    kernel = _new_boot_file(device, "linux")
    device.sh("ostree admin deploy os/3")
    expect(device.restart(), "3", "trial", loader)
    device.sh(f"rm {kernel}")
    assert any("not there" in line for line in status(device)["damage"])
    assert "Damage: fallback" in device.sh("ostree admin status")


def a_torn_record(device: Device, loader: Loader) -> None:
    """The first copy is torn in the middle of a trial: the second one counts."""
    _damage_record_in_trial(device, loader, tear=True)


def a_zeroed_record(device: Device, loader: Loader) -> None:
    """Nothing is left of it: the trial begins again, or the fallback is taken at once."""
    _damage_record_in_trial(device, loader, tear=False)


def _damage_record_in_trial(device: Device, loader: Loader, *, tear: bool) -> None:
    begin(device, loader)
    device.sh("ostree admin deploy os/panic")
    device.running.send("sync; reboot -f")
    expect(device.wait_up(), "panic", "trial", loader)
    device.cut()
    for name in RECORDS[loader.kind][: 1 if tear else None]:
        data = read_record(device, name)
        write_record(device, name, data[:40] + bytes(len(data) - 40) if tear else bytes(len(data)))
    device.power_on()
    for _ in range(4):
        up = device.wait_up()
        if up.release == "1":
            break
        expect(up, "panic", "trial", loader)
    assert up.release == "1", up
    device.running.expect(READY)
    assert status(device)["last-rollback"]["why"] in ("tries", "unwritable")
    expect(device.restart(), "1", USUAL, loader)
    assert status(device)["damage"] == []
    assert not any(data.count(0) == len(data) for data in records(device, loader))


RECORDS = {"uboot": ("ostrya0.env", "ostrya1.env"), "grub": ("ostrya/grubenv",), "systemd-boot": ()}


def _boot_partition(device: Device) -> str:
    # GRUB's disk has one for the BIOS before it.
    found = partitions(device.disk)
    number = min(number for number, one in found.items() if one.size > 4 << 20)
    return f"{device.disk}@@{found[number].start}"


def read_record(device: Device, name: str) -> bytes:
    """Read a copy of the record from the disk of a device that is off."""
    argv = ["mcopy", "-i", _boot_partition(device), f"::{name}", "-"]
    return subprocess.run(argv, check=True, capture_output=True).stdout


def write_record(device: Device, name: str, data: bytes) -> None:
    """Put a copy of the record on the disk of a device that is off."""
    source = device.log.with_name("record")
    source.write_bytes(data)
    argv = ["mcopy", "-o", "-i", _boot_partition(device), source, f"::{name}"]
    subprocess.run(argv, check=True, capture_output=True)


def records(device: Device, loader: Loader) -> list[bytes]:
    """All copies, as they are on the disk now."""
    return [read_record(device, name) for name in RECORDS[loader.kind]]


def a_usual_start_writes_nothing(device: Device, loader: Loader) -> None:
    begin(device, loader)
    device.sh("ostree admin deploy os/2")
    expect(device.restart(), "2", "trial", loader)
    expect(device.restart(), "2", USUAL, loader)
    device.sh("sync")
    before = records(device, loader)
    expect(device.restart(), "2", USUAL, loader)
    device.sh("sync")
    assert records(device, loader) == before


def the_clock_says_1970(device: Device, loader: Loader) -> None:
    device.argv += ["-rtc", "base=1970-01-02T00:00:00"]
    good_update(device, loader)
    device.sh("ostree admin deploy os/panic")
    device.running.send("sync; reboot -f")
    for _ in range(3):
        expect(device.wait_up(), "panic", "trial", loader)
    expect(device.wait_ready(), "2", "fallback-tries", loader)


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
        a_torn_record,
        a_zeroed_record,
        a_usual_start_writes_nothing,
        rolled_back_by_hand,
        a_second_bad_release,
        the_disk_is_full,
        the_boot_is_full,
        the_fallback_is_damaged,
        the_clock_says_1970,
    )
}

# Of one seed, update by update: ten instants, two hundred in twenty seeds.
CUTS_OF_A_SEED = (4, 3, 3)
# What the emulator has to work for a deployment and the start behind it, and for a start.
DEPLOY_S, START_S = 24, 14
# Where the power is cut: in a command, or in a start.
DEPLOY_POINTS = (
    "deploy.begun", "deploy.checked-out", "deploy.laid-out", "deploy.merged", "deploy.finished",
    "write.begun", "write.trial-begun", "write.entries-written", "write.links-made",
    "write.links-swapped", "write.loader-file-written", "write.synced", "write.swapped",
    "write.flushed", "write.after-swap", "write.done", "write.cleaned-up",
)  # fmt: skip
# The others, of a deployment that is staged, and finalized at shutdown.
STAGE_POINTS = (
    "stage.rehearsed", "stage.noted", "stage.done", "finalize.begun", "finalize.forgotten",
    "finalize.merged", "finalize.written", "finalize.done",
)  # fmt: skip
BAD_POINTS = ("mark-bad.begun", "mark-bad.remembered", "mark-bad.done")
GOOD_POINTS = (
    "mark-good.begun", "mark-good.remembered", "record.begun", "record.copy-written",
    "record.written", "mark-good.done",
)  # fmt: skip
# Only U-Boot's record is kept twice; systemd-boot's is the name of an entry.
NOT_OF = {
    "grub": ("record.copy-written",),
    "systemd-boot": ("record.begun", "record.copy-written", "record.written"),
}
SETTLE_POINTS = (
    "settle.begun",
    "settle.remembered",
    "write.synced",
    "write.swapped",
    "settle.done",
)


def cut_in_deploy(device: Device, loader: Loader, point: str, running: str) -> str:
    """The power fails within a deployment; the device starts, and the same again succeeds.

    Args:
        device: One that runs.
        loader: Its loader.
        point: Where the power fails.
        running: The release that it runs.

    Returns:
        The release that it runs in the end.
    """
    release = _another(running)
    how = "--stage " if point in STAGE_POINTS else ""
    then = " && ostree admin finalize-staged >> /tmp/said 2>&1" if how else ""
    device.running.send(
        f"export OSTRYA_TRACE=/dev/console; ostree admin deploy {how}os/{release} > /tmp/said 2>&1"
        f"{then}; unset OSTRYA_TRACE; echo over"
    )
    points = device.follow(r"^over\n", point)
    assert points[-1:] == [point], points
    up = device.start()
    assert up.release in (running, release), up
    if up.release == running:
        device.sh(f"ostree admin deploy os/{release}")
        up = device.restart()
    expect(up, release, "trial", loader)
    _has_settled(device)
    return release


def cut_in_start(device: Device, loader: Loader, point: str, what: str, running: str) -> str:
    """The power fails while a start is judged, or a fallback settled; the next one ends it.

    Args:
        device: One that runs.
        loader: Its loader.
        point: Where the power fails.
        what: ``good`` for a start of a good release, else the bad one.
        running: The release that it runs.

    Returns:
        The release that it runs in the end.
    """
    release = _another(running) if what == "good" else what
    wanted = release if what == "good" else running
    # The start that the power ends is one of those that count.
    tries = 3 if what == "good" else 1
    settings = {"rollback-tries": tries, "rollback-fail-fast": str(point in BAD_POINTS).lower()}
    for key, value in settings.items():
        device.sh(f"ostree config --repo=/sysroot/ostree/repo set ostrya.{key} {value}")
    device.sh(f"touch /var/trace; ostree admin deploy --retry-failed os/{release}")
    device.running.send("sync; reboot -f")
    points = device.follow(READY, point, timeout=300)
    assert points[-1:] == [point], points
    device.power_on()
    device.follow(rf"device: ready release={wanted}\n", timeout=300)
    device.sh("rm /var/trace")
    _has_settled(device)
    if what != "good":
        # Before it was remembered that its health is red, there is only the start that failed.
        why = "health" if point in BAD_POINTS[1:] else "tries"
        assert status(device)["last-rollback"]["why"] == why
    return wanted


def _another(running: str) -> str:
    """A good release beside the one that runs: with the same kernel, or with another."""
    return "3" if running == "2" else "2"


def _has_settled(device: Device) -> None:
    """See that nothing is on trial, that all is there, and that what runs starts the next time."""
    found = status(device)
    assert (found["damage"], found["on-trial"]) == ([], False), found
    first = deployments(device)[0]
    assert first["booted"], first


def cut_at_random(device: Device, loader: Loader, seed: int, running: str) -> str:
    """The power fails whenever, in updates to good and to bad releases.

    Each of them has to end in a complete release, the new one if it is good, or the one before.

    Returns:
        The release that it runs in the end.
    """
    chance = random.Random(seed)
    device.sh("ostree config --repo=/sysroot/ostree/repo unset ostrya.rollback-tries; :")
    for cuts in CUTS_OF_A_SEED:
        release = chance.choice([_another(running), "panic", "unhealthy"])
        print(f"seed {seed}: release {release}, {cuts} power cuts")
        device.running.send(
            f"ostree admin deploy --retry-failed os/{release} > /dev/null 2>&1; sync; reboot -f"
        )
        for longest_s in (DEPLOY_S, *[START_S] * (cuts - 1)):
            device.running.work(chance.uniform(0.5, longest_s))
            device.cut()
            device.power_on()
        for _ in range(8):
            up = device.wait_up()
            if up.release in {running, release} - {"panic", "unhealthy"}:
                break
        else:
            raise AssertionError(up)
        device.running.expect(READY, 120)
        _has_settled(device)
        running = up.release
    expect(device.restart(), running, USUAL, loader)
    return running
