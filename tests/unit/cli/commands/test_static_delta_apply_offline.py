# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.formats.delta_signed import SignedDelta
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.repo.repository import open_repository
from support.deltas import write_delta

APPLY = ("static-delta", "apply-offline")


@pytest.fixture
def folder(sample, monkeypatch):
    monkeypatch.setenv("OSTREE_DUMMY_SIGN_ENABLED", "1")
    with open_repository(str(sample.path)) as repo:
        return write_delta(repo, sample.second)


@pytest.fixture
def other(make_repo):
    return f"--repo={make_repo('other')}"


def test_apply(run, sample, folder, other):
    run.ok(*APPLY, other, folder)
    assert "no errors found" in run.ok("fsck", other).out
    assert run.ok("ls", other, sample.second).out


def test_signed(run, sample, folder, other):
    path = folder / "superblock"
    signatures = VarDict((("ostree.sign.dummy", Variant("aay", (b"good",))),))
    path.write_bytes(SignedDelta(path.read_bytes(), signatures).encode())
    dummy = (*APPLY, "--sign-type=dummy", other, folder)
    assert "incorrect signatures found: 1" in run.fails(*dummy, "bad")
    run.ok("config", other, "set", "core.sign-verify-deltas", "true")
    assert run.fails(*dummy) == "Key is mandatory to check delta signature"
    run.ok(*dummy, "good")
    assert run.ok("ls", other, sample.second).out


def test_a_key_asks_for_a_signature(run, sample, folder, other):
    """Whoever can change a delta can leave its signatures off."""
    dummy = (*APPLY, "--sign-type=dummy", other, folder)
    assert run.fails(*dummy, "good") == "no signatures in static-delta"
    assert run.fails("ls", other, sample.second)
    run.ok(*dummy)


def test_what_cannot_be(run, folder, other, tmp_path):
    assert run.fails(*APPLY, other) == "PATH must be specified"
    assert "No such file" in run.fails(*APPLY, other, tmp_path / "nothing")
    message = run.fails(*APPLY, other, "--sign-type=other", folder)
    assert message == "Requested signature type is not implemented"
    assert "no keys loaded" in run.fails(*APPLY, other, f"--keys-dir={tmp_path}", folder)
