# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.boot.backends.systemd_boot_loader import SystemdBoot


def test_it_is_told_how_long_to_wait(disk):
    context = disk.context(is_flat=True)
    loader = SystemdBoot()
    assert not loader.is_active(context)
    loader.write_config(context, 0, ())
    assert (disk.top / "boot/loader/loader.conf").read_text() == "timeout 3\n"
    assert loader.is_active(context)


def test_what_somebody_wrote_stays(disk):
    config = disk.make("boot/loader/loader.conf", "timeout 0\n")
    loader = SystemdBoot()
    loader.write_config(disk.context(is_flat=True), 0, disk.write(0, is_flat=True))
    loader.after_swap(disk.context(is_flat=True), 0)
    assert config.read_text() == "timeout 0\n"
