# SPDX-License-Identifier: Apache-2.0
"""Deltas applied from files: the commit is there, or nothing is."""

from __future__ import annotations

from contextlib import suppress

import pytest

from ostrya.delta.errors import DeltaNotTrusted, DeltaRefused, PartMismatch
from ostrya.delta.offline import apply_offline
from ostrya.errors import OstryaError, SignatureError
from ostrya.formats.delta_name import DeltaName, commitmeta_path
from ostrya.formats.delta_signed import SignedDelta
from ostrya.formats.delta_superblock import DeltaByteOrder, Superblock
from ostrya.formats.errors import DeltaFormatError
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.repo.detached import read_detached
from ostrya.repo.fsck import fsck
from ostrya.repo.transaction import Transaction
from ostrya.sign.dummy import DummySigner, DummyVerifier
from support.deltas import write_delta
from support.small_repos import WRITABLE_MODES, configure, make_repo, names_of


def apply(repo, path, verifier=None) -> str:
    with Transaction(repo) as tx:
        checksum = apply_offline(tx, str(path), verifier)
        tx.commit()
    return checksum


@pytest.mark.parametrize("mode", WRITABLE_MODES)
@pytest.mark.parametrize("inline", [True, False])
@pytest.mark.parametrize("order", [DeltaByteOrder.LITTLE, DeltaByteOrder.BIG])
def test_two_commits(source, tmp_path, mode, inline, order):
    theirs, old, new = source
    first = write_delta(theirs, old, inline=inline, order=order, into=tmp_path / "first")
    second = write_delta(theirs, new, old, inline=inline, order=order, into=tmp_path / "second")
    with make_repo(tmp_path / "other", mode) as repo:
        assert apply(repo, first) == old
        assert apply(repo, second / "superblock") == new
        assert names_of(repo) == names_of(theirs)
        assert fsck(repo, jobs=1).partial == 0
        apply(repo, second)


def test_detached_metadata(source, repo):
    theirs, _, new = source
    folder = write_delta(theirs, new)
    block = Superblock.decode((folder / "superblock").read_bytes())
    detached = VarDict((("k", Variant("s", "v")),))
    key = commitmeta_path(DeltaName(new, None))
    metadata = VarDict((*block.metadata, (key, Variant("a{sv}", detached))))
    (folder / "superblock").write_bytes(block._replace(metadata=metadata).encode())
    apply(repo, folder)
    assert read_detached(repo, new) == detached


def refused(repo, path, error, message, verifier=None) -> None:
    before = names_of(repo)
    with pytest.raises(error, match=message):
        apply(repo, path, verifier)
    assert names_of(repo) == before


def test_without_what_it_needs(source, repo):
    theirs, old, new = source
    folder = write_delta(theirs, new, old)
    refused(repo, folder, DeltaRefused, f"Commit {old}, which is the delta source, is not in repo")


def test_hostile_superblocks(source, repo, tmp_path):
    theirs, old, new = source
    folder = write_delta(theirs, new)
    path = folder / "superblock"
    block = Superblock.decode(path.read_bytes())
    part = block.parts[0]

    def put(**fields: object) -> None:
        path.write_bytes(block._replace(**fields).encode())

    put(to=old)
    refused(repo, folder, OstryaError, "Corrupted commit object")
    put(parts=(part._replace(version=1),))
    refused(repo, folder, DeltaRefused, "too new version 1")
    put(parts=(part._replace(checksum="a" * 64),))
    refused(repo, folder, PartMismatch, "Checksum mismatch in static delta part; expected=aaaa")
    put(parts=(part._replace(objects=part.objects[:33]),))
    refused(repo, folder, DeltaFormatError, "Executing delta part 0: The part makes only 1 obj")
    put(parts=(part._replace(objects=b"\7" + part.objects[1:]),))
    refused(repo, folder, DeltaFormatError, "Invalid object type '7'")
    put()
    apply(repo, folder)


def test_every_changed_byte(source, tmp_path):
    """Whatever is changed in a delta, it ends in the commit that was meant or in one sentence."""
    theirs, old, new = source
    folder = write_delta(theirs, new, old, inline=True, into=tmp_path / "delta")
    path = folder / "superblock"
    data = path.read_bytes()
    with make_repo(tmp_path / "other", fsync="true") as repo:
        apply(repo, write_delta(theirs, old))
        before = names_of(repo)
        for at in range(0, len(data), 7):
            changed = bytearray(data)
            changed[at] ^= 1 << at % 8
            path.write_bytes(changed)
            with Transaction(repo) as tx, suppress(OstryaError, FileNotFoundError):
                assert apply_offline(tx, str(path)) == new
        assert names_of(repo) == before


def test_signatures(source, repo):
    theirs, _, new = source
    folder = write_delta(theirs, new)
    path = folder / "superblock"
    plain = path.read_bytes()
    good, bad = DummyVerifier((b"good",)), DummyVerifier((b"bad",))
    configure(repo, sign_verify_deltas="true")
    refused(repo, folder, DeltaNotTrusted, "no signatures in static-delta")
    signature = DummySigner(b"good").sign(plain)
    signatures = VarDict((("ostree.sign.dummy", Variant("aay", (signature,))),))
    path.write_bytes(SignedDelta(plain, signatures).encode())
    refused(repo, folder, DeltaNotTrusted, "Key is mandatory to check delta signature")
    refused(repo, folder, SignatureError, "incorrect signatures found", bad)
    assert apply(repo, folder, good) == new


def test_an_unsigned_delta_where_nobody_asks(source, repo):
    theirs, _, new = source
    folder = write_delta(theirs, new)
    assert apply(repo, folder, DummyVerifier((b"good",))) == new
