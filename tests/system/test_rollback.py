# SPDX-License-Identifier: Apache-2.0
"""The boot matrix: what can happen to a device, on every loader.

``make test`` runs a few of them; ``make boot-test-full`` all, and writes ``docs/boot-tests.md``.
"""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from support import device_world
from system import scenarios
from system.scenarios import (
    BAD_POINTS,
    DEPLOY_POINTS,
    GOOD_POINTS,
    NOT_OF,
    RECORDS,
    SETTLE_POINTS,
    STAGE_POINTS,
    Loader,
    cut_at_random,
    cut_in_deploy,
    cut_in_start,
)

pytestmark = [pytest.mark.vm, pytest.mark.timeout(3600)]

LOADERS = (
    Loader("qemu-x86_64-uboot", "uboot"),
    Loader("qemu-x86_64", "grub"),
    Loader("qemu-x86_64-bios", "grub"),
    Loader("qemu-x86_64-systemd-boot", "systemd-boot", tells=False),
)
NOT_OF_NAMES = {"a_torn_record", "a_zeroed_record"}
SHORT = {
    ("qemu-x86_64-uboot", "good_update"),
    ("qemu-x86_64-uboot", "health_is_red"),
    ("qemu-x86_64-uboot", "kernel_is_missing"),
    ("qemu-x86_64", "kernel_panics"),
}
CASES = [
    pytest.param(
        loader,
        name,
        id=f"{loader.name}-{name}",
        marks=[] if (loader.name, name) in SHORT else [pytest.mark.vm_full],
    )
    for loader in LOADERS
    for name in scenarios.ALL
    # Where names of entries are the record, there is nothing to tear.
    if RECORDS[loader.kind] or name not in NOT_OF_NAMES
]
SEEDS = range(20)


@pytest.fixture(scope="session")
def disks(pytestconfig):
    """Disks by the loader's name, built when they are asked for."""
    if reason := device_world.missing():
        pytest.skip(reason)
    kargs = ("ostrya.pivot",) if pytestconfig.getoption("--pivot-root") else ()
    return lambda name: device_world.build_disk_of(name, kargs)


@pytest.mark.parametrize(("loader", "name"), CASES)
def test_it_ends_in_a_healthy_release(loader, name, disks, tmp_path, record_property):
    record_property("told", f"{loader.name}|{name.replace('_', ' ')}")
    with device_world.start_device(loader.name, disks(loader.name), tmp_path) as device:
        scenarios.ALL[name](device, loader)


class Machine:
    """A device that has been started, and that tests hand on while all goes well."""

    def __init__(self, disks, top):
        self._disks = disks
        self._top = top
        self._count = 0
        self._name = ""
        self._device = None
        self._release = ""

    def close(self):
        if self._device is not None:
            self._device.cut()
        self._device = None

    @contextmanager
    def lent(self, loader):
        """Lend the device to one test; it is not used again where that fails."""
        if self._device is None or self._name != loader.name:
            self.close()
            self._count += 1
            top = self._top / str(self._count)
            top.mkdir()
            self._device = device_world.start_device(loader.name, self._disks(loader.name), top)
            self._name, self._release = loader.name, self._device.start().release
        lent, self._device = self._device, None
        try:
            yield lent
        except BaseException:
            lent.cut()
            raise
        self._device = lent

    def run(self, loader, story, *facts):
        """Let something happen to it; see `scenarios`."""
        with self.lent(loader) as device:
            self._release = story(device, loader, *facts, self._release)


@pytest.fixture(scope="session")
def machine(disks, tmp_path_factory):
    found = Machine(disks, tmp_path_factory.mktemp("machine"))
    yield found
    found.close()


GRUBS = [loader for loader in LOADERS if loader.kind == "grub"]


def _per_loader(cases):
    """Give each case to each loader; GRUB's in turn to UEFI and to BIOS: it reads the same files."""
    return [
        pytest.param(loader, *case, id="-".join((loader.name, *map(str, case))))
        for loader in LOADERS
        for at, case in enumerate(cases)
        if loader.kind != "grub" or loader is GRUBS[at % 2]
        if case[0] not in NOT_OF.get(loader.kind, ())
    ]


@pytest.mark.vm_full
@pytest.mark.parametrize(
    ("loader", "point"), _per_loader([(point,) for point in (*DEPLOY_POINTS, *STAGE_POINTS)])
)
def test_power_fails_in_a_deployment(loader, point, machine, record_property):
    record_property("told", f"{loader.name}|power cut at {point}")
    machine.run(loader, cut_in_deploy, point)


@pytest.mark.vm_full
@pytest.mark.parametrize(
    ("loader", "point", "what"),
    _per_loader(
        [
            *((point, "good") for point in GOOD_POINTS),
            *((point, "panic") for point in SETTLE_POINTS),
            *((point, "unhealthy") for point in BAD_POINTS),
        ]
    ),
)
def test_power_fails_in_a_start(loader, point, what, machine, record_property):
    record_property("told", f"{loader.name}|power cut at {point}, release {what}")
    machine.run(loader, cut_in_start, point, what)


@pytest.mark.vm_full
@pytest.mark.parametrize(("loader", "seed"), _per_loader([(seed,) for seed in SEEDS]))
def test_power_fails_whenever(loader, seed, machine, record_property):
    record_property("told", f"{loader.name}|power cuts of seed {seed}")
    machine.run(loader, cut_at_random, seed)
