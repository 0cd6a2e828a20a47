# SPDX-License-Identifier: Apache-2.0
"""Repositories that libostree's own tests bring along, where Debian's ostree-tests is installed."""

from __future__ import annotations

import hashlib
import tarfile
import zlib
from collections import Counter
from pathlib import Path

import pytest

from ostrya.errors import FormatError
from ostrya.formats.commit import Commit
from ostrya.formats.commitmeta import decode_commitmeta, encode_commitmeta
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.dirtree import DirTree
from ostrya.formats.file_header import FileHeader, parse_prefix
from ostrya.formats.keyfile import KeyFile
from ostrya.formats.object_name import ObjectType, parse_loose_name
from ostrya.formats.summary import Summary

FOLDER = Path("/usr/libexec/installed-tests/libostree")
CODECS = {ObjectType.DIR_TREE: DirTree, ObjectType.DIR_META: DirMeta, ObjectType.COMMIT: Commit}

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="needs Debian's ostree-tests")


def check(path: Path, suffix: str) -> str:
    """Decode one file of a repository, encode it again, compare, and say what it was."""
    name = parse_loose_name(path.parent.name, path.name)
    if name is None:
        return check_other(path)
    data = path.read_bytes()
    if name.type in CODECS:
        assert CODECS[name.type].decode(data).encode() == data
        assert hashlib.sha256(data).hexdigest() == name.checksum
    elif name.type == ObjectType.COMMIT_META:
        assert encode_commitmeta(decode_commitmeta(data)) == data
    elif suffix == "filez":
        length = parse_prefix(data[:8])
        header, size = FileHeader.decode_archive(data[8 : 8 + length])
        assert header.encode_archive(size) == data[: 8 + length]
        content = zlib.decompress(data[8 + length :], -15) if not header.is_symlink else b""
        assert hashlib.sha256(header.encode_stream() + content).hexdigest() == name.checksum
    return name.type.suffix


def check_other(path: Path) -> str:
    data = path.read_bytes()
    if path.name == "summary":
        assert Summary.decode(data).encode() == data
    elif path.name == "config":
        assert KeyFile.decode(data).to_text() == data.decode()
    return path.name if path.name in ("summary", "config") else ""


@pytest.mark.parametrize(
    ("archive", "expected"),
    [
        ("pre-signed-pull-data.tar.gz", {"commit", "dirtree", "dirmeta", "file", "commitmeta"}),
        ("bare-split-xattrs-basic.tar.xz", {"commit", "dirtree", "dirmeta", "config"}),
        ("pre-endian-deltas-repo-big.tar.xz", {"commit", "dirtree", "dirmeta", "file"}),
        ("pre-endian-deltas-repo-little.tar.xz", {"commit", "dirtree", "dirmeta", "file"}),
        ("ostree-path-traverse.tar.gz", {"commit", "dirmeta"}),
    ],
)
def test_every_object(archive, expected, tmp_path):
    refused = "path-traverse" in archive
    with tarfile.open(FOLDER / archive) as tar:
        tar.extractall(tmp_path, filter="data")
    kinds: Counter[str] = Counter()
    for path in sorted(p for p in tmp_path.rglob("*") if p.is_file() and not p.is_symlink()):
        if refused and path.suffix == ".dirtree" and b"../afile" in path.read_bytes():
            with pytest.raises(FormatError, match=r"Invalid / in filename \.\./afile"):
                DirTree.decode(path.read_bytes())
            kinds["refused"] += 1
            continue
        kinds[check(path, path.suffix[1:])] += 1
    assert expected <= set(kinds)
    assert (kinds["refused"] > 0) == refused
