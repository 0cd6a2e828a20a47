# SPDX-License-Identifier: Apache-2.0
"""Which changed files are compressed, and what they cost."""

from __future__ import annotations

import gzip
import random

import pytest

from ostrya.delta.compressed_files import find_compressed_files, find_compression
from support.small_repos import commit_tree, make_repo

GZIP = b"\x1f\x8b\x08\0"
KERNEL = b"MZ" + bytes(0x200) + b"HdrS"


def cpio(*files: tuple[bytes, bytes]) -> bytes:
    """An archive of the "newc" form."""
    out = b""
    for name, content in (*files, (b"TRAILER!!!", b"")):
        numbers = [0] * 13
        numbers[6], numbers[11] = len(content), len(name) + 1
        out += b"070701" + b"".join(b"%08x" % number for number in numbers) + name + b"\0"
        out += bytes(-len(out) % 4)
        out += content + bytes(-len(content) % 4)
    return out + bytes(-len(out) % 512)


MICROCODE = cpio((b"kernel/x86/microcode/GenuineIntel.bin", bytes(range(256)) * 300 + b"odd"))


@pytest.mark.parametrize("pieces", [1, 7, 100_000], ids=str)
@pytest.mark.parametrize(
    ("content", "how"),
    [
        (GZIP, "gzip"),
        (b"\xfd7zXZ\0", "xz"),
        (KERNEL, "kernel"),
        (MICROCODE + GZIP, "gzip"),
        (MICROCODE + MICROCODE + b"\x28\xb5\x2f\xfd", "zstd"),
        (MICROCODE + bytes(3000) + b"\x89LZO", "lzop"),
        (MICROCODE, None),
        (MICROCODE[:200], None),
        (b"070701" + b"z" * 200, None),
        (b"\x7fELF", None),
        (b"", None),
    ],
)  # fmt: skip
def test_compression(content, how, pieces):
    chunks = (content[at : at + pieces] for at in range(0, len(content), pieces))
    assert find_compression(chunks) == how


def test_compressed_files(tmp_path):
    rng = random.Random(4)
    top = tmp_path / "tree"
    top.mkdir()
    # Half of what is new in the kernel is not: a patch finds it although it is compressed.
    kernel = KERNEL + rng.randbytes(400_000)
    commits = []
    with make_repo(tmp_path / "repo") as repo:
        for number in range(2):
            (top / "same.gz").write_bytes(gzip.compress(b"same" * 100_000, mtime=0))
            (top / f"initrd.img-{number}").write_bytes(
                MICROCODE + gzip.compress(rng.randbytes(300_000))
            )
            (top / "plain").write_bytes(rng.randbytes(300_000))
            (top / f"vmlinuz-{number}").write_bytes(kernel)
            kernel = kernel[:200_000] + rng.randbytes(200_000)
            commits.append(commit_tree(repo, top))
        ramdisk, linux = find_compressed_files(repo, *commits)
    assert (ramdisk.path, ramdisk.how) == ("initrd.img-1", "gzip")
    assert 250_000 < ramdisk.saving < ramdisk.size
    assert (linux.path, linux.how) == ("vmlinuz-1", "kernel")
    assert 100_000 < linux.saving < 220_000
