# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gzip
import hashlib
import lzma

import pytest

from ostrya.boot.initramfs.busybox import NEEDED
from support.elf_files import fake_busybox


@pytest.fixture
def tree(tmp_path):
    top = tmp_path / "tree"
    (top / "usr/bin").mkdir(parents=True)
    (top / "usr/bin/busybox").write_bytes(fake_busybox(NEEDED))
    modules = top / "usr/lib/modules/6.1"
    modules.mkdir(parents=True)
    (modules / "modules.dep").write_text("a.ko:\nvirtio_blk.ko:\n")
    for name in ("a.ko", "virtio_blk.ko"):
        (modules / name).write_text(name)
    return top


def test_it_is_written(run, tree, tmp_path):
    out = run.ok("boot", "initramfs", "--tree", tree, "--output", tmp_path / "rd", "--module=a").out
    data = (tmp_path / "rd").read_bytes()
    assert gzip.decompress(data).startswith(b"070701")
    assert f"rd: {len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}" in out
    assert "kernel 6.1; busybox: the tree's /usr/bin/busybox; checks: nothing" in out


def test_as_json(run, tree, tmp_path, schema):
    found = run.ok(
        "boot", "initramfs", f"--tree={tree}", f"--output={tmp_path}/rd", "--json"
    ).json()
    schema(found, "boot-initramfs")
    assert found["kernel"] == "6.1"
    assert found["size"] == (tmp_path / "rd").stat().st_size
    assert {"path": "usr/lib/modules/6.1/virtio_blk.ko", "size": 13} in found["files"]


def test_the_list(run, tree, tmp_path):
    options = ("--compress=xz", "--kver=6.1", "--list")
    out = run.ok("boot", "initramfs", f"--tree={tree}", f"--output={tmp_path}/rd", *options).out
    assert "       13 usr/lib/modules/6.1/virtio_blk.ko" in out
    assert lzma.decompress((tmp_path / "rd").read_bytes()).startswith(b"070701")


def test_what_is_wrong(run, tree, tmp_path):
    both = (f"--tree={tree}", f"--output={tmp_path}/rd")
    assert "--tree and --output must be specified" in run.fails(
        "boot", "initramfs", both[0], status=2
    )
    assert "there is no 'lz4'" in run.fails("boot", "initramfs", *both, "--compress=lz4", status=2)
    assert "'b' is not there" in run.fails("boot", "initramfs", *both, "--module=b", status=51)
    assert "no /usr/lib/modules/5.0" in run.fails(
        "boot", "initramfs", *both, "--kver=5.0", status=51
    )
    assert not (tmp_path / "rd").exists()
