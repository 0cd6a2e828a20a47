# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.client.installs import Target
from ostrya.uptane.client.secondaries.bundle import Bundle
from ostrya.uptane.client.secondaries.ecu_checks import Assigned, find_file
from ostrya.uptane.steps import Repository, Wanted
from support.uptane_world import make_repo

REPO = make_repo("Image repository", 20)
ROOT = REPO.files["1.root.json"]
FILES = {"root": ROOT, "targets": b"t", "snapshot": b"s", "timestamp": b"i", "a/b": b"role"}


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("timestamp.json", b"i"), ("3.snapshot.json", b"s"), ("targets.json", b"t"),
        ("delegations/a%2Fb.json", b"role"), ("delegations/7.a%2Fb.json", b"role"),
        ("1.root.json", ROOT), ("2.root.json", None), ("9.root.json", b"nine"),
        ("other.json", None),
    ],
)  # fmt: skip
def test_files_by_the_names_that_servers_have_them_under(file, data):
    bundle = Bundle({}, FILES, {}, {9: b"nine"})
    assert find_file(bundle, Wanted(Repository.IMAGE, file, 1000)) == data
    assert find_file(bundle, Wanted(Repository.DIRECTOR, file, 1000)) is None


def test_what_is_assigned_as_an_installer_takes_it():
    target = Target("e", "os", 0, {"sha256": "aa"}, 4, "u")
    image = Assigned(target, is_ostree=True, uri="https://x").image()
    assert (image.name, image.hashes, image.is_ostree, image.uri) == (
        "os", {"sha256": "aa"}, True, "https://x",
    )  # fmt: skip
