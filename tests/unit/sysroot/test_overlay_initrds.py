# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from ostrya.sysroot.overlay_initrds import (
    forget_overlay_initrds,
    keep_overlay_initrd,
    overlay_initrd_path,
)


def test_kept_and_forgotten(machine, tmp_path):
    machine.deploy(machine.commit("1"))
    machine.run()
    sysroot = machine.sysroot
    forget_overlay_initrds(sysroot)
    image = tmp_path / "image"
    image.write_bytes(b"ramdisk" * 100_000)
    checksum = keep_overlay_initrd(sysroot, str(image))
    assert checksum == sha256(image.read_bytes()).hexdigest()
    assert keep_overlay_initrd(sysroot, str(image)) == checksum
    kept = Path(overlay_initrd_path(sysroot, checksum))
    assert kept.read_bytes() == image.read_bytes()
    forget_overlay_initrds(sysroot)
    assert not kept.exists()


def test_what_is_not_there(machine, tmp_path):
    machine.deploy(machine.commit("1"))
    machine.run()
    with pytest.raises(FileNotFoundError):
        keep_overlay_initrd(machine.sysroot, str(tmp_path / "nothing"))
