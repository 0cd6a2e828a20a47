# SPDX-License-Identifier: Apache-2.0
"""A root file system by Debian's mmdebstrap, of an archive with one package: no network is needed."""

from __future__ import annotations

import hashlib
import subprocess

import pytest

from ostrya.image.errors import SourceError
from ostrya.image.source_kinds import DebianSource
from ostrya.image.sources import take_in_source
from ostrya.repo.transaction import Transaction
from support.commands import have
from support.small_repos import make_repo
from support.trees import write

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(not have("mmdebstrap"), reason="mmdebstrap is not installed"),
]
CONTROL = """\
Package: tiny
Version: 1.0
Architecture: all
Maintainer: Nobody <nobody@example.com>
Description: almost nothing
"""


@pytest.fixture
def mirror(tmp_path) -> str:
    """A line of sources.list for an archive with one package."""
    folder = tmp_path / "archive"
    write(folder / "tiny/usr/share/tiny/file", b"content")
    write(folder / "tiny/usr/share/doc/tiny/copyright", b"ours")
    write(folder / "tiny/DEBIAN/control", CONTROL.encode())
    package = folder / "tiny.deb"
    argv = ["dpkg-deb", "--root-owner-group", "--build", str(folder / "tiny"), str(package)]
    subprocess.run(argv, check=True, capture_output=True)
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    facts = f"Filename: ./tiny.deb\nSize: {package.stat().st_size}\nSHA256: {digest}\n"
    (folder / "Packages").write_text(f"{CONTROL}{facts}\n")
    return f"deb [trusted=yes] copy:{folder} ./"


def take(tmp_path, source: DebianSource):
    with make_repo(tmp_path / "repo") as repo, Transaction(repo) as tx:
        editor = take_in_source(tx, source).editor
        return {path: editor.read(path) for path in editor.files_below("usr/share")}


def test_what_it_makes_is_taken_in(tmp_path, mirror):
    source = DebianSource(
        "bookworm", ("tiny",), mirrors=(mirror,), variant="extract", left_out=("/usr/share/doc/*",)
    )
    found = take(tmp_path, source)
    assert found["usr/share/tiny/file"] == b"content"


def test_a_package_that_nobody_has_is_named(tmp_path, mirror):
    source = DebianSource("bookworm", ("nonsense",), mirrors=(mirror,), variant="extract")
    with pytest.raises(SourceError, match=r"cannot make bookworm: .*nonsense"):
        take(tmp_path, source)


def test_a_mirror_that_is_not_there(tmp_path):
    source = DebianSource(
        "bookworm", mirrors=("deb [trusted=yes] copy:/nowhere ./",), variant="extract"
    )
    with pytest.raises(SourceError, match="cannot make bookworm: E: "):
        take(tmp_path, source)
