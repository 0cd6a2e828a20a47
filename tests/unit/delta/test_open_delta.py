# SPDX-License-Identifier: Apache-2.0
"""Deltas found by their names and paths."""

from __future__ import annotations

import os

import pytest

from ostrya.delta.errors import DeltaNotTrusted, DeltaRefused
from ostrya.delta.open_delta import OpenDelta, check_offline, open_delta, open_delta_at
from ostrya.formats.delta_signed import SignedDelta
from ostrya.formats.delta_superblock import Fallback
from ostrya.formats.errors import DeltaFormatError, ObjectFormatError
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.sign.dummy import DummySigner, DummyVerifier
from ostrya.sign.errors import SignatureError
from support.deltas import write_delta


def test_by_name_and_path(source):
    repo, old, new = source
    folder = write_delta(repo, new, old)
    before = len(os.listdir("/proc/self/fd"))
    found = [open_delta(repo, f"{old}-{new}"), open_delta(repo, f"{folder}/superblock")]
    found += [open_delta_at(str(folder)), open_delta_at(f"{folder}/superblock")]
    for delta in found:
        assert (delta.superblock.to, delta.superblock.origin) == (new, old)
        assert not delta.is_inline(0)
        with delta, delta.open_part(0, repo.tmp_fd) as payload:
            assert payload.tables().operations
        delta.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_inline(source, tmp_path, monkeypatch):
    repo, _, new = source
    write_delta(repo, new, inline=True, into=tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path / "elsewhere")
    with open_delta_at("superblock") as delta:
        assert delta.is_inline(0)
        with delta.open_part(0, repo.tmp_fd) as payload:
            assert payload.tables().operations


@pytest.mark.parametrize("content", [b"", b"x" * 100])
def test_damaged(repo, tmp_path, content):
    path = tmp_path / "superblock"
    path.write_bytes(content)
    with pytest.raises(DeltaFormatError, match="Invalid delta superblock"):
        open_delta_at(str(path))


def test_not_there(source, tmp_path):
    repo, old, new = source
    for text in (new, f"{old}-{new}", f"{tmp_path}/nothing"):
        with pytest.raises(FileNotFoundError):
            open_delta(repo, text)
    with pytest.raises(FileNotFoundError):
        open_delta_at(str(tmp_path / "nothing"))
    with pytest.raises(ObjectFormatError):
        open_delta(repo, "nothing")


def test_signatures(source):
    repo, _, new = source
    folder = write_delta(repo, new)
    verifier = DummyVerifier((b"key",))
    with open_delta_at(str(folder)) as delta:
        with pytest.raises(DeltaNotTrusted, match="no signatures in static-delta"):
            delta.verify(verifier)
        plain = (folder / "superblock").read_bytes()
    signature = DummySigner(b"key").sign(plain)
    for key, message in (
        ("ostree.sign.dummy", None),
        ("ostree.sign.ed25519", "no signature for 'ostree.sign.dummy' in static-delta superblock"),
    ):
        signatures = VarDict(((key, Variant("aay", (signature,))),))
        (folder / "superblock").write_bytes(SignedDelta(plain, signatures).encode())
        with open_delta_at(str(folder)) as delta:
            if message is not None:
                with pytest.raises(DeltaNotTrusted, match=message):
                    delta.verify(verifier)
                continue
            assert delta.verify(verifier)
            with pytest.raises(SignatureError):
                delta.verify(DummyVerifier((b"other",)))


def test_fallbacks(source):
    repo, _, new = source
    folder = write_delta(repo, new)
    with open_delta_at(str(folder)) as delta:
        assert isinstance(delta, OpenDelta)
        check_offline(delta)
        fallback = Fallback(ObjectName("a" * 64, ObjectType.FILE), 1, 1)
        delta.superblock = delta.superblock._replace(fallbacks=(fallback,))
        with pytest.raises(DeltaRefused, match="Cannot execute delta offline"):
            check_offline(delta)
