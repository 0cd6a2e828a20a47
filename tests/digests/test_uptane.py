# SPDX-License-Identifier: Apache-2.0
"""Metadata of updates: pinned values, pinned bytes; and bytes that python-tuf wrote once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ostrya.uptane.delegation_search import Question, find_image
from ostrya.uptane.full_verification import refresh_image
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.keys import server_key_id, tuf_key_id, uptane_key_id
from ostrya.uptane.metadata.secret_keys import in_dialect
from ostrya.uptane.steps import run_steps
from ostrya.uptane.trusted_set import open_trusted
from support.uptane_world import NOW, key, make_world

VECTORS = Path(__file__).resolve().parents[1] / "vectors/python-tuf-7.0.1"
FILES = ("1.root.json", "timestamp.json", "snapshot.json", "targets.json")


@pytest.mark.parametrize(
    ("dialect", "digest"),
    [
        (Dialect.UPTANE, "6b7e5372b76f00025c15f59cadb930b47c67c3f460b0d3dc6d4cb2fe37fe3156"),
        (Dialect.TUF, "ecdff068969abb390f576d3ef796219617e97786ea43ca95a3aff93cdee4bf28"),
    ],
    ids=lambda one: getattr(one, "value", ""),
)
def test_a_whole_repository(dialect, digest):
    """Keys are pinned, and their signatures are always the same."""
    world = make_world(dialect)
    whole = b"\n".join(world.image.files[name] for name in FILES)
    assert hashlib.sha256(whole).hexdigest() == digest


def test_key_ids():
    one = key(1).key
    found = (
        uptane_key_id(one),
        server_key_id(one),
        tuf_key_id(in_dialect(key(1), Dialect.TUF).key),
    )
    assert found == (
        "04edd6d0e9414422fde05dc728b5c3283b6c604200cb0b6011d8dc612c3b39d0",
        "fd110d301d2f077de1414b8f99f441b1403fab207b2052fbd2c065e4ee8e7dc2",
        "7ab6b86cb2c9684b0ddc10896153aa2595decf4d4327a5ff1a8ab7422c828b12",
    )


def test_what_python_tuf_wrote():
    def fetch(wanted):
        path = VECTORS / wanted.file
        return path.read_bytes() if path.exists() else None

    def keep(accepted):
        assert accepted.trusted.name == "vectors"

    files = {"root": (VECTORS / "1.root.json").read_bytes()}
    found = open_trusted("vectors", Dialect.TUF, files)
    found = run_steps(refresh_image(found, NOW), fetch, keep)
    assert found.root.header.version == 2
    for name, length in (("firmware", 7), ("supplied/é", 8)):
        _, image = run_steps(find_image(found, Question(name, frozenset(), NOW)), fetch, keep)
        assert image.length == length
