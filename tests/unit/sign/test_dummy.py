# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.errors import SignatureError
from ostrya.sign.dummy import DummySigner, DummyVerifier, require_enabled
from ostrya.sign.errors import NoSignature, UntrustedKey


def test_the_key_is_the_signature():
    assert DummySigner(b"word").sign(b"data") == b"word"
    assert DummyVerifier([b"word"]).verify(b"other", [b"x", b"word"]) == "dummy: Signature verified"


def test_refusals():
    with pytest.raises(NoSignature, match="commit have no signatures of my type"):
        DummyVerifier([b"word"]).verify(b"", [])
    with pytest.raises(UntrustedKey, match="incorrect signatures found: 2"):
        DummyVerifier([b"word"]).verify(b"", [b"a", b"b"])
    with pytest.raises(SignatureError, match="only for ostree testing"):
        require_enabled(enabled=False)
