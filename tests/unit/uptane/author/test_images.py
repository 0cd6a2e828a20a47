# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.author.images import About, add_commit, add_file, list_images, remove
from ostrya.uptane.author.publish import image_path, publish
from ostrya.uptane.errors import AuthoringError, MetadataInvalid, TargetNotFound
from ostrya.uptane.metadata.dialect import Dialect
from support.uptane_world import NOW

ABOUT = About(("board",), "os", "1.0", 3, "https://images/a")


def test_a_file(work, fw):
    image = add_file(work, "fw-1", fw, ABOUT, NOW)
    assert image.custom == {
        "hardwareIds": ["board"], "name": "os", "version": "1.0", "releaseCounter": 3,
        "uri": "https://images/a", "targetFormat": "BINARY",
    }  # fmt: skip
    assert set(image.hashes) == {"sha256", "sha512"}
    with open(image_path(work, "fw-1"), "rb") as stream:
        assert stream.read() == b"firmware"
    assert {name: published for name, (_, published) in list_images(work).items()} == {
        "fw-1": False
    }
    publish(work, NOW)
    assert list_images(work)["fw-1"][1] is True


def test_a_commit(work, device):
    add_commit(work, "os-1", "ab" * 32, About(("board",)), NOW)
    publish(work, NOW)
    found = device(work).find("os-1")
    assert (found.length, found.hashes, found.custom["targetFormat"]) == (
        0,
        {"sha256": "ab" * 32},
        "OSTREE",
    )


def test_a_name_stands_for_one_image(work, fw, tmp_path):
    add_file(work, "fw", fw, ABOUT, NOW)
    add_file(work, "fw", fw, ABOUT, NOW)
    (tmp_path / "other").write_bytes(b"other")
    with pytest.raises(AuthoringError, match="there is another image fw already"):
        add_file(work, "fw", str(tmp_path / "other"), ABOUT, NOW)
    with open(image_path(work, "fw"), "rb") as stream:
        assert stream.read() == b"firmware"


def test_taken_out(work, device, fw):
    add_file(work, "fw", fw, ABOUT, NOW)
    publish(work, NOW)
    client = device(work)
    client.find("fw")
    remove(work, "fw", NOW)
    publish(work, NOW)
    with pytest.raises(TargetNotFound):
        client.find("fw")
    with pytest.raises(AuthoringError, match="there is no image fw"):
        remove(work, "fw", NOW)


@pytest.mark.parametrize(
    ("name", "about", "error"),
    [
        ("../x", ABOUT, MetadataInvalid), ("é", ABOUT, AuthoringError), ("x", About(()), AuthoringError),
        ("x", About(("é",)), AuthoringError), ("x", About(("board",), role="nobody"), AuthoringError),
    ],
)  # fmt: skip
def test_refused(work, fw, name, about, error):
    with pytest.raises(error):
        add_file(work, name, fw, about, NOW)
    assert work.staged_roles() == ()
    with pytest.raises(AuthoringError, match="no checksum of a commit"):
        add_commit(work, "x", "abc", ABOUT, NOW)


def test_other_characters_are_all_right_for_tuf(make, fw, device):
    work = make(dialect=Dialect.TUF)
    add_file(work, "é", fw, ABOUT, NOW)
    publish(work, NOW)
    assert device(work).find("é").length == 8
