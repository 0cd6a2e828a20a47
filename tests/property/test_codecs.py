# SPDX-License-Identifier: Apache-2.0
"""Every codec: encoding and decoding undo each other, and any bytes end in a value or a FormatError."""

from __future__ import annotations

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ostrya.errors import FormatError
from ostrya.formats.checksum import (
    DigestSet,
    check_checksum,
    from_modified_base64,
    from_raw,
    is_checksum,
    to_modified_base64,
    to_raw,
)
from ostrya.formats.commit import Commit, decode_sizes, encode_sizes
from ostrya.formats.commitmeta import decode_commitmeta, encode_commitmeta
from ostrya.formats.dirmeta import DirMeta
from ostrya.formats.dirtree import DirTree
from ostrya.formats.file_header import FileHeader, parse_prefix
from ostrya.formats.filemeta import decode_filemeta, encode_filemeta
from ostrya.formats.gvariant.byteorder import swap_u32, swap_u64
from ostrya.formats.gvariant.decode import decode_variant
from ostrya.formats.gvariant.encode import encode_variant
from ostrya.formats.gvariant.text import format_variant, parse_variant
from ostrya.formats.gvariant.types import parse_type
from ostrya.formats.gvariant.vardict import VarDict, glib_dict_order
from ostrya.formats.keyfile import KeyFile
from ostrya.formats.object_name import (
    ObjectName,
    ObjectType,
    loose_path,
    parse_loose_name,
    parse_object_name,
)
from ostrya.formats.refs import parse_refspec
from ostrya.formats.summary import Summary
from ostrya.formats.tombstone import decode_tombstone, encode_tombstone
from ostrya.formats.varint import decode_varint, encode_varint
from ostrya.formats.verity_digest import VerityHasher, verity_digest
from ostrya.formats.xattrs import decode_xattrs, encode_xattrs
from property import strategies as made


@given(made.typed_values)
def test_variants(variant):
    data = encode_variant(*variant)
    assert decode_variant(variant.type, data) == variant.value
    assert decode_variant("v", encode_variant("v", variant)) == variant


@given(made.typed_values, st.data())
def test_changed_variants_are_spelled_once(variant, data):
    """What a changed byte string decodes to encodes to just these bytes."""
    encoded = bytearray(encode_variant(*variant))
    if not encoded:
        return
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] = data.draw(st.integers(0, 255))
    try:
        value = decode_variant(variant.type, bytes(encoded))
    except FormatError:
        return
    assert encode_variant(variant.type, value) == bytes(encoded)


@given(made.types, st.binary(max_size=100))
def test_any_bytes_as_any_type(type_string, data):
    try:
        value = decode_variant(type_string, data)
    except FormatError:
        return
    assert encode_variant(type_string, value) == data
    decode_variant(type_string, data, byteorder="big")


@given(made.types)
def test_types(type_string):
    parsed = parse_type(type_string)
    assert parsed.text == type_string
    assert parsed.fixed_size % parsed.alignment == 0


@given(made.typed_values)
def test_text(variant):
    annotated = format_variant(*variant, annotate=True)
    assert parse_variant(annotated, variant.type) == variant
    found = parse_variant(annotated)
    # GLib's text leaves the type of what is inside an empty maybe or array to be guessed.
    assert format_variant(*found, annotate=True) == annotated or found.type == variant.type
    assert parse_variant(format_variant(*variant, annotate=False), variant.type) == variant


@given(st.text(alphabet="[](){}<>,:@ '\"abinujst0123456789x-+.e\\", max_size=30) | st.text())
@example("@" + "a" * 63 + "s []")
def test_any_text(text):
    try:
        variant = parse_variant(text)
    except FormatError:
        return
    assert parse_variant(format_variant(*variant, annotate=True), variant.type).type == variant.type


@given(made.xattrs)
def test_xattrs(xattrs):
    assert decode_xattrs(encode_xattrs(xattrs)) == xattrs


