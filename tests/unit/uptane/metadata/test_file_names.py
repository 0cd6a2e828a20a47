# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.file_names import (
    image_file,
    image_files,
    meta_name,
    role_file,
    root_file,
)
from ostrya.uptane.metadata.targets import Image
from support.uptane_world import make_repo

PLAIN = make_repo("r", 1).root()
VERSIONED = PLAIN._replace(consistent_snapshot=True)


def test_metadata():
    assert root_file(4) == "4.root.json"
    assert meta_name("a") == "a.json"
    assert role_file(Dialect.UPTANE, PLAIN, "targets", 2) == "targets.json"
    assert role_file(Dialect.UPTANE, VERSIONED, "targets", 2) == "2.targets.json"
    assert role_file(Dialect.UPTANE, PLAIN, "a b", 2) == "delegations/a%20b.json"
    assert role_file(Dialect.UPTANE, VERSIONED, "a", 2) == "delegations/2.a.json"
    assert role_file(Dialect.TUF, VERSIONED, "a", 2) == "2.a.json"
    assert role_file(Dialect.TUF, PLAIN, "a", 2) == "a.json"


def test_images():
    image = Image(1, {"sha512": "bb", "sha256": "aa"})
    assert image_file(PLAIN, "a/b", image) == "a/b"
    assert image_file(VERSIONED, "a/b", image) == "a/aa.b"
    assert image_file(VERSIONED, "b", image) == "aa.b"
    assert image_files(VERSIONED, "a/b", image) == ("a/aa.b", "a/bb.b")
    assert image_files(PLAIN, "a/b", image) == ("a/b",)
