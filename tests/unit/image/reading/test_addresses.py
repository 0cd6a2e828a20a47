# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.image.errors import DiskError
from ostrya.image.reading.addresses import Address, is_address, parse_address, view_at
from ostrya.image.reading.disk import DiskImage
from support.image_world import missing
from support.small_disks_plain import make_disk


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("disk.img", "a:b", "a"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("disk.img", Address("disk.img", "", "/")),
        ("disk.img:/", Address("disk.img", "", "/")),
        ("disk.img:/etc/a:/b", Address("disk.img", "", "/etc/a:/b")),
        ("disk.img:2:/x", Address("disk.img", "2", "/x")),
        ("disk.img:boot:/EFI/a:b", Address("disk.img", "boot", "/EFI/a:b")),
        ("disk.img:boot:", Address("disk.img", "boot", "/")),
        ("disk.img:boot", Address("disk.img", "boot", "/")),
        ("a:b:/x", Address("a:b", "", "/x")),
        ("a:/x", Address("a", "", "/x")),
        ("a:b", Address("a:b", "", "/")),
    ],
)
@pytest.mark.usefixtures("here")
def test_addresses(text, address):
    assert parse_address(text) == address


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nothing:/x", "no image nothing"),
        ("nothing", "no image nothing"),
        ("disk.img:x:y", "says no place"),
    ],
)
@pytest.mark.usefixtures("here")
def test_what_is_none(text, words):
    with pytest.raises(DiskError, match=words):
        parse_address(text)


@pytest.mark.usefixtures("here")
def test_what_looks_like_one():
    assert is_address("disk.img:/etc")
    assert is_address("nothing:2:/etc")
    assert not is_address("disk.img")
    assert not is_address("./file")


def test_it_is_written_as_it_is_read():
    assert str(Address("disk", "", "/x")) == "disk:/x"
    assert str(Address("disk", "2", "/x")) == "disk:2:/x"


@pytest.mark.skipif(bool(missing("mke2fs")), reason="no mke2fs")
def test_views(tree, tmp_path):
    path = str(make_disk(tree, tmp_path / "disk"))
    with DiskImage(path) as disk:
        assert view_at(disk, Address(path, "boot", "/")).find("/boot.scr")
        # Nobody has deployed anything: then it is the Linux file system.
        assert view_at(disk, Address(path, "", "/")).find("/small")
        blank = disk.volumes[0]._replace(files=None, kind="swap")
        disk.volumes = (blank, disk.volumes[1])
        with pytest.raises(DiskError, match="is swap, which cannot be read here"):
            view_at(disk, Address(path, "1", "/"))
