# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane import checks
from ostrya.uptane.errors import MetadataExpired, MetadataMismatch, RollbackDetected, TargetMismatch
from ostrya.uptane.metadata.hashes import digests
from ostrya.uptane.metadata.header import Header
from ostrya.uptane.metadata.snapshot import MetaFile, Snapshot
from support.uptane_world import LATER, NOW, assigned, image

HEADER = Header(3, NOW)


def test_the_last_moment():
    """What expires at a moment has expired at it."""
    checks.check_unexpired(Header(1, NOW + LATER), NOW, "it")
    with pytest.raises(MetadataExpired):
        checks.check_unexpired(HEADER, NOW, "it")


def test_versions():
    checks.check_no_rollback(HEADER, None, "it")
    checks.check_no_rollback(HEADER, HEADER, "it")
    with pytest.raises(RollbackDetected, match="it has version 3, 4 is known"):
        checks.check_no_rollback(HEADER, Header(4, NOW), "it")
    checks.check_version(HEADER, MetaFile(3), "it")
    with pytest.raises(MetadataMismatch):
        checks.check_version(HEADER, MetaFile(4), "it")


def test_a_file():
    right = MetaFile(1, 1, digests(b"x", ("sha256", "sha512")))
    checks.check_file(b"x", right, "it")
    checks.check_file(b"anything", MetaFile(1), "it")
    for wrong in (
        right._replace(length=2),
        right._replace(hashes={**right.hashes, "sha512": "0" * 128}),
    ):
        with pytest.raises(MetadataMismatch):
            checks.check_file(b"x", wrong, "it")


def test_a_root_that_a_snapshot_lists_no_more():
    """Older servers list it; it may go."""
    known = Snapshot(HEADER, {"root.json": MetaFile(4), "targets.json": MetaFile(1)})
    new = Snapshot(HEADER, {"targets.json": MetaFile(1)})
    checks.check_listed_files(new, known, "it")
    checks.check_listed_versions(new, known, "it")
    with pytest.raises(RollbackDetected, match=r"does not list targets\.json any more"):
        checks.check_listed_files(Snapshot(HEADER, {}), known, "it")


def test_digests_in_other_letters_are_the_same():
    one = image()
    other = one._replace(hashes={"sha256": one.hashes["sha256"].upper()})
    checks.check_same_hashes(assigned(one), other, "it")


def test_an_image_that_does_not_say_what_it_is_made_for():
    with pytest.raises(TargetMismatch, match="made for nothing that is said"):
        checks.check_hardware_ids(assigned(image()), image(hardwareIds=[]), "it")


def test_release_counters():
    checks.check_release_counter(image(releaseCounter=4), 4, "it", "e")
    checks.check_release_counter(image(), None, "it", "e")
    for older in (image(releaseCounter=3), image()):
        with pytest.raises(RollbackDetected):
            checks.check_release_counter(older, 4, "it", "e")
