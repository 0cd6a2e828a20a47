# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.client.key_file import load_key, write_key
from ostrya.uptane.client.primary_key import key_to_keep
from ostrya.uptane.errors import MetadataInvalid
from support.uptane_world import key


def test_it_is_made_once_and_is_for_nobody_else(tmp_path):
    path = tmp_path / "a/key"
    assert load_key(str(path), "ed25519").key == load_key(str(path), "ed25519").key
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_one_that_was_written_is_loaded(tmp_path):
    path = str(tmp_path / "key")
    write_key(path, key_to_keep(key(1)))
    assert load_key(path, "rsa2048").key == key(1).key


def test_what_is_no_key_stays(tmp_path):
    path = tmp_path / "key"
    path.write_text("nothing")
    with pytest.raises(MetadataInvalid):
        load_key(str(path), "ed25519")
    assert path.read_text() == "nothing"
