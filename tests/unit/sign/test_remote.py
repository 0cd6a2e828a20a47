# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.sign.errors import InvalidKey
from ostrya.sign.remote import remote_verifiers
from support.ed25519_keys import key_pair

ONE = key_pair(1)


def verifiers(tmp_path, **settings):
    named = {key.replace("_", "-"): value for key, value in settings.items()}
    return remote_verifiers("sign-verify", named.get, allow_dummy=True, base_dirs=[str(tmp_path)])


def test_nothing_is_asked_for(tmp_path):
    assert verifiers(tmp_path) == []
    assert verifiers(tmp_path, sign_verify="false") == []


def test_by_name(tmp_path):
    found = verifiers(tmp_path, sign_verify="ed25519", verification_ed25519_key=ONE.public_text)
    assert [verifier.name for verifier in found] == ["ed25519"]


def test_whoever_has_a_key(tmp_path):
    found = verifiers(tmp_path, sign_verify="true", verification_dummy_key="word")
    assert [verifier.name for verifier in found] == ["dummy"]
    (tmp_path / "trusted.ed25519").write_text(ONE.public_text)
    found = verifiers(tmp_path, sign_verify="true", verification_dummy_key="word")
    assert [verifier.name for verifier in found] == ["ed25519", "dummy"]


def test_asked_for_and_no_key(tmp_path):
    with pytest.raises(InvalidKey, match="No keys found for required signapi type spki"):
        verifiers(tmp_path, sign_verify="spki")
    with pytest.raises(InvalidKey, match="sign-verify asks for signatures, but there is no key"):
        verifiers(tmp_path, sign_verify="true")
