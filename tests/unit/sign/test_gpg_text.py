# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import locale
import time

import pytest

from ostrya.sign.gpg_status import GpgKey, GpgSignature, Subkey, UserId, Verdict
from ostrya.sign.gpg_text import (
    describe_key,
    describe_signature,
    describe_signatures,
    format_time,
    update_urls,
)

FPR = "5E65DE75AB1C501862D476347FCA23D8472CDAFA"
SUB = "CC47B2DFB520AEF231180725DF20F58B408DEA49"


@pytest.fixture(autouse=True)
def utc(monkeypatch):
    real = locale.nl_langinfo
    codeset = {locale.CODESET: "ANSI_X3.4-1968"}
    monkeypatch.setattr(locale, "nl_langinfo", lambda item: codeset.get(item) or real(item))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def signature(verdict, **more):
    found = GpgSignature(
        verdict, FPR, FPR, "RSA", 1378780182, user_name="Ostree Tester", user_email="test@test.com"
    )
    return found._replace(**more)


MADE = "Signature made Tue Sep 10 02:29:42 2013 using RSA key ID 7FCA23D8472CDAFA\n"


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        (Verdict.GOOD, 'Good signature from "Ostree Tester <test@test.com>"\n'),
        (Verdict.BAD, 'BAD signature from "Ostree Tester <test@test.com>"\n'),
        (Verdict.KEY_EXPIRED, 'BAD signature from "Ostree Tester <test@test.com>"\n'),
        (Verdict.SIGNATURE_EXPIRED, 'Expired signature from "Ostree Tester <test@test.com>"\n'),
        (Verdict.KEY_REVOKED, "Key revoked\n"),
        (Verdict.KEY_MISSING, "Can't check signature: public key not found\n"),
    ],
)
def test_signatures(verdict, line):
    assert describe_signature(signature(verdict)) == MADE + line


def test_ends():
    text = describe_signature(
        signature(
            Verdict.KEY_EXPIRED, fingerprint=SUB, expires=86400, key_expires=2, primary_expires=1
        ),
        "> ",
    )
    assert text.split("\n")[2:] == [
        "> Primary key ID 7FCA23D8472CDAFA",
        "> Signature expires Fri Jan  2 00:00:00 1970",
        "> Key expired Thu Jan  1 00:00:02 1970",
        "> Primary key expired Thu Jan  1 00:00:01 1970",
        "",
    ]
    text = describe_signature(signature(Verdict.SIGNATURE_EXPIRED, expires=1))
    assert text.endswith("Signature expired Thu Jan  1 00:00:01 1970\n")


def test_times_that_nobody_has():
    text = describe_signature(signature(Verdict.GOOD, expires=1 << 60))
    assert text.endswith("Signature expiry timestamp (1152921504606846976) is invalid\n")
    text = describe_signature(signature(Verdict.GOOD, timestamp=1 << 60))
    assert text == "Can't check signature: timestamp 1152921504606846976 is invalid\n"


def test_days_are_padded_as_glib_pads_them(monkeypatch):
    assert format_time(0) == "Thu Jan  1 00:00:00 1970"
    monkeypatch.undo()
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    if locale.nl_langinfo(locale.CODESET) == "UTF-8":
        assert format_time(0) == "Thu Jan \N{FIGURE SPACE}1 00:00:00 1970"
    assert format_time(86400 * 10) == "Sun Jan 11 00:00:00 1970"


def test_several():
    one = signature(Verdict.GOOD)
    assert describe_signatures([one]).startswith("Found 1 signature:\n\n  Signature made ")
    assert describe_signatures([one, one], " on x").startswith("Found 2 signatures on x:\n\n  S")


def test_keys():
    key = GpgKey(
        (Subkey(FPR, 1378780182, 1, revoked=True, expired=True), Subkey(SUB, 1, invalid=True)),
        (UserId("Ostree Tester <test@test.com>", revoked=True), UserId("x", invalid=True)),
    )
    assert describe_key(key) == (
        f"Key: {FPR} (revoked)\n"
        "  Created: Tue Sep 10 02:29:42 2013\n"
        "  Expired: Thu Jan  1 00:00:01 1970\n"
        "  UID: Ostree Tester <test@test.com> (revoked)\n"
        "  Advanced update URL: https://openpgpkey.test.com/.well-known/openpgpkey/test.com/hu/"
        "iffe93qcsgp4c8ncbb378rxjo6cn9q6u?l=test\n"
        "  Direct update URL: https://test.com/.well-known/openpgpkey/hu/"
        "iffe93qcsgp4c8ncbb378rxjo6cn9q6u?l=test\n"
        "  UID: x (invalid)\n  Advanced update URL: \n  Direct update URL: \n"
        f"  Subkey: {SUB} (invalid)\n    Created: Thu Jan  1 00:00:01 1970\n"
    )


def test_addresses_are_lowered_and_quoted():
    advanced, direct = update_urls("Joe.Doe+x@Example.ORG")
    assert advanced.startswith("https://openpgpkey.Example.ORG/.well-known/openpgpkey/example.org/")
    assert direct.endswith("?l=Joe.Doe%2Bx")
    # The example of the draft that defines them.
    assert "/hu/iy9q119eutrkn8s1mk4r39qejnbu3n5q?" in update_urls("Joe.Doe@example.org")[1]
