# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.sign.errors import (
    BadSignature,
    InvalidKey,
    KeyExpired,
    KeyRevoked,
    NoSignature,
    SignatureExpired,
    SigningFailed,
    UntrustedKey,
)
from ostrya.sign.gpg import GpgSigner, GpgVerifier, import_keys, list_keys, require_good
from ostrya.sign.gpg_home import Keyrings
from ostrya.sign.gpg_status import Verdict
from support.gpg_keys import PAST

DATA = b"data\0\xff"


@pytest.fixture(scope="module")
def verifier(people):
    user, _ = people
    return GpgVerifier(Keyrings((("all", user.export()),)))


def signer(people, name):
    user, keys = people
    return GpgSigner(keys[name], str(user.home))


def test_signed_and_verified(people, verifier):
    signature = signer(people, "good").sign(DATA)
    (found,) = verifier.check(DATA, [signature])
    assert found.verdict is Verdict.GOOD
    assert found.fingerprint == found.primary_fingerprint == people[1]["good"]
    assert (found.user_name, found.user_email) == ("Good Person", "good@example.org")
    sentence = verifier.verify(DATA, [signature])
    assert sentence.endswith('Good signature from "Good Person <good@example.org>"')


def test_several_at_once(people, verifier):
    signatures = [signer(people, name).sign(DATA) for name in ("good", "other")]
    found = verifier.check(DATA, signatures)
    assert [one.fingerprint for one in found] == [people[1][name] for name in ("good", "other")]


def test_other_data(people, verifier):
    signature = signer(people, "good").sign(DATA)
    with pytest.raises(BadSignature, match='BAD signature from "Good Person <good@'):
        verifier.verify(DATA + b"x", [signature])


def test_a_missing_key(people):
    user, keys = people
    only = GpgVerifier(Keyrings((("other", user.export(keys["other"])),)))
    with pytest.raises(UntrustedKey, match="public key not found"):
        only.verify(DATA, [signer(people, "good").sign(DATA)])
    with pytest.raises(UntrustedKey, match="public key not found"):
        GpgVerifier(Keyrings()).verify(DATA, [signer(people, "good").sign(DATA)])


def test_an_expired_key(people, verifier):
    user, keys = people
    signature = user.sign(keys["expired"], DATA, f"--faked-system-time={PAST}")
    with pytest.raises(
        KeyExpired, match=r'BAD signature from "Old <old@example\.org>"\nKey expired'
    ):
        verifier.verify(DATA, [signature])


def test_an_expired_signature(people, verifier):
    user, _ = people
    key = user.make_key("Long ago", at=PAST)
    options = (f"--faked-system-time={PAST}", "--default-sig-expire=1d")
    signature = user.sign(key, DATA, *options)
    keyrings = Keyrings((("long ago", user.export(key)),))
    with pytest.raises(SignatureExpired, match='Expired signature from "Long ago <>"'):
        GpgVerifier(keyrings).verify(DATA, [signature])


def test_a_revoked_key(people):
    user, _ = people
    key = user.make_key("Lost")
    signature = user.sign(key, DATA)
    user.revoke(key)
    keyrings = Keyrings((("lost", user.export(key)),))
    with pytest.raises(KeyRevoked, match="\nKey revoked"):
        GpgVerifier(keyrings).verify(DATA, [signature])


def test_a_good_one_among_others(people, verifier):
    user, keys = people
    old = user.sign(keys["expired"], DATA, f"--faked-system-time={PAST}")
    assert "Good signature" in verifier.verify(DATA, [old, signer(people, "good").sign(DATA)])