@given(made.dirmetas)
def test_dirmeta(dirmeta):
    assert DirMeta.decode(dirmeta.encode()) == dirmeta


@given(made.dirtrees())
def test_dirtree(dirtree):
    data = dirtree.encode()
    assert DirTree.decode(data) == dirtree
    files, dirs = decode_variant("(a(say)a(sayay))", data)
    assert tuple((name, raw.hex()) for name, raw in files) == dirtree.files
    assert tuple((name, a.hex(), b.hex()) for name, a, b in dirs) == dirtree.dirs


@given(made.file_headers, made.u64)
def test_file_header(header, size):
    stream = header.encode_stream()
    assert parse_prefix(stream[:8]) == len(stream) - 8
    assert FileHeader.decode_stream(stream[8:]) == header
    archive = header.encode_archive(size)
    assert FileHeader.decode_archive(archive[8:]) == (header, size)


@given(made.file_headers)
def test_filemeta(header):
    assert decode_filemeta(encode_filemeta(header)) == header._replace(symlink_target="")


@given(made.commits)
def test_commit(commit):
    assert Commit.decode(commit.encode()) == commit


@given(st.lists(made.size_entries, max_size=5))
def test_sizes(entries):
    metadata = VarDict.of({"ostree.sizes": encode_sizes(entries)})
    assert decode_sizes(metadata) == tuple(sorted(entries))


@given(made.vardicts)
def test_commitmeta(metadata):
    assert decode_commitmeta(encode_commitmeta(metadata)) == metadata


@given(made.checksums)
def test_tombstone(checksum):
    assert decode_tombstone(encode_tombstone(checksum)) == checksum


@given(made.summaries)
def test_summary(summary):
    assert Summary.decode(summary.encode()) == summary


@given(made.u64, st.binary(max_size=5))
def test_varint(value, rest):
    data = encode_varint(value)
    assert decode_varint(data + rest) == (value, len(data))
    assert decode_varint(rest + data, len(rest)) == (value, len(rest + data))


@given(made.checksums)
def test_checksums(checksum):
    assert check_checksum(checksum) == checksum
    assert from_raw(to_raw(checksum)) == checksum
    assert from_modified_base64(to_modified_base64(checksum)) == checksum


@given(st.lists(made.checksums, max_size=30), st.lists(made.checksums, max_size=5))
def test_digest_sets_are_sets(members, others):
    found, model = DigestSet(), set()
    for member in members + others + members:
        assert found.add(member) == (member not in model)
        model.add(member)
    for other in others:
        assert found.discard(other) == (other in model)
        model.discard(other)
    assert set(found) == model
    assert len(found) == len(model)
    assert all((member in found) == (member in model) for member in members + others)


@given(made.checksums, st.sampled_from(ObjectType), st.booleans())
def test_object_names(checksum, kind, archive):
    name = ObjectName(checksum, kind)
    assert parse_object_name(str(name)) == name
    assert parse_loose_name(*loose_path(name, archive=archive).split("/")) == name


@given(st.lists(st.text(), max_size=40))
def test_glib_order_is_an_order(keys):
    assert sorted(glib_dict_order(keys)) == sorted(set(keys))


@given(made.u64)
def test_swaps(value):
    assert swap_u64(swap_u64(value)) == value
    assert swap_u32(swap_u32(value & 0xFFFFFFFF)) == value & 0xFFFFFFFF


@given(st.lists(st.binary(max_size=9000), max_size=8))
def test_verity_pieces(pieces):
    hasher = VerityHasher()
    for piece in pieces:
        hasher.update(piece)
    assert hasher.checksum() == verity_digest([b"".join(pieces)])


# A form feed or vertical tab at the start has no escape, in GLib neither.
plain = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\v\f"))
words = st.text(string.ascii_letters + "-_. é", min_size=1).filter(lambda w: w == w.strip(" "))


