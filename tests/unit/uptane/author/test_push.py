# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil

import pytest

from ostrya.uptane.author.images import About, add_file
from ostrya.uptane.author.publish import publish
from ostrya.uptane.author.push import push
from ostrya.uptane.author.workplace import open_workplace
from ostrya.uptane.errors import AuthoringError
from support.uptane_world import NOW


def test_images_first_and_the_timestamp_last(work, fw, tmp_path):
    add_file(work, "a/fw", fw, About(("board",)), NOW)
    publish(work, NOW)
    target = tmp_path / "www"
    copied = push(work, str(target))
    assert copied[0] == "targets/a/fw"
    assert copied[-2:] == ("snapshot.json", "timestamp.json")
    assert (target / "targets/a/fw").read_bytes() == b"firmware"
    assert push(work, str(target)) == ()
    publish(work, NOW)
    assert push(work, str(target)) == ("snapshot.json", "timestamp.json")
    assert not list(target.rglob("*.sec"))


def test_somebody_else_was_there(work, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(work.folder, other)
    target = tmp_path / "www"
    for _ in range(2):
        publish(work, NOW)
    push(work, str(target))
    before = (target / "timestamp.json").read_bytes()
    with pytest.raises(AuthoringError, match=r"has version 3, and .* only 1"):
        push(open_workplace(str(other)), str(target))
    assert (target / "timestamp.json").read_bytes() == before


def test_nothing_published(make, tmp_path):
    with pytest.raises(AuthoringError, match="no root yet"):
        push(make(sign=False), str(tmp_path / "www"))
    assert not (tmp_path / "www").exists()
