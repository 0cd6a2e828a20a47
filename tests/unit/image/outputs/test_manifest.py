# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

from ostrya.image.board import load_board
from ostrya.image.disk_layout import PartitionWish, plan_disk
from ostrya.image.gpt import TYPE_LINUX
from ostrya.image.outputs.manifest import Built, BuiltFile, encode_manifest
from ostrya.image.reading.packages import Package


def test_it_says_what_was_built():
    plan = plan_disk([PartitionWish("root", TYPE_LINUX, 1 << 20)], seed="s")
    built = Built(
        "os", load_board("qemu-arm64"), "os/stable", "c" * 64, "", "6.1", "os", 7, plan, ("root",),
        [Package("deb", "bash", "5", "arm64")], ("a decision",), "ostrya-1",
    )  # fmt: skip
    found = json.loads(encode_manifest(built, [BuiltFile("raw", "os.img", 5, "d" * 64)]))
    assert found["board"]["loader"] == "uboot"
    assert found["disk"]["size_bytes"] == plan.sectors * 512
    (part,) = found["disk"]["partitions"]
    assert (part["number"], part["role"], part["offset"]) == (1, "root", 1 << 20)
    assert found["packages"] == [{"name": "bash", "version": "5", "architecture": "arm64"}]
    assert found["outputs"] == [
        {"kind": "raw", "file": "os.img", "size_bytes": 5, "sha256": "d" * 64}
    ]
