# SPDX-License-Identifier: Apache-2.0
"""The boot matrix: what can happen to a device, on every loader.

``make test`` runs a few of them; ``make boot-test-full`` all, and writes ``docs/boot-tests.md``.
"""

from __future__ import annotations

import pytest

from support import device_world
from system import scenarios
from system.scenarios import Loader

pytestmark = [pytest.mark.vm, pytest.mark.timeout(3600)]

LOADERS = (
    Loader("qemu-x86_64-uboot"),
    Loader("qemu-x86_64"),
    Loader("qemu-x86_64-bios"),
    Loader("qemu-x86_64-systemd-boot", tells=False, sees_loads=False, keeps_record=False),
)
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
]


@pytest.fixture(scope="session")
def disks():
    """Disks by the loader's name, built when they are asked for."""
    if reason := device_world.missing():
        pytest.skip(reason)
    return device_world.build_disk_of


@pytest.mark.parametrize(("loader", "name"), CASES)
def test_it_ends_in_a_healthy_release(loader, name, disks, tmp_path, record_property):
    record_property("told", f"{loader.name}|{name.replace('_', ' ')}")
    with device_world.start_device(loader.name, disks(loader.name), tmp_path) as device:
        scenarios.ALL[name](device, loader)
