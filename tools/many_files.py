# SPDX-License-Identifier: Apache-2.0
"""An archive repository of very many small files, written straight into its objects."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

from ostrya.formats.checksum import Checksum
from ostrya.formats.commit import Commit
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.dirtree import DirTree
from ostrya.formats.file_header import FileHeader
from ostrya.formats.gvariant.vardict import VarDict

REF = "many"
_CONFIG = "[core]\nrepo_version=1\nmode=archive-z2\n"
_HEADER = FileHeader(0, 0, 0o100644)


def make(repo: Path, dirs: int, files_each: int) -> None:
    """Make the repository: one commit, ``dirs`` directories with ``files_each`` files in each."""
    for number in range(256):
        (repo / "objects" / f"{number:02x}").mkdir(parents=True)
    for name in ("refs/heads", "refs/remotes", "refs/mirrors", "tmp", "state", "extensions"):
        (repo / name).mkdir(parents=True)
    (repo / "config").write_text(_CONFIG)
    meta = _put(repo, "dirmeta", DirMeta(0, 0, 0o40755).encode())
    subdirs = tuple(
        (f"{number:06}", _make_dir(repo, number, files_each), meta) for number in range(dirs)
    )
    root = _put(repo, "dirtree", DirTree((), subdirs).encode())
    commit = Commit(VarDict(), None, (), "many files", "", 0, root, meta)
    (repo / "refs/heads" / REF).write_text(_put(repo, "commit", commit.encode()) + "\n")


def _make_dir(repo: Path, number: int, files_each: int) -> Checksum:
    files = []
    for file in range(files_each):
        content = b"%d in %d\n" % (file, number)
        checksum = hashlib.sha256(_HEADER.encode_stream() + content).hexdigest()
        deflater = zlib.compressobj(1, wbits=-15)
        packed = deflater.compress(content) + deflater.flush()
        path = repo / "objects" / checksum[:2] / f"{checksum[2:]}.filez"
        path.write_bytes(_HEADER.encode_archive(len(content)) + packed)
        files.append((f"{file:06}", Checksum(checksum)))
    return _put(repo, "dirtree", DirTree(tuple(files), ()).encode())


def _put(repo: Path, kind: str, data: bytes) -> Checksum:
    checksum = hashlib.sha256(data).hexdigest()
    (repo / "objects" / checksum[:2] / f"{checksum[2:]}.{kind}").write_bytes(data)
    return Checksum(checksum)
