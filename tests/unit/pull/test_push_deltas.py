# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import os

import pytest

from ostrya.formats.checksum import Checksum
from ostrya.formats.delta_name import DeltaName, delta_dir
from ostrya.pull.errors import PushRefused
from ostrya.pull.push import PushOptions, push
from ostrya.pull.push_address import open_target
from ostrya.pull.push_deltas import send_deltas

A, B, C = (Checksum(digit * 64) for digit in "abc")


class Target:
    def __init__(self, known=()):
        self.known = set(known)
        self.files = {}
        self.digests = set()

    def has_delta(self, path):
        return path in self.known

    def put_delta_file(self, path, fd, superblock_sha256):
        self.files[path] = os.read(fd, 1 << 20)
        self.digests.add(superblock_sha256)
        return len(self.files[path])


def write(repo, name, **files):
    folder = os.path.join(repo.path, delta_dir(name))
    os.makedirs(folder)
    for file, data in {"superblock": b"super", **files}.items():
        with open(os.path.join(folder, file.removeprefix("_")), "wb") as stream:
            stream.write(data)


def test_parts_come_before_what_names_them(repo):
    wanted, other = DeltaName(B, A), DeltaName(C, A)
    write(repo, wanted, _0=b"zero", _1=b"one")
    write(repo, other)
    target = Target()
    assert send_deltas(target, repo, {B}) == 1
    folder = delta_dir(wanted)
    assert list(target.files) == [f"{folder}/{name}" for name in ("0", "1", "superblock")]
    assert target.files[f"{folder}/1"] == b"one"
    assert target.digests == {hashlib.sha256(b"super").hexdigest()}


def test_what_is_there_is_not_sent(repo):
    name = DeltaName(B, None)
    write(repo, name)
    assert send_deltas(Target({f"{delta_dir(name)}/superblock"}), repo, {B}) == 0


def test_a_folder_is_sent_none(repo, tmp_path):
    target = open_target(str(tmp_path / "there"))
    with pytest.raises(PushRefused, match="is sent no deltas"):
        push(repo, target, ["main"], PushOptions(deltas=True))
    assert not (tmp_path / "there").exists()
