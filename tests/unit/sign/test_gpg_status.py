# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.sign.gpg_status import (
    GpgKey,
    Subkey,
    UserId,
    Verdict,
    count_imported,
    parse_keys,
    parse_signatures,
    with_key,
)

FPR = "0123456789ABCDEF0123456789ABCDEF01234567"
VALID = f"VALIDSIG {FPR} 2020-01-01 1577836800 0 4 0 1 8 00 {FPR[::-1]}"


def lines(*texts):
    return "".join(f"[GNUPG:] {text}\n" for text in texts).encode()


@pytest.mark.parametrize(
    ("word", "verdict"),
    [
        ("GOODSIG", Verdict.GOOD),
        ("BADSIG", Verdict.BAD),
        ("EXPSIG", Verdict.SIGNATURE_EXPIRED),
        ("EXPKEYSIG", Verdict.KEY_EXPIRED),
        ("REVKEYSIG", Verdict.KEY_REVOKED),
    ],
)
def test_verdicts(word, verdict):
    (found,) = parse_signatures(lines("NEWSIG", f"{word} {FPR[-16:]} A <a@b>", VALID))
    assert found.verdict is verdict
    assert (found.fingerprint, found.primary_fingerprint) == (FPR, FPR[::-1])
    assert (found.timestamp, found.algorithm) == (1577836800, "RSA")


@pytest.mark.parametrize(
    "status",
    [
        lines("NEWSIG", f"GOODSIG {FPR[-16:]} A"),
        lines("NEWSIG", f"GOODSIG {FPR[-16:]} A", VALID.replace(" 00 ", " 01 ")),
        lines("NEWSIG", f"BADSIG {FPR[-16:]} A", f"GOODSIG {FPR[-16:]} A", VALID),
        lines("NEWSIG", "GOODSIG", "VALIDSIG"),
    ],
    ids=["not confirmed", "over text", "two verdicts", "nothing said"],
)
def test_no_good_signature(status):
    (found,) = parse_signatures(status)
    assert found.verdict is Verdict.BAD


def test_keys_that_are_missing():
    status = lines(
        "NEWSIG", f"ERRSIG {FPR[-16:]} 22 10 00 1577836800 9 {FPR}", f"NO_PUBKEY {FPR[-16:]}",
        "NEWSIG", f"ERRSIG {FPR[-16:]} 99 10 00 1577836800 4 -",
    )  # fmt: skip
    missing, unknown = parse_signatures(status)
    assert missing.verdict is Verdict.KEY_MISSING
    assert (missing.fingerprint, missing.algorithm) == (FPR, "EdDSA")
    assert unknown.verdict is Verdict.BAD
    assert (unknown.fingerprint, unknown.algorithm) == (FPR[-16:], "[unknown name]")


def test_what_is_not_for_us():
    assert parse_signatures(b"gpg: GOODSIG x\n\xff\n[GNUPG:] \n[GNUPG:] GOODSIG x\n") == []
    assert parse_signatures(lines("NEWSIG", "TRUST_UNDEFINED")) == []


def test_imports_are_counted():
    assert count_imported(lines("IMPORTED x", "IMPORT_RES 3 0 2 0 1 0 0 0 0 0 0 0 0 0 0")) == 2
    assert count_imported(b"") == 0


def test_keys():
    listing = (
        f"cfg::1\npub:e:255:22:{FPR[-16:]}:1577836800:1577923200::-:::sc:::::ed25519:::0:\n"
        f"fpr:::::::::{FPR}:\ngrp:::::::::0:\n"
        "uid:e::::1577836800::HASH::A \\x3a 100% (B) <a@b.org>::::::::::0:\n"
        f"sub:r:255:22:{FPR[:16]}:1577836800:::::::s:\nfpr:::::::::{FPR[::-1]}:\n"
    )
    (key,) = parse_keys(listing.encode())
    assert key.subkeys == (
        Subkey(FPR, 1577836800, 1577923200, expired=True),
        Subkey(FPR[::-1], 1577836800, revoked=True),
    )
    (user,) = key.users
    assert user.text == "A : 100% (B) <a@b.org>"
    assert (user.name, user.email, user.address) == ("A : 100%", "a@b.org", "a@b.org")
    assert key.fingerprint == FPR
    assert parse_keys(b"uid:x\nfpr\npub\n") == []


@pytest.mark.parametrize(
    ("text", "name", "email", "address"),
    [
        ("Name", "Name", "", ""),
        ("a@b.org", "", "a@b.org", "a@b.org"),
        ("a@b.org (C)", "a@b.org", "", ""),
        ("a@b@c.org", "a@b@c.org", "", ""),
        ("Ä@c.org", "Ä@c.org", "", "Ä@c.org"),
        ("Name <>", "Name", "", ""),
        ("N <a@b@c>", "N", "a@b@c", ""),
    ],
)
def test_users(text, name, email, address):
    user = UserId(text)
    assert (user.name, user.email, user.address) == (name, email, address)


def test_a_signature_gets_what_its_key_says():
    (found,) = parse_signatures(lines("NEWSIG", f"GOODSIG {FPR[-16:]} A", VALID))
    key = GpgKey((Subkey(FPR[::-1], expires=5), Subkey(FPR, expires=7)), (UserId("N <n@o>"),))
    told = with_key(found, key)
    assert (told.key_expires, told.primary_expires) == (7, 5)
    assert (told.user_name, told.user_email) == ("N", "n@o")
    assert with_key(found, GpgKey((Subkey("other"),))).user_name == "[unknown name]"
