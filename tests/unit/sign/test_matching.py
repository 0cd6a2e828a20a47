# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.sign.errors import BadSignature, KeyRevoked, NoSignature, UntrustedKey
from ostrya.sign.matching import MAX_SIGNATURES, TrustedKeys, find_signer


def equal(key, _data, signature):
    if signature == b"junk":
        raise BadSignature("junk")
    return key == signature


def find(trusted, revoked, signatures):
    keys = TrustedKeys(tuple(trusted), frozenset(revoked))
    return find_signer("toy", keys, b"", signatures, equal)


def test_any_pair_will_do():
    assert find([b"a", b"b"], [], [b"x", b"b"]) == b"b"
    assert find([b"a", b"b"], [], [b"junk", b"b"]) == b"b"


@pytest.mark.parametrize(
    ("trusted", "revoked", "signatures", "error", "message"),
    [
        ([b"a"], [], [], NoSignature, "toy: commit have no signatures of my type"),
        ([b"a"], [], [b"x"] * (MAX_SIGNATURES + 1), BadSignature, "more than 1024 signatures"),
        ([b"a"], [], [b"x"], UntrustedKey, "couldn't be verified with: key '61'"),
        ([b"a", b"b"], [], [b"x"], UntrustedKey, "with: key '61'; key '62'"),
        ([b"a", b"b"], [], [b"x", b"y"], UntrustedKey, "verified; tried 4 keys"),
        ([b"a"], [b"a"], [b"a"], KeyRevoked, "key '61' is revoked"),
        ([b"a"], [b"b"], [b"b"], KeyRevoked, "key '62' is revoked"),
        ([b"a"], [b"a"], [b"x"], UntrustedKey, "toy: no signatures found"),
        ([], [], [b"x"], UntrustedKey, "toy: no signatures found"),
        ([b"a"], [b"b"], [b"junk"], BadSignature, "junk"),
    ],
)
def test_refusals(trusted, revoked, signatures, error, message):
    with pytest.raises(error, match=message):
        find(trusted, revoked, signatures)
