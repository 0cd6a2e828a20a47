# SPDX-License-Identifier: Apache-2.0
"""Disks written by us, read by whoever else reads them: sgdisk, fsck.vfat, mtools."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ostrya.image.disk_layout import PartitionWish, plan_disk
from ostrya.image.errors import LayoutError
from ostrya.image.fat import FatFile, FatOptions, encode_fat
from ostrya.image.fat_names import Names, encode_name
from ostrya.image.gpt import TYPE_LINUX, GptPartition, encode_gpt
from ostrya.image.mbr import SECTOR_BYTES
from support.commands import have

MIB = 1 << 20
LETTERS = st.characters(
    codec="utf-8", exclude_characters='"*/:<>?\\|', exclude_categories=("Cc", "Cs")
)
NAMES = st.text(LETTERS, min_size=1, max_size=40).filter(lambda name: name[-1] not in ". ")
PLAIN = st.text(st.sampled_from("abcXYZ019 ._-+~"), min_size=1, max_size=20).filter(
    lambda name: name[-1] not in ". " and name[0] != " "
)
PATHS = st.lists(PLAIN, min_size=1, max_size=3).map("/".join)


@given(st.lists(NAMES, max_size=30))
def test_no_two_names_of_a_directory_have_the_same_short_name(names):
    found, there = set(), Names()
    for name in names:
        try:
            short, long_entries = encode_name(name, there)
        except LayoutError:
            continue
        assert len(short) == 11
        assert len(long_entries) % 32 == 0
        assert short not in found
        assert re.fullmatch(rb"[A-Z0-9!#$%&'()\-@^_`{}~ ]{11}", short)
        found.add(short)


@pytest.mark.skipif(not (have("fsck.vfat") and have("mcopy")), reason="mtools are not installed")
@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(PATHS, st.binary(max_size=3000), max_size=12),
    st.sampled_from([4 * MIB, 5 * MIB + 512, 64 * MIB]),
    st.integers(0, (1 << 32) - 1),
    st.integers(0, 4_000_000_000),
)
def test_a_fat_is_sound_and_has_its_files(files, size, volume_id, timestamp):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "fat"
        options = FatOptions(size, "boot", volume_id, timestamp)
        try:
            pieces = list(encode_fat([FatFile(*file) for file in files.items()], options))
        except LayoutError:
            # A path below a file, or two that differ in capitals only.
            lower = [tuple(path.lower().split("/")) for path in files]
            prefixes = [one[:depth] for one in lower for depth in range(1, len(one))]
            names = {
                tuple(path.split("/")[: at + 1])
                for path in files
                for at in range(path.count("/") + 1)
            }
            folded = {tuple(part.upper() for part in name) for name in names}
            assert (
                len(folded) < len(names)
                or set(lower) & set(prefixes)
                or len(set(lower)) < len(lower)
            )
            return
        with path.open("wb") as stream:
            stream.truncate(size)
            for at, data in pieces:
                stream.seek(at)
                stream.write(data)
        subprocess.run(["fsck.vfat", "-n", path], check=True, capture_output=True)
        for name, data in files.items():
            argv = ["mcopy", "-n", "-i", path, f"::{name}", "-"]
            assert subprocess.run(argv, check=True, capture_output=True).stdout == data


@pytest.mark.skipif(not have("sgdisk"), reason="sgdisk is not installed")
@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(1, 20 * MIB), min_size=1, max_size=6),
    st.integers(0, 40),
    st.text(max_size=8),
)
def test_sgdisk_reads_every_plan(sizes, more_mib, seed):
    wishes = [PartitionWish(f"part {at}", TYPE_LINUX, size) for at, size in enumerate(sizes)]
    least = plan_disk(wishes, seed=seed)
    plan = plan_disk(wishes, seed=seed, size_bytes=(least.sectors * SECTOR_BYTES) + more_mib * MIB)
    for at, size in enumerate(sizes):
        assert size <= plan.size(at)
        assert plan.offset(at) % MIB == 0
    gpt = encode_gpt(plan.partitions, disk_guid=plan.guid, disk_sectors=plan.sectors)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "disk"
        with path.open("wb") as stream:
            stream.write(gpt.primary)
            stream.truncate(plan.sectors * SECTOR_BYTES)
            stream.seek(-len(gpt.backup), 2)
            stream.write(gpt.backup)
        said = subprocess.run(
            ["sgdisk", "-v", "-p", path], capture_output=True, text=True, check=True
        ).stdout
        assert "No problems found" in said
        for number, one in enumerate(plan.partitions, 1):
            assert re.search(
                rf"^ +{number} +{one.first} +{one.first + one.sectors - 1} ", said, re.MULTILINE
            )


@given(
    st.integers(34, 5000), st.integers(1, 5000), st.integers(34, 5000), st.integers(1, 5000),
)  # fmt: skip
def test_two_partitions_that_share_a_sector_are_refused(first, size, other, other_size):
    pair = [
        GptPartition(first, size, TYPE_LINUX, UUID(int=1), "a"),
        GptPartition(other, other_size, TYPE_LINUX, UUID(int=2), "b"),
    ]
    overlap = first < other + other_size and other < first + size
    try:
        encode_gpt(pair, disk_guid=UUID(int=3), disk_sectors=16384)
    except LayoutError:
        assert overlap
    else:
        assert not overlap
