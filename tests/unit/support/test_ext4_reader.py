# SPDX-License-Identifier: Apache-2.0
"""Against the file system's own tools."""

from __future__ import annotations

import os
import subprocess

import pytest

from support.commands import have
from support.ext4_reader import Ext4, ReadError

OFFSET = 1 << 20


@pytest.fixture(scope="module", params=["64bit,metadata_csum", "^64bit,^metadata_csum,^flex_bg"])
def image(request, tmp_path_factory):
    if not have("mke2fs"):
        pytest.skip("mke2fs is not installed")
    top = tmp_path_factory.mktemp("ext4")
    tree = top / "tree"
    (tree / "deep/er").mkdir(parents=True)
    (tree / "deep/er/file").write_bytes(b"x" * 10_000)
    (tree / "deep/empty").write_bytes(b"")
    (tree / "short").symlink_to("deep/er")
    (tree / "absolute").symlink_to("/deep/../deep/er/file")
    (tree / "loop").symlink_to("loop")
    (tree / "dangling").symlink_to("nothing")
    os.symlink("deep/" + "./" * 60 + "er", tree / "long")
    with (tree / "sparse").open("wb") as stream:
        stream.seek(1 << 20)
        stream.write(b"end")
    (tree / "many").mkdir()
    for at in range(700):
        (tree / f"many/a-rather-long-name-for-a-file-{at}").write_text(str(at))
    path = top / "image"
    argv = ["mke2fs", "-q", "-t", "ext4", "-b", "4096", "-O", request.param, "-d", tree]
    subprocess.run([*argv, "-E", f"offset={OFFSET}", path, "64M"], check=True, capture_output=True)
    with Ext4(path, OFFSET) as found:
        yield found


def test_files(image):
    assert image.read("/deep/er/file") == b"x" * 10_000
    assert image.read("deep/empty") == b""
    assert image.read("/sparse") == bytes(1 << 20) + b"end"
    assert not image.needs_recovery
    digest = image.digest(image.find("deep/empty"))
    assert digest == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("path", ["short/file", "absolute", "long/file", "/deep/../short/./file"])
def test_links(image, path):
    assert image.read(path) == b"x" * 10_000
    assert image.real_path(path) == "/deep/er/file"


def test_directories(image):
    names = image.names("many")
    assert len(names) == 700
    assert image.content(names["a-rather-long-name-for-a-file-699"]) == b"699"
    assert sorted(image.names("deep")) == ["empty", "er"]


@pytest.mark.parametrize(
    "path", ["nothing", "dangling", "loop", "deep/er/file/x", "deep", "deep/no"]
)
def test_what_cannot_be_read(image, path):
    with pytest.raises(ReadError):
        image.read(path)


def test_no_file_system(tmp_path):
    (tmp_path / "zeros").write_bytes(bytes(8192))
    with pytest.raises(ReadError):
        Ext4(tmp_path / "zeros")
