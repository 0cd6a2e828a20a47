# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib

import pytest

from ostrya.uptane.errors import MetadataInvalid
from ostrya.uptane.metadata.fields import Fields
from ostrya.uptane.metadata.hashes import (
    digest,
    digests,
    read_hashes,
    require_known_hash,
    wrong_digests,
)


def test_digests():
    assert digests(b"x", ("sha256", "sha512")) == {
        "sha256": hashlib.sha256(b"x").hexdigest(), "sha512": hashlib.sha512(b"x").hexdigest(),
    }  # fmt: skip
    assert digest("sha512", b"x") == hashlib.sha512(b"x").hexdigest()


def test_all_that_are_known_have_to_be_right():
    right = digests(b"x", ("sha256", "sha512"))
    assert wrong_digests({**right, "md5": "whatever"}, right) == ()
    assert wrong_digests({"sha256": right["sha256"].upper()}, right) == ()
    assert wrong_digests({**right, "sha512": "0" * 128}, right) == ("sha512",)
    assert wrong_digests(right, {"sha256": right["sha256"]}) == ("sha512",)


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"sha256": ""},
        {"sha256": 1},
        {"sha256": "g" * 64},
        {"sha512": "0" * 64},
        {str(at): "x" for at in range(17)},
    ],
)
def test_refused(value):
    with pytest.raises(MetadataInvalid):
        read_hashes(Fields({"hashes": value}, "it"), "hashes")


def test_one_has_to_be_known():
    require_known_hash({"sha256": "0" * 64}, "it")
    with pytest.raises(MetadataInvalid, match="it has no digest by sha256 or sha512"):
        require_known_hash({"md5": "x"}, "it")
