# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil
import subprocess

import pytest

from ostrya.boot.errors import EnvironmentInvalid
from ostrya.boot.uboot_env import (
    Environment,
    EnvironmentPlace,
    decode_environment,
    encode_environment,
    newer_copy,
    parse_fw_env_config,
)

VARIABLES = {"bootdelay": "2", "bootargs": "root=LABEL=x a=b", "upgrade_available": "1"}


@pytest.mark.parametrize("flags", [None, 0, 255], ids=["single", "zero", "wraps"])
@pytest.mark.parametrize("big", [False, True], ids=["little", "big"])
def test_there_and_back(flags, big):
    data = encode_environment(VARIABLES, 512, flags=flags, big=big)
    assert len(data) == 512
    found = decode_environment(data, redundant=flags is not None, big=big)
    assert found == Environment(VARIABLES, flags)


def test_empty():
    assert decode_environment(encode_environment({}, 64)).variables == {}
    assert decode_environment(encode_environment({"gone": ""}, 64)).variables == {}


@pytest.mark.parametrize("at", [0, 3, 4, 100, 511])
def test_every_byte_counts(at):
    data = bytearray(encode_environment(VARIABLES, 512))
    data[at] ^= 1
    with pytest.raises(EnvironmentInvalid, match="checksum"):
        decode_environment(bytes(data))


def test_half_of_one():
    data = encode_environment(VARIABLES, 512)
    with pytest.raises(EnvironmentInvalid):
        decode_environment(data[:20] + bytes(492))
    with pytest.raises(EnvironmentInvalid, match="no environment"):
        decode_environment(data[:4])


@pytest.mark.parametrize(
    "variables", [{"a=b": "c"}, {"": "x"}, {"a": "b\0c"}, {"a": "x" * 600}], ids=str
)
def test_what_does_not_go_in(variables):
    with pytest.raises(EnvironmentInvalid):
        encode_environment(variables, 512)


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [(1, 2, 1), (2, 1, 0), (255, 0, 1), (0, 255, 0), (7, 7, 0)],
)
def test_the_newer_of_two(first, second, wanted):
    assert newer_copy(Environment({}, first), Environment({}, second)) == wanted


def test_fw_env_config():
    text = "# two copies\n/dev/mmcblk0 0x3f8000 0x8000\n/dev/mmcblk0 -0x8000 32768 0x200 1\n\n"
    assert parse_fw_env_config(text) == (
        EnvironmentPlace("/dev/mmcblk0", 0x3F8000, 0x8000),
        EnvironmentPlace("/dev/mmcblk0", -0x8000, 0x8000),
    )


@pytest.mark.parametrize(
    "text",
    ["", "/dev/x 0", "/dev/x zero 512", "/a 0 512\n/b 0 256", "/a 0 512\n" * 3, "/a 0 4",
     "/a 0 0x7fffffff"],
)  # fmt: skip
def test_no_fw_env_config(text):
    with pytest.raises(EnvironmentInvalid, match=r"fw_env\.config"):
        parse_fw_env_config(text)


@pytest.mark.peer
@pytest.mark.parametrize("redundant", [False, True], ids=["single", "redundant"])
def test_as_u_boots_own_tool_has_it(redundant, tmp_path):
    tool = shutil.which("mkenvimage")
    assert tool, "u-boot-tools is in tools/debian-packages.txt"
    (tmp_path / "in").write_text("".join(f"{k}={v}\n" for k, v in VARIABLES.items()))
    argv = [tool, "-s", "0x200", "-p", "0", *(["-r"] if redundant else []), "-o"]
    subprocess.run([*argv, str(tmp_path / "out"), str(tmp_path / "in")], check=True)
    theirs = (tmp_path / "out").read_bytes()
    assert encode_environment(VARIABLES, 512, flags=1 if redundant else None) == theirs
    assert decode_environment(theirs, redundant=redundant).variables == VARIABLES
