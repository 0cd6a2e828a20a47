# SPDX-License-Identifier: Apache-2.0
"""What goes into which part, and how."""

from __future__ import annotations

import pytest

from ostrya.delta.plan import (
    Costs,
    DeltaLimits,
    NewObject,
    Shipping,
    Workshop,
    apply_bytes,
    choose_dictionary,
    choose_shipping,
    group_parts,
)
from ostrya.formats.checksum import Checksum
from ostrya.formats.object_name import ObjectName, ObjectType

MIB = 1 << 20


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        (Costs(100, 10, None, None), Shipping.PATCH),
        (Costs(100, 200, 150, None), Shipping.WHOLE),
        (Costs(100, None, 50, 80), Shipping.RANGES),
        (Costs(None, 500, None, 80), Shipping.FALLBACK),
        (Costs(None, 500, None, None), Shipping.PATCH),
        (Costs(100, 100, None, 100), Shipping.WHOLE),
        (Costs(None, None, None, None), Shipping.FALLBACK),
    ],
)
def test_the_cheapest_is_chosen(costs, expected):
    assert choose_shipping(costs) is expected


def new_object(number: int, size: int, path: str) -> NewObject:
    kind = ObjectType.FILE if path else ObjectType.DIR_TREE
    return NewObject(ObjectName(Checksum(f"{number:064x}"), kind), size, path)


def test_parts_hold_like_beside_like():
    paths = ["b/x.ko", "a/y.txt", "a/x.ko", "", "b/y.txt", "lib/z.so.1"]
    objects = [new_object(number, 10, path) for number, path in enumerate(paths)]
    [part] = group_parts(objects, DeltaLimits(), jobs=1)
    assert [one.path for one in part] == [
        "", "a/x.ko", "b/x.ko", "lib/z.so.1", "a/y.txt", "b/y.txt",
    ]  # fmt: skip


@pytest.mark.parametrize("jobs", [1, 2, 16])
def test_parts_are_bounded_and_enough_for_all(jobs):
    objects = [new_object(number, 3 * MIB, f"{number}") for number in range(60)]
    objects.append(new_object(99, 50 * MIB, "big"))
    limits = DeltaLimits()
    parts = group_parts(objects, limits, jobs)
    assert sorted(one for part in parts for one in part) == sorted(objects)
    sizes = [sum(one.size for one in part) for part in parts]
    assert sizes == sorted(sizes, reverse=True)
    assert all(size <= limits.max_chunk for size in sizes[1:])
    assert len(parts) >= min(2 * jobs, 30)


def test_what_hardly_shrinks_is_begun_first():
    names = (new_object(number, 0, "").name for number in range(3))
    sizes = [(9 * MIB, 2 * MIB), (8 * MIB, 8 * MIB), (10 * MIB, MIB)]
    objects = [
        NewObject(name, size, f"{size}", (), stored)
        for name, (size, stored) in zip(names, sizes, strict=True)
    ]
    parts = group_parts(objects, DeltaLimits(max_chunk=MIB), jobs=1)
    assert [part[0].size // MIB for part in parts] == [8, 9, 10]


def test_nothing_makes_no_part():
    assert group_parts([], DeltaLimits(), 2) == []


@pytest.mark.parametrize("ceiling", [MIB, 16 * MIB, 64 * MIB, 1024 * MIB])
def test_a_ceiling_covers_a_part_and_a_patched_file(ceiling):
    limits = DeltaLimits(apply_memory=ceiling)
    window = choose_dictionary(limits.payload, limits, 1 << 40)
    assert window <= limits.dictionary
    assert apply_bytes(limits.payload, limits.dictionary, limits.patched_file) <= ceiling


def test_objects_take_room_beside_their_content():
    limits = DeltaLimits(apply_memory=MIB)
    parts = group_parts([new_object(number, 1, f"{number}") for number in range(9000)], limits, 1)
    assert all(len(part) * 100 < limits.payload for part in parts)


def test_small_parts_hold_large_objects():
    assert DeltaLimits(max_chunk=0).largest == DeltaLimits().largest == 128 * 1000 * 1000


def test_windows_fit_the_data_and_the_encoder():
    limits = DeltaLimits()
    assert choose_dictionary(10, limits, 1 << 40) == 64 << 10
    assert choose_dictionary(30 * MIB, limits, 1 << 40) == 32 * MIB
    assert choose_dictionary(30 * MIB, limits, 100 * MIB) == 8 * MIB
    assert choose_dictionary(900 * MIB, limits, 1 << 40) == 64 * MIB


def test_little_memory_means_fewer_jobs():
    assert Workshop.within(8, None).jobs == 8
    assert Workshop.within(8, 100 * MIB).jobs == 2
    assert Workshop.within(8, MIB).jobs == 1
    assert Workshop.within(2, 400 * MIB).index < 200 * MIB


def test_nothing_is_too_large_where_nothing_may_be_left_out():
    size = 1 << 40
    assert DeltaLimits().largest < size
    assert DeltaLimits(min_fallback=0).largest > size
    assert DeltaLimits(min_fallback=0, apply_memory=64 * MIB).largest < 64 * MIB
