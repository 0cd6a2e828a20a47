# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.cli.vouched import describe_vouched, vouched_as_json
from ostrya.formats.checksum import Checksum
from ostrya.pull.result import Vouched
from ostrya.sign.gpg_status import GpgSignature, Verdict

ONE, TWO = Checksum("1" * 64), Checksum("2" * 64)
GOOD = GpgSignature(Verdict.GOOD, "F" * 40, "F" * 40, "RSA", 1000000000, 0, "Al", "al@x.org")
FOUND = {ONE: Vouched((GOOD,)), TWO: Vouched((), "ed25519: all is well")}


@pytest.fixture(autouse=True)
def utc(monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")


def test_as_libostree_says_it():
    first, *lines = describe_vouched(FOUND, drop_in=True).splitlines()
    assert first == ""
    assert lines[:2] == ["GPG: Verification enabled, found 1 signature:", ""]
    assert lines[2].startswith("  Signature made ")
    assert lines[3:] == ['  Good signature from "Al <al@x.org>"']


def test_in_our_words():
    text = describe_vouched(FOUND, drop_in=False)
    assert text.startswith(f"\nCommit {ONE}: found 1 signature:\n\n  Signature made ")
    assert text.endswith(f'>"\n\nCommit {TWO}: ed25519: all is well\n\n')


@pytest.mark.parametrize("drop_in", [False, True])
def test_nothing_to_say(drop_in):
    assert describe_vouched({}, drop_in=drop_in) == ""


def test_json():
    first, second = vouched_as_json(FOUND)
    assert (first["commit"], first["gpg"][0]["user_name"], first["sentence"]) == (ONE, "Al", None)
    assert second == {"commit": TWO, "gpg": [], "sentence": "ed25519: all is well"}
