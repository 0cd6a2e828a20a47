# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.errors import SignatureError
from ostrya.sign.engine import make_signer, make_verifier, verify_with_any
from ostrya.sign.errors import NoSignature, UntrustedKey
from ostrya.sign.keys import parse_key_argument
from ostrya.sign.matching import TrustedKeys
from support.ed25519_keys import key_pair

ONE = key_pair(1)
ED448_SECRET = (
    "MEcCAQAwBQYDK2VxBDsEOWyCpWLLgI0Q1jK+ichRPr9skp803fqMn2PJlg7240ij"
    "UoyKP8wvBE45o/xblEkvjwMudUmiAJj5Ww=="
)


@pytest.mark.parametrize(
    ("name", "secret", "public"),
    [("ed25519", ONE.secret_text, ONE.public), ("dummy", "word", b"word")],
)
def test_by_name(name, secret, public):
    signer = make_signer(name, secret, allow_dummy=True)
    verifier = make_verifier(name, TrustedKeys((public,)), allow_dummy=True)
    assert (signer.name, signer.metadata_key) == (name, f"ostree.sign.{name}")
    assert (verifier.name, verifier.metadata_key) == (name, f"ostree.sign.{name}")
    assert verifier.verify(b"data", [signer.sign(b"data")]).startswith(name)


def test_spki_by_name():
    signer = make_signer("spki", parse_key_argument("spki", ED448_SECRET))
    assert signer.metadata_key == "ostree.sign.spki"
    with pytest.raises(UntrustedKey):
        make_verifier("spki", TrustedKeys(())).verify(b"", [signer.sign(b"")])


def test_what_there_is_not():
    for make in (lambda: make_signer("x", "y"), lambda: make_verifier("x", TrustedKeys(()))):
        with pytest.raises(SignatureError, match="Requested signature type is not implemented"):
            make()
    for make in (
        lambda: make_signer("dummy", "y"),
        lambda: make_verifier("dummy", TrustedKeys(())),
    ):
        with pytest.raises(SignatureError, match="only for ostree testing"):
            make()


def test_any_of_several():
    first = make_verifier("dummy", TrustedKeys((b"a",)), allow_dummy=True)
    second = make_verifier("ed25519", TrustedKeys((ONE.public,)))
    signatures = {"ostree.sign.ed25519": [make_signer("ed25519", ONE.secret).sign(b"data")]}
    found = verify_with_any([first, second], b"data", signatures.get)
    assert found.startswith("ed25519: ")
    with pytest.raises(NoSignature):
        verify_with_any([first], b"data", signatures.get)
    signatures["ostree.sign.dummy"] = [b"b"]
    with pytest.raises(UntrustedKey, match=r"^\(1 other invalid signatures\): signature: dummy"):
        verify_with_any([first, second], b"date", signatures.get)
