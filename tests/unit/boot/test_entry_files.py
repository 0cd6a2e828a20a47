# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya._linux.dirfd import open_dir
from ostrya.boot.entry_files import list_entry_files, read_entry_files, version_in_name
from ostrya.boot.errors import EntryInvalid

FOLDER = "boot/loader/entries"


def read(disk) -> list[str]:
    return [file.name for file in read_entry_files(FOLDER, dir_fd=disk.fd)]


def test_the_greatest_version_first(disk):
    assert read(disk) == []
    for name, version in (("ostree-9.conf", "9"), ("ostree-10.conf", "10"), ("ostree-x.conf", "1")):
        disk.make(f"{FOLDER}/{name}", f"version {version}\n")
    assert read(disk) == ["ostree-10.conf", "ostree-9.conf", "ostree-x.conf"]
    (first, *_) = read_entry_files(FOLDER, dir_fd=disk.fd)
    assert first.entry.fields == {"version": "10"}


def test_those_of_others(disk):
    disk.make(f"{FOLDER}/windows.conf")
    disk.make(f"{FOLDER}/ostree-1.conf~")
    disk.make(f"{FOLDER}/ostree-2.conf/file")
    disk.make(f"{FOLDER}/ostree-1.conf")
    fd = open_dir(str(disk.top / FOLDER))
    try:
        assert list_entry_files(fd) == ["ostree-1.conf"]
    finally:
        os.close(fd)


@pytest.mark.parametrize("data", [b"title \xff\n", b"#" * ((1 << 20) + 1)])
def test_damage(disk, data):
    disk.make(f"{FOLDER}/ostree-1.conf").write_bytes(data)
    with pytest.raises(EntryInvalid, match=r"Parsing ostree-1\.conf"):
        read(disk)


def test_the_version_in_a_name():
    names = ("ostree-7-test+3-1.conf", "ostree-12.conf", "ostree-x.conf")
    assert [version_in_name(name) for name in names] == [7, 12, 0]


def test_what_a_power_cut_left_beside_what_was_to_come(disk):
    for name in ("ostree-2+3.conf", "ostree-2.conf", "ostree-1+0-3.conf", "ostree-1+2-1.conf"):
        disk.make(f"{FOLDER}/{name}", f"version {name[7]}\n")
    disk.make(f"{FOLDER}/ostree-3.conf")
    assert read(disk) == ["ostree-2.conf", "ostree-1+0-3.conf"]
