# SPDX-License-Identifier: Apache-2.0
"""Object names, their paths, and sets of many."""

from __future__ import annotations

import hashlib

import pytest

from ostrya.formats.errors import ObjectFormatError
from ostrya.formats.object_name import (
    ObjectName,
    ObjectNameSet,
    ObjectType,
    loose_path,
    parse_loose_name,
    parse_object_name,
)

SUM = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
SUFFIXES = {
    1: "file", 2: "dirtree", 3: "dirmeta", 4: "commit", 5: "tombstone-commit", 6: "commitmeta",
    7: "payload-link", 8: "file-xattrs", 9: "file-xattrs-link",
}  # fmt: skip


@pytest.mark.parametrize(("number", "suffix"), SUFFIXES.items())
def test_types(number, suffix):
    kind = ObjectType(number)
    assert kind.suffix == suffix
    name = ObjectName(SUM, kind)
    assert str(name) == f"{SUM}.{suffix}"
    assert parse_object_name(str(name)) == name


@pytest.mark.parametrize(
    "text",
    ["", SUM, f"{SUM}.", f"{SUM}.filez", f"{SUM}.nothing", f"{SUM[:-1]}.file", f"{SUM}.file.file",
     ".commit"],
)  # fmt: skip
def test_what_is_no_object_name(text):
    with pytest.raises(ObjectFormatError, match="Invalid object name"):
        parse_object_name(text)


@pytest.mark.parametrize("archive", [False, True])
@pytest.mark.parametrize("kind", ObjectType)
def test_loose_paths(kind, archive):
    name = ObjectName(SUM, kind)
    path = loose_path(name, archive=archive)
    tail = "filez" if archive and kind == ObjectType.FILE else kind.suffix
    assert path == f"2c/{SUM[2:]}.{tail}"
    prefix, filename = path.split("/")
    assert parse_loose_name(prefix, filename) == name
    assert type(parse_loose_name(prefix, filename).type) is ObjectType


@pytest.mark.parametrize(
    ("prefix", "filename"),
    [
        ("2c", SUM[2:]),
        ("2c", SUM[2:] + "."),
        ("2c", SUM[2:] + ".tmp"),
        ("2c", SUM[3:] + ".commit"),
        ("2", SUM[1:] + ".commit"),
        ("2C", SUM[2:] + ".commit"),
        ("2c", SUM[2:].upper() + ".commit"),
        ("2c", ".commit"),
        ("zz", SUM[2:] + ".commit"),
        ("2c", SUM[2:] + ".commit.sig"),
        ("2c", "tmp-abc.commit"),
    ],
)
def test_other_files_are_no_objects(prefix, filename):
    assert parse_loose_name(prefix, filename) is None


def test_set_of_names():
    names = [
        ObjectName(hashlib.sha256(b"%d" % n).hexdigest(), kind)
        for n in range(500)
        for kind in (ObjectType.FILE, ObjectType.DIR_TREE, ObjectType.COMMIT)
    ]
    found = ObjectNameSet()
    assert all(found.add(name) for name in names)
    assert not any(found.add(name) for name in names)
    assert len(found) == len(names)
    assert all(name in found for name in names)
    assert names[0]._replace(type=ObjectType.DIR_META) not in found
    assert sorted(found) == sorted(names)
    assert all(type(name.type) is ObjectType for name in found)
    assert found.discard(names[0])
    assert not found.discard(names[0])
    assert names[0] not in found
    assert names[1] in found
