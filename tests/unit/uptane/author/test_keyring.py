# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import stat

import pytest

from ostrya.uptane.author.keyring import (
    Keyring,
    make_key,
    read_bounded,
    read_public_key,
    spelled,
    write_key,
)
from ostrya.uptane.errors import AuthoringError, MetadataInvalid
from ostrya.uptane.metadata.dialect import Dialect
from support.uptane_world import key, rsa_key


def test_written_found_and_for_nobody_else(tmp_path):
    write_key(str(tmp_path / "k"), "one", key(1))
    path = tmp_path / "k/one.sec"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "k").stat().st_mode) == 0o700
    assert read_public_key(str(tmp_path / "k/one.pub")) == key(1).key
    ring = Keyring([str(tmp_path / "nothing"), str(tmp_path / "k")])
    assert ring.find(spelled(key(1).key, Dialect.TUF)) == key(1)._replace(
        private=ring.find(key(1).key).private
    )
    assert ring.find(key(2).key) is None


def test_a_key_is_never_replaced(tmp_path):
    write_key(str(tmp_path), "one", key(1))
    with pytest.raises(AuthoringError, match="exists already"):
        write_key(str(tmp_path), "one", key(2))
    os.unlink(tmp_path / "one.sec")
    with pytest.raises(AuthoringError, match="exists already"):
        write_key(str(tmp_path), "one", key(2))
    assert not (tmp_path / "one.sec").exists()


def test_files_that_are_no_keys(tmp_path):
    (tmp_path / "x.sec").write_text("{}")
    with pytest.raises(MetadataInvalid, match=r"x\.sec has no 'keytype'"):
        Keyring([str(tmp_path)]).find(key(1).key)
    (tmp_path / "x.pub").write_text('{"keytype": "x", "keyval": {"public": "y"}}')
    with pytest.raises(AuthoringError, match="cannot be used"):
        read_public_key(str(tmp_path / "x.pub"))
    with pytest.raises(AuthoringError, match="more than 1 bytes"):
        read_bounded(str(tmp_path / "x.pub"), 1)


def test_kinds():
    assert make_key("ed25519").key.kind == "ed25519"
    with pytest.raises(AuthoringError, match="is no kind of key"):
        make_key("dsa")


def test_spelled():
    assert spelled(spelled(rsa_key().key, Dialect.TUF), Dialect.UPTANE) == rsa_key().key
    assert spelled(key(1).key, Dialect.TUF).scheme == "ed25519"
