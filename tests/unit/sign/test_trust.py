# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from pathlib import Path

import pytest

from ostrya.errors import SignatureError
from ostrya.sign import trust
from ostrya.sign.errors import InvalidKey
from support.ed25519_keys import key_pair

ONE, TWO, THREE = key_pair(1), key_pair(2), key_pair(3)


@pytest.fixture
def base(tmp_path) -> Path:
    (tmp_path / "trusted.ed25519.d").mkdir()
    (tmp_path / "revoked.ed25519.d").mkdir()
    return tmp_path


def test_files_and_drop_ins(base):
    (base / "trusted.ed25519").write_text(f"# a comment\n{ONE.public_text}\n\n{TWO.public_text}")
    (base / "trusted.ed25519.d/three").symlink_to(base / "elsewhere")
    (base / "elsewhere").write_text(THREE.public_text)
    (base / "revoked.ed25519").write_text(TWO.public_text)
    (base / "revoked.ed25519.d/more").write_text(THREE.public_text)
    found = trust.load_trusted_keys("ed25519", [str(base), "/nonexistent"])
    # The last one that was read is tried first.
    assert found.trusted == (THREE.public, TWO.public, ONE.public)
    assert found.revoked == {TWO.public, THREE.public}


def test_no_keys_are_an_error(base):
    with pytest.raises(InvalidKey, match="signature: ed25519: no keys loaded"):
        trust.load_trusted_keys("ed25519", [str(base)])
    with pytest.raises(InvalidKey, match="not implemented"):
        trust.load_trusted_keys("dummy", [str(base)])


def test_what_cannot_be_read_trusts_nobody(base, caplog):
    (base / "trusted.ed25519").write_text("AAAA")
    (base / "trusted.ed25519.d/folder").mkdir()
    os.mkfifo(base / "trusted.ed25519.d/pipe")
    (base / "trusted.ed25519.d/good").write_text(ONE.public_text)
    assert trust.load_trusted_keys("ed25519", [str(base)]).trusted == (ONE.public,)
    assert "pipe' is not a regular file" in caplog.text


def test_revoked_keys_that_cannot_be_read_are_an_error(base):
    (base / "trusted.ed25519").write_text(ONE.public_text)
    (base / "revoked.ed25519.d/gone").symlink_to("/nonexistent")
    with pytest.raises(SignatureError, match="revoked keys cannot be read"):
        trust.load_trusted_keys("ed25519", [str(base)])


def test_one_file(base):
    path = base / "keys"
    path.write_text(f"{ONE.public_text}\nAAAA\n")
    assert trust.load_keys_file("ed25519", str(path)) == (ONE.public,)
    path.write_text("")
    with pytest.raises(InvalidKey, match="no valid keys in file"):
        trust.load_keys_file("ed25519", str(path))
    path.write_text("AAAA")
    with pytest.raises(InvalidKey, match="keys: Invalid ed25519 public key"):
        trust.load_keys_file("ed25519", str(path))
    with pytest.raises(InvalidKey, match=f"File object '{base}' is not a regular file"):
        trust.load_keys_file("ed25519", str(base))
    with pytest.raises(InvalidKey, match="not implemented"):
        trust.load_keys_file("dummy", str(path))
    path.write_bytes(b"A" * (trust.MAX_FILE_BYTES + 1))
    with pytest.raises(InvalidKey, match="larger than 4 MiB"):
        trust.load_keys_file("ed25519", str(path))


def test_secret_keys(base):
    path = base / "keys"
    path.write_text(f"{ONE.secret_text}\n{TWO.secret_text}\n")
    assert trust.load_secret_keys_file("ed25519", str(path)) == [ONE.secret, TWO.secret]
    path.write_text("")
    with pytest.raises(InvalidKey, match="there is no ed25519 key in it"):
        trust.load_secret_keys_file("ed25519", str(path))
    path.write_text("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----")
    with pytest.raises(InvalidKey, match=f'Reading {path}: Unexpected label "PUBLIC KEY"'):
        trust.load_secret_keys_file("spki", str(path))
    assert trust.load_any_keys_file("spki", str(path)) == [b""]


def test_secret_keys_have_public_ones():
    assert trust.public_form("ed25519", ONE.secret) == ONE.public
    assert trust.public_form("ed25519", ONE.public) == ONE.public
    assert trust.public_form("dummy", b"word") == b"word"
    with pytest.raises(InvalidKey):
        trust.public_form("spki", b"word")


def load_remote(base, *, inline=None, path=None, required=True):
    return trust.load_remote_keys(
        "ed25519", inline=inline, path=path, required=required, base_dirs=[str(base)]
    )


def test_keys_of_a_remote(base):
    path = base / "keys"
    path.write_text(TWO.public_text)
    (base / "revoked.ed25519").write_text(ONE.public_text)
    found = load_remote(base, inline=ONE.public_text, path=str(path))
    assert found.trusted == (ONE.public, TWO.public)
    # The system's word counts for the keys of remotes too.
    assert found.revoked == {ONE.public}


def test_a_remote_without_keys(base):
    with pytest.raises(InvalidKey, match="No keys found for required signapi type ed25519"):
        load_remote(base)
    assert load_remote(base, required=False) is None
    (base / "trusted.ed25519").write_text(ONE.public_text)
    assert load_remote(base, required=False).trusted == (ONE.public,)


def test_a_remote_with_bad_keys(base):
    with pytest.raises(InvalidKey, match="Failed loading 'ed25519' keys from inline"):
        load_remote(base, inline="AAAA")
    with pytest.raises(InvalidKey, match=r"keys from '/nonexistent': No such file or directory$"):
        load_remote(base, path="/nonexistent")
