# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ostrya.sysroot.units_install import install_units, unit_files

SYSTEMD = "usr/lib/systemd"
GENERATOR = f"{SYSTEMD}/system-generators/ostree-system-generator"
REMOUNT = "usr/lib/ostree/ostree-remount"


@pytest.fixture
def root(tmp_path):
    """A root with the units, as it runs: what the ramdisk leaves is there."""
    root = tmp_path / "root"
    tree = "sysroot/ostree/deploy/os/deploy/5c.0"
    for name in (
        "etc",
        "run",
        "proc",
        "sysroot/ostree/boot.1/os/b0",
        tree,
        "sysroot/boot/loader.1",
    ):
        (root / name).mkdir(parents=True)
    (root / "sysroot/ostree/boot.1/os/b0/0").symlink_to("../../../deploy/os/deploy/5c.0")
    (root / "sysroot/boot/loader").symlink_to("loader.1")
    (root / "run/ostree-booted").touch()
    (root / "proc/cmdline").write_text("quiet ostree=/ostree/boot.1/os/b0/0 ro\n")
    install_units(str(root))
    return root


def generate(root: Path) -> Path:
    target = root.parent / "generated"
    target.mkdir()
    environment = {"OSTRYA_ROOT": str(root), "PATH": os.environ["PATH"]}
    subprocess.run([root / GENERATOR, target, target, target], check=True, env=environment)
    return target


def test_they_are_there_and_enabled(root):
    folder = root / SYSTEMD / "system"
    for target, name in (
        ("local-fs.target", "ostree-remount.service"),
        ("multi-user.target", "ostree-boot-complete.service"),
    ):
        assert (folder / f"{target}.wants" / name).resolve() == folder / name
    assert (root / GENERATOR).stat().st_mode & 0o777 == 0o755
    assert (root / REMOUNT).stat().st_mode & 0o777 == 0o755


def test_every_unit_is_put_in_place():
    folder = Path(__file__).resolve().parents[3] / "src/ostrya/sysroot/units"
    names = {path.name for path in folder.iterdir()}
    assert names == {os.path.basename(one.path) for one in unit_files()}


def test_those_of_libostree_stay(tmp_path):
    theirs = tmp_path / SYSTEMD / "system/ostree-remount.service"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("theirs")
    assert f"{SYSTEMD}/system/ostree-remount.service" not in install_units(str(tmp_path))
    assert theirs.read_text() == "theirs"


@pytest.mark.parametrize(
    "unit",
    [one for one in unit_files() if one.path.endswith(".service")],
    ids=lambda u: u.path.rpartition("/")[2],
)
def test_systemd_understands_them(unit, root):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", root / unit.path],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [
        line
        for line in done.stderr.splitlines()
        if "not executable" not in line and "not found" not in line
    ]
    assert not [line for line in said if unit.path.rpartition("/")[2] in line], done.stderr


def test_var_and_boot_are_mounted_by_units(root):
    made = generate(root)
    assert "What=/sysroot/ostree/deploy/os/var\n" in (made / "var.mount").read_text()
    assert "Where=/boot\nWhat=/sysroot/boot\n" in (made / "boot.mount").read_text()
    for name in ("var.mount", "boot.mount"):
        assert (made / "local-fs.target.requires" / name).resolve() == made / name


def test_what_fstab_mounts_is_left_to_it(root):
    (root / "etc/fstab").write_text(
        "#x /var\nLABEL=d /var ext4 defaults 0 0\nLABEL=b /boot/ vfat ro 0 0\n"
    )
    assert list(generate(root).iterdir()) == []


def test_a_boot_of_its_own_is_not_covered(root):
    (root / "sysroot/boot/loader").unlink()
    assert not (generate(root) / "boot.mount").exists()


@pytest.mark.parametrize("what", ["not booted", "no ostree=", "elsewhere"])
def test_other_systems_are_left_alone(root, what):
    if what == "not booted":
        (root / "run/ostree-booted").unlink()
    elif what == "no ostree=":
        (root / "proc/cmdline").write_text("quiet root=x\n")
    else:
        (root / "proc/cmdline").write_text("ostree=/boot\n")
    assert list(generate(root).iterdir()) == []


def remount(root: Path, mounted: str, *, note: bytes = b"", cmdline: str = "ro") -> str:
    """Run ostree-remount with another /proc, in a namespace of its own; return what it mounts."""
    (root / "usr/bin").mkdir(parents=True, exist_ok=True)
    (root / "usr/bin/mount").write_text('#!/bin/sh\necho "$*"\n')
    (root / "usr/bin/mount").chmod(0o755)
    program = (root / REMOUNT).read_text()
    for path, text in (("/proc/self/mounts", mounted), ("/proc/cmdline", f"quiet {cmdline} x\n")):
        replacement = root / f"run/{path.rpartition('/')[2]}"
        replacement.write_text(text)
        program = program.replace(path, str(replacement))
    (root / "run/ostree-booted").write_bytes(note)
    program = program.replace("/run/ostree-", f"{root}/run/ostree-")
    done = subprocess.run(
        ["/bin/sh", "-c", program], capture_output=True, text=True, check=True,
        env={"PATH": f"{root}/usr/bin"},
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout


READ_ONLY = """\
/dev/vda / ext4 ro,relatime 0 0
/dev/vda /etc ext4 ro,relatime 0 0
/dev/vda /usr ext4 ro,relatime 0 0
/dev/vda /var ext4 ro,relatime 0 0
/dev/vda /sysroot ext4 ro,relatime 0 0
"""


def test_all_that_was_mounted_read_only_becomes_writable_but_usr(root):
    said = remount(root, READ_ONLY).splitlines()
    assert "-o remount,rw /sysroot" in said
    assert said[-3:] == [
        "-o remount,bind,rw /",
        "-o remount,bind,rw /etc",
        "-o remount,bind,rw /var",
    ]
    assert not any(line.endswith("/usr") for line in said)


@pytest.mark.parametrize("note", [b"x\0\0sysroot-ro\0\1\n\0b", None], ids=["note", "stamp"])
def test_a_sysroot_that_is_to_be_read_only(root, note):
    if note is None:
        (root / "run/ostree-sysroot-ro.stamp").touch()
    said = remount(root, READ_ONLY, note=note or b"").splitlines()
    # Its file system must be writable for the others to be.
    assert said[:2] == ["-o remount,rw /sysroot", "-o remount,bind,ro /sysroot"]


def test_the_disks_own_boot_and_no_other(root):
    assert "-o remount,bind,rw /boot" in remount(root, READ_ONLY + "/dev/vda /boot ext4 ro 0 0\n")
    assert "/boot" not in remount(root, READ_ONLY + "/dev/vdb1 /boot vfat ro 0 0\n")


def test_what_is_writable_already_is_let_be(root):
    assert remount(root, READ_ONLY.replace("ro,", "rw,"), cmdline="rw") == ""


def test_an_image_stays_read_only(root):
    mounted = READ_ONLY.replace("/dev/vda / ext4 ro", "overlay / overlay ro").replace(
        "/dev/vda /etc ext4 ro", "/dev/vda /etc ext4 rw"
    )
    said = remount(root, mounted).splitlines()
    assert not any(line.endswith((" /", " /etc")) for line in said)
