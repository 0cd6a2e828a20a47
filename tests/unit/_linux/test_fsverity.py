# SPDX-License-Identifier: Apache-2.0
"""Sealing and measuring: with a kernel that can, for real; without, the answers that say so."""

from __future__ import annotations

import errno
import os
import struct
import subprocess

import pytest

from ostrya._linux import fsverity
from ostrya.formats.verity_digest import verity_digest
from support import mounts

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def plain(tmp_path):
    """A file, open for reading."""
    (tmp_path / "file").write_bytes(CONTENT)
    fd = os.open(tmp_path / "file", os.O_RDONLY)
    yield fd
    os.close(fd)


@pytest.fixture
def sealable(tmp_path):
    """A file on a file system with fs-verity, open for reading."""
    if reason := mounts.missing("ext4"):
        pytest.skip(reason)
    mounts.enter_private_namespace()
    image, target = tmp_path / "image", tmp_path / "mounted"
    with image.open("wb") as stream:
        stream.truncate(16 << 20)
    mounts.run("mkfs.ext4", "-q", "-F", "-O", "verity", str(image))
    target.mkdir()
    mounted = subprocess.run(
        ["mount", "-o", "loop", image, target], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("this kernel has no fs-verity")
    (target / "file").write_bytes(CONTENT)
    fd = os.open(target / "file", os.O_RDONLY)
    yield fd
    os.close(fd)
    mounts.unmount(tmp_path)


def answering(monkeypatch, result):
    """Let the kernel answer so; collect what it was asked."""
    asked = []

    def ioctl(fd, request, argument):
        asked.append((request, bytes(argument)))
        if isinstance(result, int):
            raise OSError(result, os.strerror(result))
        argument[:] = result
        return 0

    monkeypatch.setattr(fsverity.fcntl, "ioctl", ioctl)
    return asked


@pytest.mark.root
@pytest.mark.loop
def test_the_kernel_computes_what_we_compute(sealable):
    assert fsverity.measure(sealable) is None
    if not fsverity.try_enable(sealable):
        pytest.skip("this kernel has no fs-verity")
    measured = fsverity.measure(sealable)
    assert measured is not None
    assert measured.hex() == verity_digest([CONTENT])
    assert fsverity.try_enable(sealable, allow_existing=True)
    with pytest.raises(FileExistsError):
        fsverity.try_enable(sealable)


def test_a_file_that_is_not_sealed_has_no_digest(plain):
    assert fsverity.measure(plain) is None


@pytest.mark.parametrize("code", [errno.ENOTTY, errno.EOPNOTSUPP])
def test_file_systems_without_it(monkeypatch, code):
    answering(monkeypatch, code)
    assert fsverity.try_enable(3) is False
    assert fsverity.measure(3) is None


def test_what_the_kernel_is_asked(monkeypatch):
    asked = answering(monkeypatch, errno.ENOTTY)
    fsverity.try_enable(3)
    fsverity.measure(3)
    (enable, argument), (measure, buffer) = asked
    # _IOW('f', 133, 128 bytes) and _IOWR('f', 134, 4 bytes), as linux/fsverity.h defines them.
    assert enable == 1 << 30 | 128 << 16 | ord("f") << 8 | 133
    assert measure == 3 << 30 | 4 << 16 | ord("f") << 8 | 134
    assert len(argument) == 128
    assert struct.unpack_from("<IIII", argument) == (1, 1, 4096, 0)
    assert not any(argument[16:])
    assert struct.unpack_from("=HH", buffer) == (0, 32)


def test_the_digest_that_the_kernel_gives(monkeypatch):
    answering(monkeypatch, struct.pack("=HH", 1, 32) + b"d" * 32)
    assert fsverity.measure(3) == b"d" * 32


def test_another_hash_is_none_that_we_know(monkeypatch):
    answering(monkeypatch, struct.pack("=HH", 2, 64) + b"d" * 32)
    assert fsverity.measure(3) is None


@pytest.mark.parametrize("code", [errno.ETXTBSY, errno.EEXIST, errno.EIO])
def test_other_refusals_are_errors(monkeypatch, code):
    answering(monkeypatch, code)
    with pytest.raises(OSError, match=os.strerror(code)):
        fsverity.try_enable(3)


def test_sealed_before_is_fine_if_allowed(monkeypatch):
    answering(monkeypatch, errno.EEXIST)
    assert fsverity.try_enable(3, allow_existing=True)
