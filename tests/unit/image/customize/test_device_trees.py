# SPDX-License-Identifier: Apache-2.0
import shutil
import subprocess

import pytest

from ostrya.image.customize.device_trees import set_up_device_trees
from ostrya.image.errors import SourceError
from ostrya.image.recipe.values import DeviceTree
from support.image_world import KVER

MODULES = f"/usr/lib/modules/{KVER}"
DTB = b"\xd0\x0d\xfe\xed" + bytes(36)


@pytest.fixture
def dtb(tmp_path):
    path = tmp_path / "board.dtb"
    path.write_bytes(DTB)
    return str(path)


def test_trees_are_beside_the_kernel(places, said, dtb):
    set_up_device_trees(places, DeviceTree((dtb,), dtb), said.append)
    assert places.read(f"{MODULES}/dtb/board.dtb") == DTB
    assert places.read(f"{MODULES}/devicetree") == DTB


def test_what_cannot_be(places, said, dtb, tmp_path):
    (tmp_path / "no.dtb").write_bytes(b"text")
    with pytest.raises(SourceError, match=r"no\.dtb is no compiled device tree"):
        set_up_device_trees(places, DeviceTree((str(tmp_path / "no.dtb"),)), said.append)


@pytest.mark.skipif(not shutil.which("fdtoverlay"), reason="device-tree-compiler: not installed")
def test_overlays_are_applied(places, said, tmp_path):
    base, overlay = tmp_path / "base.dtb", tmp_path / "more.dtbo"
    texts = {
        base: '/dts-v1/; / { model = "board"; led: led { status = "disabled"; }; };',
        overlay: '/dts-v1/; /plugin/; &led { status = "okay"; };',
    }
    for path, text in texts.items():
        subprocess.run(["dtc", "-@", "-q", "-o", path, "-"], input=text.encode(), check=True)
    wanted = DeviceTree(default=str(base), overlays=(str(overlay),))
    set_up_device_trees(places, wanted, said.append)
    assert b"okay" in places.read(f"{MODULES}/devicetree")
    base.write_bytes(DTB)
    with pytest.raises(SourceError, match="the overlays cannot be applied to"):
        set_up_device_trees(places, wanted, said.append)
