# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.formats.delta_signed import SignedDelta
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.repo.repository import open_repository
from support.deltas import write_delta

VERIFY = ("static-delta", "verify", "--sign-type=dummy")


@pytest.fixture
def folder(sample, monkeypatch):
    monkeypatch.setenv("OSTREE_DUMMY_SIGN_ENABLED", "1")
    with open_repository(str(sample.path)) as repo:
        return write_delta(repo, sample.second, sample.first)


def test_signed(run, sample, folder):
    path = folder / "superblock"
    signatures = VarDict((("ostree.sign.dummy", Variant("aay", (b"good",))),))
    path.write_bytes(SignedDelta(path.read_bytes(), signatures).encode())
    name = f"{sample.first}-{sample.second}"
    for delta in (name, path):
        assert run.ok(*VERIFY, sample.option, delta, "good").out == "Verification OK\n"
        outcome = run(*VERIFY, sample.option, delta, "bad")
        assert (outcome.status, outcome.out) == (30, "Verification fails\n")
        assert outcome.error == "signature: dummy: incorrect signatures found: 1"


def test_unsigned(run, sample, folder):
    outcome = run(*VERIFY, sample.option, f"{folder}/superblock", "good")
    assert outcome.out == "Verification fails\n"
    assert outcome.error == "no signatures in static-delta"


def test_another_engine(run, sample, folder):
    outcome = run(
        "static-delta", "verify", "--sign-type=other", sample.option, f"{folder}/superblock", "k"
    )
    assert outcome.out == "Sign-type not supported\n"
    assert outcome.error == "Requested signature type is not implemented"
    assert run.fails(*VERIFY, sample.option) == "DELTA must be specified"
