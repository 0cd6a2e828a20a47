# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil
import subprocess

import pytest

from ostrya.boot.errors import EnvironmentInvalid
from ostrya.boot.grubenv import SIZE_BYTES, decode_grubenv, encode_grubenv

VARIABLES = {"ostrya_id": "a" * 12, "next_entry": "", "odd": "a\\b=c\nd"}


def test_there_and_back():
    data = encode_grubenv(VARIABLES)
    assert len(data) == SIZE_BYTES
    assert decode_grubenv(data) == VARIABLES
    assert decode_grubenv(encode_grubenv({})) == {}


@pytest.mark.parametrize("name", ["", "a=b", "#x", "a\nb", "a\\b"])
def test_no_name(name):
    with pytest.raises(EnvironmentInvalid):
        encode_grubenv({name: "x"})


def test_one_sector_and_no_more():
    fits = 512 - len("# GRUB Environment Block\na=\n")
    assert encode_grubenv({"a": "x" * fits})
    with pytest.raises(EnvironmentInvalid, match="one sector"):
        encode_grubenv({"a": "x" * (fits + 1)})


@pytest.mark.parametrize(
    "data",
    [b"", b"x" * 1024, encode_grubenv({"a": "b"})[:-1], encode_grubenv({}).replace(b"##", b"x\n", 1),
     b"# GRUB Environment Block\na=b".ljust(1024, b"c")],
    ids=["empty", "magic", "short", "no value", "no end"],
)  # fmt: skip
def test_no_block(data):
    with pytest.raises(EnvironmentInvalid):
        decode_grubenv(data)


@pytest.mark.peer
def test_as_grubs_own_tool_has_it(tmp_path):
    tool = shutil.which("grub-editenv")
    assert tool, "grub-common is in tools/debian-packages.txt"
    path = tmp_path / "grubenv"
    subprocess.run([tool, str(path), "create"], check=True)
    assert decode_grubenv(path.read_bytes()) == {}
    subprocess.run([tool, str(path), "set", "a=b c", "back=1\\2"], check=True)
    assert decode_grubenv(path.read_bytes()) == {"a": "b c", "back": "1\\2"}
    path.write_bytes(encode_grubenv({"a": "b c", "back": "1\\2"}))
    listed = subprocess.run([tool, str(path), "list"], check=True, capture_output=True, text=True)
    assert listed.stdout == "a=b c\nback=1\\2\n"
