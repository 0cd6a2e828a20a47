# SPDX-License-Identifier: Apache-2.0
"""Container images that umoci makes and skopeo converts, taken in as umoci unpacks them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ostrya.image.sources import take_in
from ostrya.repo.transaction import Transaction
from ostrya.tree.commit import write_tree
from support.commands import have
from support.small_repos import make_repo
from support.trees import write

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(
        not (have("umoci") and have("skopeo")), reason="umoci or skopeo is not installed"
    ),
]


def do(*words: object) -> None:
    """Run a program."""
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> Path:
    """A directory with an image of three layers, in all forms, and unpacked."""
    top = tmp_path_factory.mktemp("image")
    source = top / "source"
    write(source / "usr/bin/tool", b"#!/bin/sh\n", 0o755)
    write(source / "usr/bin/setuid", b"program", 0o4755)
    write(source / "usr/share/doc/a/x", b"a")
    write(source / "usr/share/doc/b/x", b"b")
    write(source / "etc/owned", b"root:x:0:0::/root:/bin/sh\n")
    os.chown(source / "etc/owned", 7, 8)
    (source / "usr/lib").mkdir()
    (source / "lib").symlink_to("usr/lib")
    layout = top / "layout"
    do("umoci", "init", "--layout", layout)
    do("umoci", "new", "--image", f"{layout}:one")
    do("umoci", "insert", "--image", f"{layout}:one", source, "/")
    do("umoci", "unpack", "--image", f"{layout}:one", top / "bundle")
    rootfs = top / "bundle/rootfs"
    shutil.rmtree(rootfs / "usr/share/doc/a")
    (rootfs / "usr/share/doc/b/x").unlink()
    (rootfs / "usr/share/doc/b/y").write_bytes(b"y")
    os.link(rootfs / "usr/bin/tool", rootfs / "usr/bin/other")
    (rootfs / "etc/owned").unlink()
    (rootfs / "etc/owned").mkdir()
    (rootfs / "etc").chmod(0o700)
    do("umoci", "repack", "--image", f"{layout}:two", top / "bundle")
    do("umoci", "config", "--image", f"{layout}:two", "--config.label", "vendor=us")
    do("umoci", "unpack", "--image", f"{layout}:two", top / "unpacked")
    do("skopeo", "copy", f"oci:{layout}:two", f"docker-archive:{top}/docker.tar:test/image:1")
    do("skopeo", "copy", f"oci:{layout}:two", f"oci-archive:{top}/oci.tar:two")
    do(
        "skopeo", "copy", "--dest-compress-format", "zstd",
        f"oci:{layout}:two", f"oci:{top}/zstd:two",
    )  # fmt: skip
    return top


@pytest.mark.parametrize(
    "form",
    [
        "oci:{}/layout:two",
        "{}/zstd",
        "{}/oci.tar",
        "oci:{}/oci.tar:two",
        "{}/docker.tar",
        "docker-archive:{}/docker.tar:test/image:1",
    ],
)
def test_a_tree_is_what_umoci_unpacks(image, tmp_path, form):
    with make_repo(tmp_path / "repo") as repo, Transaction(repo) as tx:
        unpacked = write_tree(tx, take_in(tx, f"{image}/unpacked/rootfs").editor.root)
        source = take_in(tx, form.format(image))
        assert write_tree(tx, source.editor.root) == unpacked
        assert source.labels == (("vendor", "us"),)
        assert source.editor.names("usr/share/doc") == ["b"]
        assert source.editor.find_dir("etc/owned") is not None
