# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.sign.engine import make_signer, make_verifier
from ostrya.sign.errors import InvalidKey
from ostrya.sign.generate import generate_keys
from ostrya.sign.keys import parse_public_keys, parse_secret_keys
from ostrya.sign.matching import TrustedKeys


@pytest.mark.parametrize("engine", ["ed25519", "spki"])
def test_one_verifies_what_the_other_signs(engine):
    pair = generate_keys(engine)
    [secret] = parse_secret_keys(engine, pair.secret)
    [public] = parse_public_keys(engine, pair.public)
    signature = make_signer(engine, secret).sign(b"data")
    verifier = make_verifier(engine, TrustedKeys((public,), frozenset()))
    assert "verified" in verifier.verify(b"data", [signature])
    assert generate_keys(engine) != pair


def test_others_have_none():
    with pytest.raises(InvalidKey):
        generate_keys("dummy")
