# SPDX-License-Identifier: Apache-2.0
"""A ramdisk, compressed so that its kernel can unpack it; same input, same bytes.

::

    gzip   every kernel's; no name and no time in its header
    xz     small; the kernel knows no check but CRC-32, and the dictionary takes its memory
    zstd   fast to unpack; kernels since 5.9
    none   for boot loaders that have it compressed elsewhere

Source: the kernel's usr/Kconfig, Documentation/staging/xz.rst.
"""

from __future__ import annotations

import importlib
import lzma
import zlib
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ostrya.boot.errors import InitramfsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_GZIP_WINDOW = 31
# 9 takes six times as long, for less than a hundredth of the size.
_GZIP_LEVEL = 6
_XZ_DICTIONARY = 1 << 20
_ZSTD_LEVEL = 19


class Compression(StrEnum):
    """How a ramdisk is compressed."""

    NONE = "none"
    GZIP = "gzip"
    XZ = "xz"
    ZSTD = "zstd"


def check_kernel_takes(how: Compression, config: str) -> None:
    """Look whether a kernel can unpack something.

    Args:
        how: The compression.
        config: The kernel's configuration; empty if nobody knows.

    Raises:
        InitramfsError: It cannot.
    """
    if how is Compression.NONE or not config:
        return
    name = f"CONFIG_RD_{how.name}"
    if f"{name}=y" not in config.splitlines():
        raise InitramfsError(
            f"the kernel cannot unpack a ramdisk compressed by {how.value}: {name} is not set",
            hint="choose another compression",
        )


def compress(pieces: Iterable[bytes], how: Compression) -> Iterator[bytes]:
    """Yield what comes of an archive.

    Raises:
        InitramfsError: It takes a package that is not installed.
    """
    if how is Compression.NONE:
        yield from pieces
        return
    packer = _packer(how)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


def decompress_module(data: bytes, name: str) -> bytes:
    """Return a kernel module as it is without the compression that its name tells.

    The ramdisk as a whole is compressed better than its parts, and busybox loads no others.

    Raises:
        InitramfsError: It is damaged.
    """
    try:
        if name.endswith(".gz"):
            return zlib.decompress(data, wbits=_GZIP_WINDOW)
        if name.endswith(".xz"):
            return lzma.decompress(data)
    except (zlib.error, lzma.LZMAError) as exc:
        raise InitramfsError(f"kernel module {name}: {exc}") from exc
    if not name.endswith(".zst"):
        return data
    zstd = load_zstd()
    try:
        unpacked: bytes = zstd.decompress(data)
    except zstd.ZstdError as exc:
        raise InitramfsError(f"kernel module {name}: {exc}") from exc
    return unpacked


def load_zstd() -> Any:  # noqa: ANN401  # a module, of one of two names
    """Import what speaks zstd.

    Raises:
        InitramfsError: It is not installed.
    """
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise InitramfsError("zstd needs the package backports.zstd", hint="pip install backports.zstd")


def _packer(how: Compression) -> Any:  # noqa: ANN401  # three libraries' own, of one shape
    if how is Compression.GZIP:
        return zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
    if how is Compression.XZ:
        filters = [{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": _XZ_DICTIONARY}]
        return lzma.LZMACompressor(lzma.FORMAT_XZ, check=lzma.CHECK_CRC32, filters=filters)
    return load_zstd().ZstdCompressor(level=_ZSTD_LEVEL)
