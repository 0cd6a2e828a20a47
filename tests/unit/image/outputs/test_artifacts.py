# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import lzma
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from ostrya.image.errors import OutputError
from ostrya.image.outputs.artifacts import write_outputs
from ostrya.repo.errors import RefNotFound


def test_disks_and_file_systems_are_what_was_built(artifacts, out):
    said = []
    wanted = ["raw", "wic", "ota-ext4", "ota-esp", "raw.xz", "sha256sums"]
    outputs = write_outputs(artifacts, wanted, str(out), "os", tell=said.append)
    assert [one.kind for one in outputs] == wanted
    disk = Path(artifacts.disk).read_bytes()
    assert (out / "os.img").read_bytes() == disk
    assert (out / "os.wic").read_bytes() == disk
    assert lzma.decompress((out / "os.img.xz").read_bytes()) == disk
    assert (out / "os.ota-ext4").read_bytes() == Path(artifacts.root_image).read_bytes()
    plan = artifacts.plan
    assert (out / "os.ota-esp").read_bytes() == disk[plan.offset(0) :][: plan.size(0)]
    subprocess.run(["fsck.vfat", "-n", out / "os.ota-esp"], check=True, capture_output=True)
    subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=out, check=True, capture_output=True)
    assert said == [
        f"wrote {out}/{name}" for name in map(os.path.basename, (o.path for o in outputs))
    ]
    for one in outputs:
        assert one.size_bytes == os.stat(one.path).st_size
        assert one.sha256 == hashlib.sha256(Path(one.path).read_bytes()).hexdigest()


def test_a_disk_stays_sparse(artifacts, out):
    write_outputs(artifacts, ["raw"], str(out), "os")
    assert os.stat(out / "os.img").st_blocks <= os.stat(artifacts.disk).st_blocks + 128


def test_the_tree_is_that_of_the_release(artifacts, out):
    write_outputs(artifacts, ["ostree.tar.bz2"], str(out), "os")
    with tarfile.open(out / "os.ostree.tar.bz2") as tar:
        assert tar.getmember("usr/bin/setuid").mode == 0o4755
        assert tar.getmember("usr/etc/shadow").gid == 42


def test_a_board_without_that_partition_has_no_such_output(artifacts, out):
    with pytest.raises(OutputError, match="has no partition for its firmware"):
        write_outputs(artifacts._replace(roles=("a", "b")), ["raw", "ota-esp"], str(out), "os")
    assert os.listdir(out) == []


@pytest.mark.parametrize(
    ("wanted", "error"),
    [(["raw", "iso"], OutputError), (["raw", "delta-from=nothing"], RefNotFound)],
)
def test_what_cannot_be_leaves_nothing(artifacts, out, wanted, error):
    with pytest.raises(error):
        write_outputs(artifacts, wanted, str(out), "os")
    assert os.listdir(out) == []
