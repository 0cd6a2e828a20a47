# SPDX-License-Identifier: Apache-2.0
"""Metadata of TUF and Uptane: what is written reads as the same, and nothing crashes."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ostrya.uptane.errors import UptaneRefusal
from ostrya.uptane.metadata.canonical_json import ascii_bytes, canonical_bytes
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.json_text import parse_json
from ostrya.uptane.metadata.root import read_root
from ostrya.uptane.metadata.signed import RoleKeys, parse_envelope, sign, signers
from ostrya.uptane.metadata.snapshot import MetaFile, Snapshot, read_snapshot
from ostrya.uptane.metadata.targets import Image, Targets, read_targets
from ostrya.uptane.metadata.timestamp import Timestamp, read_timestamp
from support.uptane_world import key, make_repo

BOTH = pytest.mark.parametrize("dialect", list(Dialect), ids=lambda d: d.value)
LIMIT = 1 << 20
FEWER = settings(max_examples=40)
# NFC normalizes what these are made of to themselves.
TEXT = st.text(st.characters(codec="ascii") | st.sampled_from("éßñ日"), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
OBJECT = st.dictionaries(TEXT, JSON, max_size=4)
EXTRA = st.dictionaries(TEXT.map("x-".__add__), JSON, max_size=3)
NAME = st.from_regex(r"[a-z0-9]{1,8}(/[a-z0-9.]{0,4}[a-z])?", fullmatch=True)
HASHES = st.fixed_dictionaries(
    {"sha256": st.from_regex(r"[0-9a-f]{64}", fullmatch=True)}, optional={"md5": st.just("x")}
)
META = st.builds(MetaFile, st.integers(0, 99), st.none() | st.integers(0, 99), HASHES, EXTRA)
IMAGES = st.dictionaries(
    NAME, st.builds(Image, st.integers(0, 2**40), HASHES, st.none() | OBJECT, EXTRA), max_size=4
)


@FEWER
@given(JSON)
def test_ascii_json_is_what_it_was(value):
    assert parse_json(ascii_bytes(value), LIMIT, "it") == value


@FEWER
@given(JSON, JSON)
def test_different_values_have_different_bytes_to_sign(one, other):
    for dialect in Dialect:
        same = canonical_bytes(dialect, one) == canonical_bytes(dialect, other)
        assert same == (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))


@BOTH
@FEWER
@given(value=OBJECT, extra=EXTRA)
def test_signed_and_verified(dialect, value, extra):
    envelope = sign(value, dialect, [("1", key(1))])._replace(extra=extra)
    again = parse_envelope(envelope.to_bytes(), dialect, LIMIT, "it")
    assert again == envelope
    assert len(signers(again, {"1": key(1).key}, RoleKeys(("1",), 1))) == 1


@BOTH
@FEWER
@given(images=IMAGES, custom=st.none() | OBJECT, extra=EXTRA)
def test_targets(dialect, images, custom, extra):
    repo = make_repo("r", 1, dialect)
    repo.versions["targets"] = 1
    value = Targets(repo.header("targets"), images, None, custom, extra).to_json(dialect)
    assert read_targets(value, dialect).to_json(dialect) == value


@BOTH
@FEWER
@given(meta=st.dictionaries(TEXT, META, max_size=4), one=META, extra=EXTRA)
def test_snapshot_and_timestamp(dialect, meta, one, extra):
    header = make_repo("r", 1, dialect).header("root")
    value = Snapshot(header, meta, extra).to_json(dialect)
    assert read_snapshot(value, dialect).to_json(dialect) == value
    value = Timestamp(header, one, {}, extra).to_json(dialect)
    assert read_timestamp(value, dialect).to_json(dialect) == value


@FEWER
@given(st.binary(max_size=400) | JSON.map(lambda v: json.dumps(v).encode()))
def test_anything_is_read_or_refused(data):
    for dialect in Dialect:
        with contextlib.suppress(UptaneRefusal):
            signed = parse_envelope(data, dialect, LIMIT, "it").signed
            for read in (read_root, read_timestamp, read_snapshot, read_targets):
                read(signed, dialect)


def places(value, path=()):
    """All places in a value."""
    yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, (*path, name))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from places(inner, (*path, at))


@BOTH
@FEWER
@given(data=st.data())
def test_a_root_with_something_else_anywhere(dialect, data):
    """It is refused, or vouched for by nobody, or the place is not signed."""
    repo = make_repo("r", 1, dialect)
    value = json.loads(repo.files["1.root.json"])
    path = data.draw(st.sampled_from([one for one in places(value) if one]))
    inner = value
    for step in path[:-1]:
        inner = inner[step]
    other = data.draw(JSON)
    if json.dumps(inner[path[-1]]) == json.dumps(other):
        return
    inner[path[-1]] = other
    try:
        envelope = parse_envelope(json.dumps(value).encode(), dialect, LIMIT, "it")
        root = read_root(envelope.signed, dialect)
    except UptaneRefusal:
        return
    if path[0] == "signed":
        assert not signers(envelope, root.keys, root.role("root"))
