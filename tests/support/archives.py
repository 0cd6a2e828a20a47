# SPDX-License-Identifier: Apache-2.0
"""Archives in memory: tar by the standard library, cpio by hand."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from importlib import import_module
from importlib.util import find_spec


def zstd_compress(data: bytes) -> bytes:
    """Compress by whichever package has zstd here."""
    compress = import_module("compression.zstd" if find_spec("compression") else "backports.zstd")
    packed: bytes = compress.compress(data)
    return packed


COMPRESSORS = {
    "plain": lambda data: data,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd_compress,
    "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
}


def member(name: str, kind: bytes = tarfile.REGTYPE, **values: object) -> tarfile.TarInfo:
    """One header; content is given to ``tar`` beside it."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    for key, value in values.items():
        setattr(info, key, value)
    return info


def tar(
    *members: tarfile.TarInfo | tuple[tarfile.TarInfo, bytes], kind=tarfile.PAX_FORMAT
) -> bytes:
    """A tar archive."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=kind) as archive:
        for one in members:
            info, content = one if isinstance(one, tuple) else (one, b"")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def newc(name: bytes, content: bytes = b"", mode: int = 0o100644, **fields: int) -> bytes:
    """One entry of a "new" ASCII cpio archive."""
    values = {"inode": 1, "uid": 0, "gid": 0, "links": 1, "size": len(content)} | fields
    head = b"070701" + b"".join(
        b"%08x" % value
        for value in (
            values["inode"], mode, values["uid"], values["gid"], values["links"], 0, values["size"],
            0, 0, 0, 0, len(name) + 1, 0,
        )
    )  # fmt: skip
    entry = head + name + b"\0"
    entry += bytes(-len(entry) % 4) + content
    return entry + bytes(-len(content) % 4)


def odc(name: bytes, content: bytes = b"", mode: int = 0o100644, **fields: int) -> bytes:
    """One entry of an "old" ASCII cpio archive."""
    values = {"inode": 1, "uid": 0, "gid": 0, "links": 1} | fields
    numbers = (0, values["inode"], mode, values["uid"], values["gid"], values["links"], 0)
    head = b"070707" + b"".join(b"%06o" % value for value in numbers) + b"%011o" % 0
    return head + b"%06o%011o" % (len(name) + 1, len(content)) + name + b"\0" + content


TRAILER_NEWC = newc(b"TRAILER!!!", mode=0)
TRAILER_ODC = odc(b"TRAILER!!!", mode=0)
