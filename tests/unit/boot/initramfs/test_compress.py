# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gzip
import lzma

import pytest

from ostrya.boot.errors import InitramfsError
from ostrya.boot.initramfs.compress import (
    Compression,
    check_kernel_takes,
    compress,
    decompress_module,
    load_zstd,
)

PIECES = [b"one", b"", b"two" * 5000, bytes(70000)]
UNPACK = {
    Compression.NONE: bytes,
    Compression.GZIP: gzip.decompress,
    Compression.XZ: lzma.decompress,
    Compression.ZSTD: lambda data: load_zstd().decompress(data),
}


@pytest.mark.parametrize("how", list(Compression))
def test_it_comes_back_and_is_the_same_each_time(how):
    packed = b"".join(compress(PIECES, how))
    assert UNPACK[how](packed) == b"".join(PIECES)
    assert packed == b"".join(compress(PIECES, how))


def test_gzip_says_neither_name_nor_time():
    packed = b"".join(compress(PIECES, Compression.GZIP))
    assert packed[:8] == b"\x1f\x8b\x08\x00" + bytes(4)


def test_xz_has_the_check_that_kernels_know():
    packed = b"".join(compress(PIECES, Compression.XZ))
    unpacker = lzma.LZMADecompressor()
    unpacker.decompress(packed)
    assert unpacker.check == lzma.CHECK_CRC32


def test_what_the_kernel_cannot_unpack():
    config = "CONFIG_RD_GZIP=y\n# CONFIG_RD_XZ is not set\n"
    check_kernel_takes(Compression.GZIP, config)
    check_kernel_takes(Compression.NONE, config)
    check_kernel_takes(Compression.XZ, "")
    for how in (Compression.XZ, Compression.ZSTD):
        with pytest.raises(InitramfsError, match=f"CONFIG_RD_{how.name} is not set"):
            check_kernel_takes(how, config)


def test_modules_without_their_compression():
    module = b"\x7fELF" + bytes(1000)
    assert decompress_module(module, "a.ko") == module
    assert decompress_module(gzip.compress(module), "a.ko.gz") == module
    assert decompress_module(lzma.compress(module), "a.ko.xz") == module
    assert decompress_module(load_zstd().compress(module), "a.ko.zst") == module
    for suffix in ("gz", "xz", "zst"):
        with pytest.raises(InitramfsError, match=rf"a\.ko\.{suffix}"):
            decompress_module(b"damaged", f"a.ko.{suffix}")
