# SPDX-License-Identifier: Apache-2.0
import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from ostrya.image.steps.kmod_index import MAX_KEY_BYTES, encode_index


def read(data: bytes, offset: int | None = None, so_far: bytes = b"") -> dict[bytes, list[bytes]]:
    """Read an index back."""
    if offset is None:
        magic, version, offset = struct.unpack_from(">III", data)
        assert (magic, version) == (0xB007F457, 0x20001)
    at, found = offset & 0x0FFFFFFF, {}

    def text() -> bytes:
        nonlocal at
        end = data.index(b"\0", at)
        word, at = data[at:end], end + 1
        return word

    if offset & 0x80000000:
        so_far += text()
    if offset & 0x20000000:
        first, last = data[at], data[at + 1]
        children = struct.unpack_from(f">{last - first + 1}I", data, at + 2)
        at += 2 + 4 * len(children)
        for byte, child in enumerate(children, first):
            if child:
                found |= read(data, child, so_far + bytes([byte]))
    if offset & 0x40000000:
        (count,) = struct.unpack_from(">I", data, at)
        at += 4
        values = []
        for _ in range(count):
            priority = struct.unpack_from(">I", data, at)[0]
            at += 4
            values.append((priority, text()))
        assert values == sorted(values)
        found[so_far] = [value for _, value in values]
    return found


KEYS = st.text(st.characters(min_codepoint=1, max_codepoint=127), min_size=1, max_size=12)


@settings(deadline=None)
@given(st.dictionaries(KEYS, st.text("abc/.", max_size=5)))
def test_what_is_written_is_read(entries):
    data = encode_index((key, value, 0) for key, value in entries.items())
    assert read(data) == {key.encode(): [value.encode()] for key, value in entries.items()}


def test_values_of_one_key_are_in_the_order_of_their_priorities():
    data = encode_index([("k", "second", 2), ("k", "first", 1)])
    assert read(data) == {b"k": [b"first", b"second"]}


def test_keys_that_kmod_has_no_place_for_are_left_out():
    keys = ["", "\u00e4", "x" * (MAX_KEY_BYTES + 1), "a\0b", "fine", "y" * MAX_KEY_BYTES]
    assert list(read(encode_index((key, "", 0) for key in keys))) == [b"fine", b"y" * 400]


def test_a_key_that_is_the_beginning_of_others():
    keys = ["a" * count for count in range(1, 300)]
    assert len(read(encode_index((key, "", 0) for key in keys))) == 299
