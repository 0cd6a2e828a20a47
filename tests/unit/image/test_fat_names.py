# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.errors import LayoutError
from ostrya.image.fat_names import Names, encode_name


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("BOOTX64.EFI", b"BOOTX64 EFI"),
        ("NOEXT", b"NOEXT      "),
        ("A.B", b"A       B  "),
        ("$X-1_2.~", b"$X-1_2  ~  "),
    ],
)
def test_a_name_that_is_short_is_only_that(name, short):
    assert encode_name(name, Names()) == (short, b"")


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("boot.scr", b"BOOT~1  SCR"),
        ("ostree-1+3.conf", b"OSTREE~1CON"),
        (".hidden", b"HIDDEN~1   "),
        ("two.dots.x", b"TWODOT~1X  "),
        ("ünï", b"_N_~1      "),
        ("a b", b"AB~1       "),
        ("TOOLONGNAME.TXT", b"TOOLON~1TXT"),
    ],
)
def test_another_name_has_a_short_one_beside_it(name, short):
    found, entries = encode_name(name, Names())
    assert found == short
    units = b"".join(
        entries[at + 1 : at + 11] + entries[at + 14 : at + 26] + entries[at + 28 : at + 32]
        for at in range(len(entries) - 32, -1, -32)
    )
    assert units.decode("utf-16-le").partition("\0")[0] == name
    assert entries[0] & 0x40
    assert {entries[at + 11] for at in range(0, len(entries), 32)} == {0x0F}


def test_the_sum_of_the_short_name_is_in_every_entry_of_the_long_one():
    short, entries = encode_name("the quick brown fox", Names())
    total = 0
    for byte in short:
        total = ((total & 1) << 7 | total >> 1) + byte & 0xFF
    assert {entries[13], entries[45]} == {total}


def test_thirteen_letters_need_no_end():
    assert len(encode_name("thirteen.long", Names())[1]) == 32
    assert len(encode_name("fourteen..long", Names())[1]) == 64


def test_short_names_are_told_apart():
    names = Names()
    found = [encode_name(f"same beginning {number}", names)[0] for number in range(12)]
    assert found[0] == b"SAMEBE~1   "
    assert found[9] == b"SAMEB~10   "
    assert len(set(found)) == 12


def test_a_short_name_that_was_made_up_is_not_given_away():
    names = Names()
    assert encode_name("same as", names)[0] == b"SAMEAS~1   "
    assert encode_name("SAMEAS~1", names)[0] == b"SAMEAS~2   "


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a:b", "end.", "end ", "new\nline", "x" * 256]
)
def test_what_cannot_be_a_name_is_refused(name):
    with pytest.raises(LayoutError):
        encode_name(name, Names())


def test_capitals_do_not_make_another_name():
    names = Names()
    encode_name("Config.txt", names)
    with pytest.raises(LayoutError, match=r"config\.TXT"):
        encode_name("config.TXT", names)
