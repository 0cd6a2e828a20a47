# SPDX-License-Identifier: Apache-2.0
"""What boot loaders read: whatever is written comes back, and nobody's words become commands."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ostrya.boot.backends.extlinux import make_extlinux
from ostrya.boot.backends.grub2 import make_grub_cfg
from ostrya.boot.backends.uboot import lines_of_tree, make_uenv
from ostrya.boot.bls import Entry
from ostrya.boot.grubenv import decode_grubenv, encode_grubenv
from ostrya.boot.trial import MOST_TRIES, VARIABLES, End, Record, make_identity
from ostrya.boot.uboot_env import decode_environment, encode_environment
from ostrya.boot.uboot_image import Architecture, ImageType, decode_image, encode_image

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
LINE = st.text(st.characters(exclude_characters="\0\n", exclude_categories=["Cs"]), max_size=40)
NAMES = st.text("abcxyz_09", min_size=1, max_size=8)
# Characters that some loader's language has a meaning for, and words as people write them.
NASTY = st.text("ab =\"'\\$;|&{}()<>`#*\t", max_size=25)
HOSTILE = (
    "kernel_image2=/bad", " bootargs2=bad", "ramdisk_image2", "dep_id=x", "x=\\", "a=\0",
)  # fmt: skip
IDENTITIES = st.builds(
    make_identity,
    st.text("0123456789abcdef", min_size=64, max_size=64),
    st.integers(0, 10**9 - 1),
    st.text("0123456789abcdef", min_size=4, max_size=4),
)
RECORDS = st.builds(
    Record, IDENTITIES | st.just(""), st.integers(0, MOST_TRIES), st.sampled_from(End),
    IDENTITIES | st.just(""),
)  # fmt: skip


@given(st.dictionaries(NAMES, TEXT, max_size=3))
def test_grubs_block(variables):
    data = encode_grubenv(variables)
    assert decode_grubenv(data) == variables
    assert set(data[512:]) == {ord("#")}


@given(st.dictionaries(NAMES, TEXT, max_size=6), st.none() | st.integers(0, 255), st.booleans())
def test_u_boots_environment(variables, flags, big):
    data = encode_environment(variables, 4096, flags=flags, big=big)
    found = decode_environment(data, redundant=flags is not None, big=big)
    assert found.flags == flags
    assert found.variables == {name: value for name, value in variables.items() if value}


@given(st.sampled_from(ImageType), st.sampled_from(Architecture), st.binary(max_size=99))
def test_u_boots_images(kind, architecture, data):
    found = decode_image(encode_image(kind, architecture, "x", data))
    assert (found.kind, found.architecture, found.data) == (kind, architecture, data)


@given(RECORDS)
def test_a_record_by_both_ways(record):
    grub = decode_grubenv(encode_grubenv(record.to_variables()))
    uboot = decode_environment(encode_environment(record.to_variables(), 512)).variables
    assert Record.from_variables(grub) == Record.from_variables(uboot) == record
    assert set(grub) == set(VARIABLES)


@given(NASTY, NASTY)
def test_what_grub_is_told_is_words(title, options):
    text = make_grub_cfg(
        [Entry({"linux": "/k", "initrd": "/i", "title": title, "options": options})],
        prefix="",
        finds_disk=False,
    )
    lines = text[text.index("menuentry") :].splitlines()
    assert [line.split()[0] for line in lines] == ["menuentry", "linux", "initrd", "}"]
    assert words_of_grub(lines[0])[1] == title
    words = words_of_grub(lines[1])
    assert words[:2] == ["linux", "/k"]
    wanted = options.replace('"', "").split()
    assert [part for word in words[2:] for part in word.split()] == wanted


@given(NASTY, NASTY, st.lists(NASTY | st.sampled_from(HOSTILE), max_size=4))
def test_the_fallback_of_uenv_stays_what_it_is(options, others, own):
    entries = [
        Entry({"linux": "/1", "options": options}), Entry({"linux": "/2", "options": others}),
    ]  # fmt: skip
    found = import_text(make_uenv(entries, lines_of_tree("\n".join(own))) + "dep_id=me\n")
    assert (found["kernel_image"], found["kernel_image2"]) == ("/boot/1", "/boot/2")
    assert found.get("bootargs", "") == options
    assert found.get("bootargs2", "") == others
    assert found["dep_id"] == "me"
    assert "ramdisk_image2" not in found


@given(NASTY, NASTY)
def test_extlinux_has_the_lines_that_it_has_to_have(title, options):
    entry = Entry({"linux": "/k", "title": title, "options": options})
    lines = make_extlinux([entry, entry]).split("\n")
    assert [line.split(" ")[0] for line in lines if not line.startswith("#")] == [
        "default", "timeout", "fallback", *(["label", "\tmenu", "\tkernel", "\tappend"] * 2), "",
    ]  # fmt: skip


def words_of_grub(line: str) -> list[str]:
    """Split a line as GRUB's shell does; fail where something in it is not just a word."""
    words: list[str] = []
    quote, word = "", None
    letters = iter(line)
    for letter in letters:
        here = letter
        if quote == "'":
            if letter == "'":
                quote = ""
                continue
        elif letter == "\\":
            here = next(letters)
        elif quote == '"':
            assert letter != "$", line
            if letter == '"':
                quote = ""
                continue
        elif letter in "'\"":
            quote, word = letter, word or ""
            continue
        elif letter in " \t":
            words += [] if word is None else [word]
            word = None
            continue
        elif letter not in "{}" or not line.endswith(letter):
            assert letter not in ";|&$<>(){}`#", line
        word = (word or "") + here
    assert not quote, line
    return words if word is None else [*words, word]


def import_text(text: str) -> dict[str, str]:
    """Read it as U-Boot does: ``env import -t``."""
    found: dict[str, str] = {}
    at = 0
    while at < len(text) and text[at] != "\0":
        name, name_ends = "", False
        value = ""
        while at < len(text) and text[at] not in "\n\0":
            if name_ends:
                at += text[at] == "\\"
                value += text[at]
            elif text[at] == "=":
                name_ends = True
            else:
                name += text[at]
            at += 1
        at += 1
        name = name.lstrip(" \t")
        if value:
            found[name] = value
        else:
            found.pop(name, None)
    return found
