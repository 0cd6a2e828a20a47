# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from errno import EXDEV

import pytest

from ostrya._linux import reflink


@pytest.fixture
def pair(tmp_path):
    (tmp_path / "src").write_bytes(bytes(range(256)) * 5000)
    src = os.open(tmp_path / "src", os.O_RDONLY)
    dst = os.open(tmp_path / "dst", os.O_CREAT | os.O_RDWR)
    yield src, dst
    os.close(src)
    os.close(dst)


@pytest.mark.parametrize("in_kernel", [True, False])
def test_copies_all(pair, monkeypatch, in_kernel):
    src, dst = pair
    if not in_kernel:

        def impossible(*_args):
            raise OSError(EXDEV, os.strerror(EXDEV))

        monkeypatch.setattr(os, "copy_file_range", impossible)
        monkeypatch.setattr(reflink, "try_clone", lambda _src, _dst: False)
    size = os.fstat(src).st_size
    reflink.copy_file_data(src, dst, size)
    assert os.pread(dst, size + 1, 0) == os.pread(src, size + 1, 0)


def test_short_copies_go_on(pair, monkeypatch):
    src, dst = pair
    real = os.copy_file_range
    monkeypatch.setattr(reflink, "try_clone", lambda _src, _dst: False)
    monkeypatch.setattr(os, "copy_file_range", lambda s, d, n, a, b: real(s, d, min(n, 999), a, b))
    reflink.copy_file_data(src, dst, 10_000)
    assert os.pread(dst, 20_000, 0) == os.pread(src, 10_000, 0)


def test_a_source_that_shrank(pair, monkeypatch):
    src, dst = pair
    monkeypatch.setattr(reflink, "try_clone", lambda _src, _dst: False)
    with pytest.raises(reflink.FileTooShortError, match="ends before"):
        reflink.copy_file_data(src, dst, os.fstat(src).st_size + 1)


def test_cloning_either_works_or_says_no(pair):
    src, dst = pair
    if reflink.try_clone(src, dst):
        assert os.fstat(dst).st_size == os.fstat(src).st_size
    else:
        assert os.fstat(dst).st_size == 0


def test_other_errors_are_told(pair):
    src, _ = pair
    with pytest.raises(OSError, match="Bad file descriptor"):
        reflink.try_clone(src, src)
