# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from ostrya.formats.commitmeta import decode_commitmeta, signatures_in
from ostrya.pull.errors import PushRefused
from ostrya.pull.push_signed import read_source_summary, sign_summary
from ostrya.repo.summary import regenerate_summary
from ostrya.sign.dummy import DummySigner, DummyVerifier


def test_the_source_s_own(repo):
    with pytest.raises(PushRefused, match="has no summary to copy"):
        read_source_summary(repo)
    regenerate_summary(repo)
    summary, signatures = read_source_summary(repo)
    assert summary == (Path(repo.path) / "summary").read_bytes()
    assert signatures is None
    (Path(repo.path) / "summary.sig").write_bytes(b"sig")
    assert read_source_summary(repo) == (summary, b"sig")


def test_a_new_one():
    assert sign_summary(b"summary", []) is None
    signer = DummySigner(b"me")
    data = sign_summary(b"summary", [signer])
    assert signatures_in(decode_commitmeta(data), DummyVerifier.metadata_key) == (b"me",)
