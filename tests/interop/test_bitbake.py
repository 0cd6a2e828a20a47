# SPDX-License-Identifier: Apache-2.0
"""The layer for Yocto, parsed by BitBake; what it would run is run on a small root file system."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest

from ostrya.image.board import board_names
from ostrya.image.recipe_files import load_recipe
from support import bitbake_layer
from support.commands import OURS, OURS_PATH
from support.image_world import KVER, ROOTFS, Member, missing, write_tar

REASON = bitbake_layer.missing() or missing("mke2fs", "debugfs")
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON or "none")
LOCAL = """\
OSTRYA_REMOTES = "vendor=https://updates.example.com/repo"
OSTRYA_OUTPUTS = "raw manifest"
OSTRYA_KERNEL_ARGS = "quiet loglevel=3"
OSTREE_BRANCHNAME = "vendor/os"
"""


def test_what_the_class_says(tmp_path):
    image = bitbake_layer.make_build(tmp_path, LOCAL)
    found = bitbake_layer.parse(
        tmp_path,
        image,
        variables=("OSTRYA_BOARD", "OSTREE_OSNAME", "IMAGE_TYPES", "IMAGE_TYPEDEP:ostrya"),
        flags=(("do_image_ostrya", "depends"), ("do_image_ostrya", "prefuncs")),
    )
    assert found["OSTRYA_BOARD"] == "qemu-arm64"
    assert found["OSTREE_OSNAME"] == "os"
    assert found["IMAGE_TYPEDEP:ostrya"] == "tar"
    assert "ostrya" in found["IMAGE_TYPES"].split()
    assert "ostrya-native:do_populate_sysroot" in found["do_image_ostrya[depends]"]
    assert "ostrya_write_recipe" in found["do_image_ostrya[prefuncs]"]


@pytest.mark.parametrize(
    "machine", ["qemuarm", "qemux86-64", "raspberrypi4-64", "beaglebone-yocto", "genericarm64"]
)
def test_machines_have_boards(tmp_path, machine):
    image = bitbake_layer.make_build(tmp_path, f'MACHINE = "{machine}"\n')
    board = bitbake_layer.parse(tmp_path, image, variables=("OSTRYA_BOARD",))["OSTRYA_BOARD"]
    assert board in board_names()


def test_the_recipe_of_the_program(tmp_path):
    bitbake_layer.make_build(tmp_path, "")
    names = ("EXTERNALSRC", "RDEPENDS:ostrya", "BBCLASSEXTEND", "LIC_FILES_CHKSUM", "PV")
    found = bitbake_layer.parse(tmp_path, bitbake_layer.RECIPE, variables=names)
    top = Path(found["EXTERNALSRC"])
    assert top == bitbake_layer.LAYER.parent.parent
    assert {"python3-pycurl", "python3-cryptography"} <= set(found["RDEPENDS:ostrya"].split())
    assert found["PV"] == OURS("--version").split("'")[1]
    file, _, digest = found["LIC_FILES_CHKSUM"].removeprefix("file://").partition(";md5=")
    said = subprocess.run(["md5sum", top / file], capture_output=True, text=True, check=True)
    assert said.stdout.split()[0] == digest
    native = f"virtual:native:{bitbake_layer.RECIPE}"
    assert bitbake_layer.parse(tmp_path, native, variables=("PN",))["PN"] == "ostrya-native"


def test_an_image_comes_out(tmp_path):
    recipe = tmp_path / "ours.toml"
    recipe.write_text('[system]\nhostname = "device"\n[kernel]\narguments = ["audit=0"]\n')
    credentials = tmp_path / "credentials.zip"
    with zipfile.ZipFile(credentials, "w") as archive:
        archive.writestr("autoprov_credentials.p12", b"p12")
    more = f'OSTRYA_RECIPE = "{recipe}"\nSOTA_PACKED_CREDENTIALS = "{credentials}"\n'
    image = bitbake_layer.make_build(tmp_path, LOCAL + more)
    found = bitbake_layer.parse(
        tmp_path,
        image,
        variables=(
            "OSTRYA_BUILD_RECIPE",
            "IMGDEPLOYDIR",
            "IMAGE_NAME",
            "IMAGE_CMD:ostrya",
            "OSTREE_REPO",
        ),
        expressions=("ostrya_recipe(d)",),
    )
    written, deployed = Path(found["OSTRYA_BUILD_RECIPE"]), Path(found["IMGDEPLOYDIR"])
    deployed.mkdir(parents=True)
    written.write_text(found["ostrya_recipe(d)"])
    # As Yocto names kernels.
    tree = {name: one for name, one in ROOTFS.items() if not name.startswith(("boot/", "vmlinuz"))}
    kernel = Member(bytes(0x38) + b"ARM\x64" + bytes(4096))
    tree |= {f"boot/Image-{KVER}": kernel, "etc/hostname": Member(b"qemuarm64\n")}
    write_tar(deployed / f"{found['IMAGE_NAME']}.tar", tree)
    Path(found["OSTREE_REPO"]).parent.mkdir(parents=True)
    read = load_recipe(str(written))
    assert (read.board, read.ref, read.version) == ("qemu-arm64", "vendor/os", "5.0")
    assert read.ota.credentials == str(credentials)
    assert read.ota.hardware_id == "qemuarm64"
    assert [one.url for one in read.remotes] == ["https://updates.example.com/repo"]

    program = OURS_PATH.parent
    subprocess.run(
        ["sh", "-e", "-c", f'PATH="{program}:$PATH"; {found["IMAGE_CMD:ostrya"]}'], check=True
    )

    assert any(one.suffix == ".img" for one in deployed.iterdir()), list(deployed.iterdir())
    repo = found["OSTREE_REPO"]
    assert OURS("refs", f"--repo={repo}").split() == ["vendor/os"]
    assert OURS("cat", f"--repo={repo}", "vendor/os", "/usr/etc/hostname") == "device"