def test_what_is_no_signature(verifier):
    with pytest.raises(NoSignature, match="GPG verification enabled, but no signatures found"):
        verifier.verify(DATA, [])
    with pytest.raises(NoSignature, match="No GPG signatures found"):
        require_good([])
    for junk in (b"", b"junk", b"\x88\x03abc"):
        with pytest.raises(BadSignature):
            verifier.verify(DATA, [junk])
    with pytest.raises(BadSignature, match="more than 4 MiB"):
        verifier.verify(DATA, [bytes(5 << 20)])
    with pytest.raises(BadSignature, match="more than 1024 signatures"):
        verifier.verify(DATA, [b"\x88\x03abc" * 1025])


def test_signed_text_is_no_signature(people, verifier):
    user, keys = people
    signed = user.gpg(f"--local-user={keys['good']}", "--sign", "--output=-", data=DATA)
    with pytest.raises(BadSignature, match="this is no OpenPGP signature"):
        verifier.verify(DATA, [signed])
    text = user.sign(keys["good"], DATA, "--textmode")
    with pytest.raises(BadSignature):
        verifier.verify(DATA, [text])


def test_armored_signatures(people, verifier):
    user, keys = people
    assert verifier.verify(DATA, [user.sign(keys["good"], DATA, "--armor")])


def test_no_second_signature_by_a_key(people):
    first = signer(people, "good").sign(DATA)
    with pytest.raises(SigningFailed, match="Commit is already signed with GPG key"):
        signer(people, "good").sign(DATA, [first])
    assert signer(people, "other").sign(DATA, [first])


def test_keys_to_sign_with(people):
    user, keys = people
    with pytest.raises(SigningFailed, match=r"No gpg key found with ID 0123 \(homedir: /tmp/g-"):
        GpgSigner("0123", str(user.home)).sign(DATA)
    with pytest.raises(SigningFailed, match="ambiguous"):
        GpgSigner("example.org", str(user.home)).sign(DATA)
    with pytest.raises(SigningFailed, match="Failure signing commit file: GPG: "):
        GpgSigner(keys["expired"], str(user.home)).sign(DATA)
    assert GpgSigner(keys["good"][-8:] + "!", str(user.home)).sign(DATA)


def test_whose_signatures(people, verifier):
    _, keys = people
    signatures = [signer(people, name).sign(DATA) for name in ("good", "other")]
    assert verifier.made_by(DATA, signatures, [keys["other"][-16:]]) == [False, True]
    assert verifier.made_by(DATA, signatures, ["good@example.org"]) == [True, False]
    # Without its key a signature still says whose it is.
    nobody = GpgVerifier(Keyrings())
    assert nobody.made_by(DATA, signatures, ["0x" + keys["good"][-8:].lower()]) == [True, False]


def test_import(people):
    user, keys = people
    sources = [("all", user.export(keys["good"], keys["other"], armored=True))]
    keyring, count = import_keys(b"", sources, [keys["good"][-16:]])
    assert count == 1
    assert [key.fingerprint for key in list_keys(Keyrings((("k", keyring),)))] == [keys["good"]]
    keyring, count = import_keys(keyring, sources)
    assert count == 1
    assert import_keys(keyring, sources)[1] == 0
    found = {key.fingerprint for key in list_keys(Keyrings((("k", keyring),)))}
    assert found == {keys["good"], keys["other"]}


def test_imports_that_are_refused(people):
    user, keys = people
    sources = [("one", user.export(keys["good"]))]
    with pytest.raises(InvalidKey, match='GPG: Unable to find key "0123456789"'):
        import_keys(b"", sources, ["0123456789"])
    with pytest.raises(InvalidKey, match="Unable to import keys: there are none"):
        import_keys(b"", [("empty", b"")])
    with pytest.raises(InvalidKey, match=r"^junk: this is no OpenPGP keyring"):
        import_keys(b"", [("junk", b"junk")])


def test_import_from_the_user(people, monkeypatch):
    user, keys = people
    monkeypatch.setenv("GNUPGHOME", str(user.home))
    assert import_keys(b"", None, [keys["good"]])[1] == 1
    with pytest.raises(InvalidKey, match="Unable to find key"):
        import_keys(b"", None, ["0123456789"])
