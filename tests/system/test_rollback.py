# SPDX-License-Identifier: Apache-2.0
"""The boot matrix: what can happen to a device, on every loader.

``make test`` runs a few of them; ``make boot-test-full`` all, and writes ``docs/boot-tests.md``.
"""

from __future__ import annotations

import pytest

from support import device_world
from system import scenarios
from system.scenarios import (
    BAD_POINTS,
    DEPLOY_POINTS,
    GOOD_POINTS,
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


@pytest.mark.vm_full
@pytest.mark.parametrize("point", [*DEPLOY_POINTS, *STAGE_POINTS])
@pytest.mark.parametrize("loader", LOADERS, ids=lambda one: one.name)
def test_power_fails_in_a_deployment(loader, point, disks, tmp_path, record_property):
    record_property("told", f"{loader.name}|power cut at {point}")
    with device_world.start_device(loader.name, disks(loader.name), tmp_path) as device:
        cut_in_deploy(device, loader, point)


@pytest.mark.vm_full
@pytest.mark.parametrize(
    ("release", "point"),
    [
        *(("2", point) for point in GOOD_POINTS),
        *(("panic", point) for point in SETTLE_POINTS),
        *(("unhealthy", point) for point in BAD_POINTS),
    ],
)
@pytest.mark.parametrize("loader", LOADERS, ids=lambda one: one.name)
def test_power_fails_in_a_start(loader, release, point, disks, tmp_path, record_property):
    if loader.kind == "systemd-boot" and point.startswith("record."):
        pytest.skip("a case that does not exist: the name of an entry is the record")
    record_property("told", f"{loader.name}|power cut at {point}, release {release}")
    with device_world.start_device(loader.name, disks(loader.name), tmp_path) as device:
        cut_in_start(device, loader, point, release)


@pytest.mark.vm_full
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("loader", LOADERS, ids=lambda one: one.name)
def test_power_fails_whenever(loader, seed, disks, tmp_path, record_property):
    record_property("told", f"{loader.name}|power cuts of seed {seed}")
    with device_world.start_device(loader.name, disks(loader.name), tmp_path) as device:
        cut_at_random(device, loader, seed)
