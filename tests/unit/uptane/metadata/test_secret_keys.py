# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.errors import MetadataInvalid
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.keys import is_signed_by
from ostrya.uptane.metadata.secret_keys import KINDS, in_dialect, make_secret_key, read_secret_key
from support.uptane_world import key, rsa_key


@pytest.mark.parametrize("kind", ["ed25519", "rsa2048"])
def test_made_written_and_read(kind):
    made = make_secret_key(kind)
    value = made.to_json()
    again = read_secret_key(value, "it")
    assert again.key == made.key
    assert again.to_json() == value
    assert is_signed_by(made.key, b"data", again.sign(b"data"))
    assert set(KINDS) >= {kind}


def test_seed_and_public_key_as_other_tools_write_them():
    value = key(7).to_json()
    private = value["keyval"]["private"]
    assert private == "07" * 32 + key(7).key.public
    del value["keyval"]["public"]
    assert read_secret_key(value, "it").key == key(7).key


@pytest.mark.parametrize(
    "keyval", [{"private": "00"}, {"private": "x"}, {"private": key(1).to_json()["keyval"]["private"], "public": key(2).key.public}],
)  # fmt: skip
def test_no_secret_key(keyval):
    with pytest.raises(MetadataInvalid):
        read_secret_key({"keytype": "ED25519", "keyval": keyval}, "it")
    with pytest.raises(MetadataInvalid):
        read_secret_key({"keytype": "RSA", "keyval": keyval}, "it")


def test_spelled_in_a_dialect():
    spelled = in_dialect(rsa_key(), Dialect.TUF)
    assert (spelled.key.keytype, spelled.key.scheme) == ("rsa", "rsassa-pss-sha256")
    assert (rsa_key().key.keytype, rsa_key().key.scheme) == ("RSA", "")