@given(
    st.dictionaries(words, st.dictionaries(words, plain | st.lists(plain), max_size=4), max_size=4)
)
def test_key_files(groups):
    written = KeyFile()
    for group, entries in groups.items():
        for key, value in entries.items():
            if isinstance(value, str):
                written.set_string(group, key, value)
            else:
                written.set_string_list(group, key, value)
    read = KeyFile.parse(written.to_text())
    assert read.to_text() == written.to_text()
    assert KeyFile.decode(written.to_text().encode()).groups() == written.groups()
    for group, entries in groups.items():
        for key, value in entries.items():
            if isinstance(value, str):
                assert read.get_string(group, key) == value
            else:
                assert read.get_string_list(group, key) == tuple(value)


@given(st.text(alphabet='[]=#; \\\nabc\r\t"', max_size=60))
def test_key_files_settle(text):
    """What can be read is written as something that reads the same, and is written the same."""
    try:
        once = KeyFile.parse(text)
    except FormatError:
        return
    again = KeyFile.parse(once.to_text())
    assert again.to_text() == once.to_text()
    assert again.groups() == once.groups()
    for group in once.groups():
        assert again.keys(group) == once.keys(group)
        for key in once.keys(group):
            assert again.get_value(group, key) == once.get_value(group, key)


DECODERS = {
    "xattrs": (decode_xattrs, encode_xattrs),
    "dirmeta": (DirMeta.decode, DirMeta.encode),
    "dirtree": (DirTree.decode, DirTree.encode),
    "stream header": (FileHeader.decode_stream, lambda h: h.encode_stream()[8:]),
    "archive header": (FileHeader.decode_archive, lambda pair: pair[0].encode_archive(pair[1])[8:]),
    "filemeta": (decode_filemeta, encode_filemeta),
    "commit": (Commit.decode, Commit.encode),
    "commitmeta": (decode_commitmeta, encode_commitmeta),
    "tombstone": (decode_tombstone, None),
    "summary": (Summary.decode, Summary.encode),
    "varint": (decode_varint, None),
    "prefix": (parse_prefix, None),
    "keyfile": (KeyFile.decode, None),
}


@pytest.mark.parametrize("name", DECODERS)
@given(data=st.binary(max_size=200))
def test_any_bytes(name, data):
    decode, encode = DECODERS[name]
    try:
        value = decode(data)
    except FormatError:
        return
    if encode is not None:
        assert encode(value) == data


SAMPLES = {
    "dirmeta": made.dirmetas.map(DirMeta.encode),
    "dirtree": made.dirtrees().map(DirTree.encode),
    "stream header": made.file_headers.map(lambda h: h.encode_stream()[8:]),
    "archive header": made.file_headers.map(lambda h: h.encode_archive(5)[8:]),
    "commit": made.commits.map(Commit.encode),
    "summary": made.summaries.map(Summary.encode),
    "xattrs": made.xattrs.map(encode_xattrs),
}


@pytest.mark.parametrize("name", SAMPLES)
@given(draw=st.data())
def test_changed_bytes(name, draw):
    """Bytes that were right but for one: a value that is written just so, or an error."""
    decode, encode = DECODERS[name]
    data = bytearray(draw.draw(SAMPLES[name]))
    if not data:
        return
    # The ends are where sizes and offsets stand.
    at = draw.draw(
        st.integers(0, len(data) - 1) | st.integers(max(0, len(data) - 8), len(data) - 1)
    )
    data[at] = draw.draw(st.integers(0, 255))
    try:
        value = decode(bytes(data))
    except FormatError:
        return
    assert encode(value) == bytes(data)


@given(st.text())
def test_any_text_as_names(text):
    for parse in (parse_refspec, check_checksum, parse_object_name, from_modified_base64):
        try:
            parse(text)
        except FormatError as exc:
            exc.message.encode("utf-8")
    is_checksum(text)
    parse_loose_name(text[:2], text[2:])
