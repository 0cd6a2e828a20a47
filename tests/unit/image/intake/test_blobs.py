# SPDX-License-Identifier: Apache-2.0
import gzip
import hashlib
import io
import os
import tarfile

import pytest

from ostrya.errors import OstryaError
from ostrya.image.errors import SourceError
from ostrya.image.intake.blobs import Blob, CheckedStream, FolderParts, TarParts, first_names
from ostrya.image.intake.oci_documents import Digest
from ostrya.image.intake.rules import DEFAULT_LIMITS
from ostrya.tree.archive_import import ArchiveExtent
from support.archives import COMPRESSORS, member, tar


@pytest.fixture
def scratch(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    yield fd
    os.close(fd)


def read(parts, path: str) -> bytes:
    with parts.open(path) as blob:
        return blob.read_all(1 << 20)


def test_parts_of_a_directory(tmp_path):
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs/a").write_bytes(b"content")
    os.mkfifo(tmp_path / "fifo")
    parts = FolderParts(str(tmp_path))
    assert read(parts, "blobs/a") == b"content"
    for path in (
        "blobs",
        "fifo",
        "nothing",
        "blobs/a/b",
        "../x",
        "blobs/../blobs/a",
        "/etc/passwd",
    ):
        assert parts.open(path) is None
    parts.close()


@pytest.mark.parametrize("packer", ["plain", "gzip", "zstd", "xz"])
def test_parts_of_a_tar(tmp_path, scratch, packer):
    data = tar(
        (member("./blobs/a"), b"content"),
        member("d/link", tarfile.SYMTYPE, linkname="../blobs/a"),
        member("hard", tarfile.LNKTYPE, linkname="blobs/a"),
        member("loop", tarfile.SYMTYPE, linkname="loop"),
        member("out", tarfile.SYMTYPE, linkname="../../etc/passwd"),
        (member("b"), b"other" * 1000),
    )
    (tmp_path / "x").write_bytes(COMPRESSORS[packer](data))
    parts = TarParts(str(tmp_path / "x"), scratch, DEFAULT_LIMITS)
    assert read(parts, "blobs/a") == read(parts, "d/link") == read(parts, "hard") == b"content"
    assert read(parts, "b") == b"other" * 1000
    assert [parts.open(path) for path in ("nothing", "loop", "out")] == [None] * 3
    parts.close()


@pytest.mark.parametrize(
    "data",
    [b"no tar at all", gzip.compress(b"nor this"), b"\x1f\x8bbroken"],
    ids=["text", "packed", "broken"],
)
def test_what_is_no_tar(tmp_path, scratch, data):
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(OstryaError):
        TarParts(str(tmp_path / "x"), scratch, DEFAULT_LIMITS)


def test_a_tar_that_inflates_to_too_much(tmp_path, scratch):
    (tmp_path / "x").write_bytes(gzip.compress(bytes(1 << 20)))
    with pytest.raises(OstryaError, match="1,000 bytes when it is inflated"):
        TarParts(str(tmp_path / "x"), scratch, ArchiveExtent(1000, 10))


def test_a_blob_is_bounded(tmp_path):
    (tmp_path / "x").write_bytes(b"0123456789")
    fd = os.open(tmp_path / "x", os.O_RDONLY)
    with Blob(fd, 2, 5) as blob:
        with pytest.raises(SourceError):
            blob.read_all(4)
        assert blob.read(3) + blob.read() + blob.read() == b"23456"


def test_a_stream_that_is_checked_at_its_end():
    digest = Digest("sha256", hashlib.sha256(b"content").hexdigest())
    stream = CheckedStream(io.BytesIO(b"content"), digest)
    assert stream.read(3) == b"con"
    stream.check("x")
    with pytest.raises(SourceError, match=r"^x: it hashes to sha256:"):
        CheckedStream(io.BytesIO(b"contents"), digest).check("x")


def test_first_names(tmp_path):
    data = tar(*[member(f"./n{at}") for at in range(5)])
    (tmp_path / "x").write_bytes(gzip.compress(data))
    assert first_names(str(tmp_path / "x"), 2) == ["n0", "n1"]
    (tmp_path / "y").write_bytes(b"no tar")
    assert first_names(str(tmp_path / "y"), 2) == []
