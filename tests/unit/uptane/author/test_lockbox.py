# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from ostrya.uptane.author.images import About, add_commit, add_file
from ostrya.uptane.author.lockbox import Sources, create_lockbox
from ostrya.uptane.author.publish import publish
from ostrya.uptane.errors import AuthoringError, MetadataInvalid
from support.uptane_world import NOW


@pytest.fixture
def sources(make, fw):
    images, director = make(), make("director", director=True)
    add_file(images, "fw", fw, About(("board",), release_counter=4), NOW)
    add_file(images, "fw-2", fw, About(("board",)), NOW)
    add_commit(images, "os", "ab" * 32, About(("gateway",)), NOW)
    publish(images, NOW)
    return Sources(images, director)


def test_all_that_belongs_to_it(sources, tmp_path):
    made = create_lockbox(sources, "EMEA", ["fw", "os"], str(tmp_path / "usb"), NOW)
    assert (made.version, made.commits) == (1, ("ab" * 32,))
    found = {
        str(p.relative_to(tmp_path / "usb")) for p in (tmp_path / "usb").rglob("*") if p.is_file()
    }
    assert found == set(made.files)
    assert found >= {
        "images/fw", "metadata/director/1.root.json", "metadata/director/EMEA.json",
        "metadata/director/offline-snapshot.json", "metadata/image-repo/targets.json",
    }  # fmt: skip
    value = json.loads((tmp_path / "usb/metadata/director/EMEA.json").read_text())["signed"]
    assert value["_type"] == "Offline-Updates"
    assert value["custom"] == {"correlationId": "urn:ostrya:lockbox:EMEA:1"}
    assert value["targets"]["fw"]["custom"] == {"hardwareIds": ["board"]}


def test_made_again(sources, tmp_path):
    create_lockbox(sources, "EMEA", ["fw"], str(tmp_path / "usb"), NOW)
    create_lockbox(sources, "APAC", ["fw"], str(tmp_path / "usb2"), NOW)
    assert create_lockbox(sources, "EMEA", ["fw"], str(tmp_path / "usb"), NOW).version == 2
    listed = json.loads((tmp_path / "usb/metadata/director/offline-snapshot.json").read_text())[
        "signed"
    ]
    assert listed["version"] == 3
    assert {name: one["version"] for name, one in listed["meta"].items()} == {
        "EMEA.json": 2,
        "APAC.json": 1,
    }


@pytest.mark.parametrize(
    ("name", "images", "error"),
    [
        ("x", ["nothing"], AuthoringError), ("x", [], AuthoringError), ("x", ["fw", "fw-2"], AuthoringError),
        ("../x", ["fw"], MetadataInvalid), ("offline-snapshot", ["fw"], AuthoringError),
    ],
)  # fmt: skip
def test_refused(sources, tmp_path, name, images, error):
    with pytest.raises(error):
        create_lockbox(sources, name, images, str(tmp_path / "usb"), NOW)
    assert not (tmp_path / "usb").exists()


def test_no_director(sources, tmp_path):
    with pytest.raises(AuthoringError, match="is no Director"):
        create_lockbox(sources._replace(director=sources.images), "x", ["fw"], str(tmp_path), NOW)
