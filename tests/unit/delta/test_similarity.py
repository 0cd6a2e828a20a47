# SPDX-License-Identifier: Apache-2.0
"""Which old file a new one resembles."""

from __future__ import annotations

import random

import pytest

from ostrya.delta.similarity import (
    MAX_PARTNERS,
    FileNames,
    find_partners_by_content,
    find_partners_by_name,
    sketch,
)
from ostrya.formats.checksum import Checksum


def file(number: int, *paths: str) -> FileNames:
    return FileNames(Checksum(f"{number:064x}"), paths)


def partner_of(path: str, *old: str) -> str | None:
    olds = [file(number, name) for number, name in enumerate(old)]
    found = find_partners_by_name([file(99, path)], olds)
    if not found:
        return None
    first = found[Checksum(f"{99:064x}")][0]
    return next(one.paths[0] for one in olds if one.checksum == first)


@pytest.mark.parametrize(
    ("new", "expected", "others"),
    [
        ("usr/bin/bash", "usr/bin/bash", ["bin/bash"]),
        ("usr/bin/bash", "bin/bash", ["usr/bin/dash"]),
        ("lib/modules/6.1.0-56/fs/xfs.ko", "lib/modules/6.1.0-50/fs/xfs.ko", ["other/xfs.ko"]),
        ("usr/lib/libfoo.so.1.3", "usr/lib/libfoo.so.1.2", ["usr/lib/libbar.so.1.3"]),
        ("opt/libfoo.so.2.0.1", "usr/lib/libfoo.so.1.2", ["usr/lib/libbar.so.1.3"]),
        ("boot/vmlinuz-6.1.0-56-cloud-amd64", "boot/vmlinuz-6.1.0-50-cloud-amd64", ["boot/config"]),
        ("a/readme.txt", "b/readme.md", ["b/news.txt"]),
        ("usr/share/doc/x/copyright", "usr/share/doc/y/copyright", ["etc/x/copyright"]),
    ],
)
def test_by_name(new, expected, others):
    assert partner_of(new, *others, expected) == expected


def test_nobody_resembles():
    assert partner_of("usr/bin/bash", "usr/bin/dash") is None


def test_a_few_at_the_most():
    olds = [file(number, f"{number}/x/same") for number in range(9)]
    found = find_partners_by_name([file(99, "y/same")], olds)
    assert len(found[Checksum(f"{99:064x}")]) == MAX_PARTNERS


def test_by_content():
    rng = random.Random(1)
    words = [rng.randbytes(rng.randrange(20, 90)).hex().encode() for _ in range(2000)]
    one = b"\n".join(words)
    renamed = b"\n".join([*words[:900], b"something else that was not there", *words[1000:]])
    strange = b"\n".join(rng.randbytes(40).hex().encode() for _ in range(1000))
    a, b, c = (Checksum(letter * 64) for letter in "abc")
    olds = {a: sketch(one), b: sketch(strange)}
    assert find_partners_by_content({c: sketch(renamed)}, olds) == {c: (a,)}
    assert find_partners_by_content({c: sketch(b"")}, olds) == {}
