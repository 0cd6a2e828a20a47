# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.errors import RecipeError
from ostrya.image.recipe.check import find_problems
from ostrya.image.recipe.local_conf import import_local_conf
from ostrya.image.recipe.located import parse_located
from ostrya.image.recipe.read import read_recipe

TEXT = r"""
# local.conf
MACHINE ??= "qemux86-64"
MACHINE = "raspberrypi4-64"
DISTRO = "poky-sota"
DISTRO_VERSION = "5.0"
OSTREE_BRANCHNAME = "${PRODUCT}/${MACHINE}"
PRODUCT = "gateway"
OSTREE_OSNAME ?= "poky"
OSTREE_OSNAME ?= "ignored"
OSTREE_BOOTLOADER = "u-boot"
OSTREE_KERNEL_ARGS = "root=LABEL=otaroot rootfstype=ext4 quiet \
    loglevel=3 ${EXTRA}"
OSTREE_OTA_REPO_CONFIG = "core.min-free-space-percent:5 nonsense"
OSTREE_SYSROOT_READONLY = "1"
OSTREE_REPO = "/srv/releases"
BUILD_OTA_TARBALL = "1"
BUILD_OSTREE_TARBALL = "0"
IMAGE_FSTYPES = "tar.xz wic"
IMAGE_FSTYPES:append = " wic.bmap"
KERNEL_DEVICETREE = "broadcom/bcm2711-rpi-4-b.dtb"
SOTA_POLLING_SEC = "600"
SOTA_HARDWARE_ID = "board-7"
SOTA_PACKED_CREDENTIALS = "/srv/credentials.zip"
SOTA_CLIENT_PROV = "aktualizr-shared-prov"
GARAGE_TARGET_VERSION = "7"
WKS_FILE = "ours.wks"
OSTREE_SOMETHING = "new"
"""


def test_variables_become_a_recipe():
    found = import_local_conf(TEXT, "local.conf")
    tree = parse_located(found.recipe, "image.toml")
    assert find_problems(tree) == []
    text = found.recipe + "\n[[remotes]]\nname='v'\nurl='https://example.com/r'\n"
    recipe = read_recipe(parse_located(text, "image.toml"), lambda _file, name: name)
    assert recipe.board == "raspberrypi4"
    assert recipe.source.path.endswith("/raspberrypi4-64/IMAGE-raspberrypi4-64.tar.xz")
    assert recipe.version == "5.0"
    assert recipe.ref == "gateway/raspberrypi4-64"
    assert recipe.stateroot == "poky"
    assert recipe.kernel_arguments == ("quiet", "loglevel=3")
    assert recipe.repository.path == "/srv/releases"
    assert recipe.outputs == ("ota.tar.xz", "wic", "wic.bmap")
    assert recipe.device_tree.patterns == ("bcm2711-rpi-4-b.dtb",)
    assert recipe.wks == "ours.wks"
    assert recipe.ota.polling_sec == 600
    assert recipe.ota.hardware_id == "board-7"
    assert recipe.ota.credentials == "/srv/credentials.zip"
    assert dict(recipe.update.settings) == {
        "core.min-free-space-percent": "5",
        "sysroot.readonly": "true",
    }


def test_what_became_of_each_is_told():
    told = dict(import_local_conf(TEXT, "local.conf").told)
    assert told["MACHINE"] == 'board = "raspberrypi4"'
    assert "the board's" in told["OSTREE_KERNEL_ARGS"]
    assert told["BUILD_OSTREE_TARBALL"] == "not wanted"
    assert "ota.credentials" in told["SOTA_CLIENT_PROV"]
    assert "published" in told["GARAGE_TARGET_VERSION"]
    assert told["OSTREE_SOMETHING"] == "no counterpart, left out"
    assert told["IMAGE_FSTYPES"].endswith("; not tar.xz")
    assert "PRODUCT" not in told


def test_a_machine_that_nobody_knows():
    found = import_local_conf('MACHINE = "own"\nDISTRO_VERSION = "${DATETIME}"\n', "x")
    assert 'board = "./board.toml"' in found.recipe
    told = dict(found.told)
    assert "describe it in board.toml" in told["MACHINE"]
    assert "cannot be known from this file alone" in told["DISTRO_VERSION"]


def test_what_turns_in_circles_has_an_end():
    text = 'MACHINE = "${OSTREE_OSNAME}"\nOSTREE_OSNAME = "${MACHINE}"\n'
    assert import_local_conf(text, "x").told


def test_a_file_of_something_else():
    with pytest.raises(RecipeError, match="x: there is no variable of meta-updater's in it"):
        import_local_conf("DISTRO = 'poky'\n", "x")


def test_what_has_its_place_elsewhere_is_told():
    text = """
require conf/more.inc
SOTA_DT_OVERLAYS = "overlays/vc4.dtbo uart0.dtbo"
SOTA_MACHINE = "raspberrypi"
SOTA_HARDWARE_ID = "${MACHINE}"
SOTA_CLIENT_PROV = "aktualizr-device-prov-hsm"
SOTA_POLLING_SEC = "0"
INITRAMFS_FSTYPES = "cpio.gz"
EXTRA_USERS_PARAMS = "useradd -p '' me;"
hostname:pn-base-files = "device"
"""
    found = import_local_conf(text, "local.conf")
    told = dict(found.told)
    assert told["local.conf"] == "require conf/more.inc is not read: import it too"
    assert 'device_tree.overlays = ["vc4.dtbo", "uart0.dtbo"]' in told["SOTA_DT_OVERLAYS"]
    assert "MACHINE says" in told["SOTA_MACHINE"]
    assert told["SOTA_HARDWARE_ID"].startswith("the board's name")
    assert "certificate_file" in told["SOTA_CLIENT_PROV"]
    assert told["SOTA_POLLING_SEC"] == "no number of seconds, left out"
    assert told["INITRAMFS_FSTYPES"] == "ours is compressed with gzip, too"
    assert "[[users]]" in told["EXTRA_USERS_PARAMS"]
    assert 'hostname = "device"' in found.recipe
