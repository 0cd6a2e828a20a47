# SPDX-License-Identifier: Apache-2.0
"""Indexes of kernel modules made by us, beside those of depmod, and read by modprobe."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ostrya.boot.initramfs.modules import module_name
from ostrya.image.steps.module_index import make_indexes
from ostrya.image.steps.module_info import decode_module
from support.commands import have
from support.kernel_modules import make_module

KVER = "6.1.0-test"
DEPMOD, MODPROBE = "/usr/sbin/depmod", "/usr/sbin/modprobe"
MODULES = {
    "kernel/fs/ext4/ext4.ko": ("depends=jbd2,crc16", "alias=fs-ext4", "softdep=pre: crc32c"),
    "kernel/fs/jbd2/jbd2.ko": ("depends=",),
    "kernel/lib/crc16.ko": ("depends=",),
    "kernel/lib/crc32c-generic.ko": ("depends=", "alias=crc32c"),
    "kernel/drivers/virtio_net.ko": (
        "depends=net-failover",
        "alias=virtio:d00000001v*",
        "alias=pci:v00001AF4d*sv*sd*bc*sc*i*",
    ),
    "kernel/net/net_failover.ko": ("depends=failover", "alias=odd-[a-c]*-x"),
    "kernel/net/failover.ko": ("depends=",),
    "kernel/block/loop.ko": ("alias=devname:loop-control", "alias=char-major-10-237"),
}

pytestmark = pytest.mark.skipif(
    not (have(DEPMOD) and have(MODPROBE)), reason="kmod is not installed"
)


@pytest.fixture
def trees(tmp_path) -> tuple[Path, Path]:
    """The same modules twice: with our indexes, and with those of depmod."""
    folders = []
    for who in ("ours", "theirs"):
        folder = tmp_path / who / "lib/modules" / KVER
        for name, items in MODULES.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(make_module(f"name={path.stem.replace('-', '_')}", *items))
        (folder / "modules.builtin").write_text("kernel/lib/crc-ccitt.ko\n")
        (folder / "modules.order").write_text("".join(f"{name}\n" for name in MODULES))
        folders.append(folder)
    places = {Path(name).stem.replace("-", "_"): name for name in MODULES}
    infos = {name: decode_module((folders[0] / path).read_bytes()) for name, path in places.items()}
    for name, data in make_indexes(places, infos, "kernel/lib/crc-ccitt.ko\n").items():
        (folders[0] / name).write_bytes(data)
    subprocess.run([DEPMOD, "-b", str(tmp_path / "theirs"), KVER], check=True, capture_output=True)
    return tmp_path / "ours", tmp_path / "theirs"


def show(top: Path, name: str) -> set[str]:
    """What modprobe would load."""
    argv = [MODPROBE, "-d", str(top), "-S", KVER, "--show-depends", name]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {line.replace(str(top), "").strip() for line in done.stdout.splitlines()}


@pytest.mark.parametrize(
    "name",
    [
        "loop",
        "fs-ext4",
        "crc32c",
        "net-failover",
        "crc_ccitt",
        "odd_b_x",
        "pci:v00001AF4d00001000sv00001AF4sd00000001bc02sc00i00",
        "virtio:d00000001v00001AF4",
    ],
)
def test_modprobe_finds_what_it_finds_by_depmod(trees, name):
    ours, theirs = trees
    found = show(theirs, name)
    # What depmod makes dependencies of, symbols, these modules do not have.
    assert found
    assert found <= show(ours, name)


@pytest.mark.parametrize("name", ["modules.alias", "modules.devname", "modules.softdep"])
def test_lines_are_those_of_depmod(trees, name):
    texts = [
        {
            line
            for line in (top / "lib/modules" / KVER / name).read_text().splitlines()
            if line[:1] != "#"
        }
        for top in trees
    ]
    assert texts[0] == texts[1]


def test_the_index_of_what_is_built_in_is_the_same(trees):
    data = [(top / "lib/modules" / KVER / "modules.builtin.bin").read_bytes() for top in trees]
    assert data[0] == data[1]


def test_nothing_is_needed_of_a_program(trees):
    """Depmod reads symbols, which these modules do not have; ours reads what they say."""
    text = (trees[0] / "lib/modules" / KVER / "modules.dep").read_text()
    assert "ext4.ko: kernel/lib/crc16.ko kernel/fs/jbd2/jbd2.ko\n" in text


@pytest.mark.rootfs
@pytest.mark.xdist_group("rootfs")
def test_dependencies_of_a_real_kernel_are_those_of_depmod(debian_tree_path):
    source = next((debian_tree_path / "usr/lib/modules").iterdir())
    places = {module_name(path.name): path for path in sorted(source.rglob("*.ko"))}
    infos = {name: decode_module(path.read_bytes()) for name, path in places.items()}
    relative = {name: str(path.relative_to(source)) for name, path in places.items()}
    ours = make_indexes(relative, infos, "")["modules.dep"].decode()
    theirs = (source / "modules.dep").read_text()

    def parse(text: str) -> dict[str, set[str]]:
        return {
            path: set(rest.split())
            for path, _, rest in (line.partition(":") for line in text.splitlines())
        }

    assert parse(ours) == parse(theirs)
    assert len(places) > 500
