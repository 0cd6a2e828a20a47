# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil
import subprocess

import pytest

from ostrya.boot.errors import ImageInvalid
from ostrya.boot.uboot_image import (
    Architecture,
    ImageType,
    decode_image,
    decode_script,
    encode_image,
    encode_script,
)

TEXT = 'echo "hällo"\nreset\n'


def test_a_script_there_and_back():
    data = encode_script(TEXT, Architecture.ARM64, "Ostrya")
    assert decode_script(data) == TEXT
    image = decode_image(data)
    assert image[:3] == (ImageType.SCRIPT, Architecture.ARM64, "Ostrya")


@pytest.mark.parametrize("at", [0, 5, 8, 24, 33, 60, 64, 72])
def test_every_byte_counts(at):
    data = bytearray(encode_script(TEXT, Architecture.X86, "Ostrya"))
    data[at] ^= 1
    with pytest.raises(ImageInvalid):
        decode_image(bytes(data))


def test_what_is_no_script():
    ramdisk = encode_image(ImageType.RAMDISK, Architecture.ARM, "r", b"x" * 100)
    assert decode_image(ramdisk).data == b"x" * 100
    half = encode_image(ImageType.SCRIPT, Architecture.ARM, "", b"\0\0\0\1" + b"\0" * 8)
    for data in (b"", ramdisk, half):
        with pytest.raises(ImageInvalid):
            decode_script(data)


def test_a_long_name():
    with pytest.raises(ImageInvalid, match="too long"):
        encode_script(TEXT, Architecture.ARM, "x" * 33)


@pytest.mark.peer
def test_as_u_boots_own_tool_has_it(tmp_path):
    tool = shutil.which("mkimage")
    assert tool, "u-boot-tools is in tools/debian-packages.txt"
    (tmp_path / "in").write_text(TEXT)
    argv = [tool, "-A", "arm64", "-O", "linux", "-T", "script", "-C", "none", "-n", "Ostrya"]
    argv += ["-d", str(tmp_path / "in"), str(tmp_path / "out")]
    subprocess.run(argv, check=True, env={"SOURCE_DATE_EPOCH": "0"}, stdout=subprocess.DEVNULL)
    assert (tmp_path / "out").read_bytes() == encode_script(TEXT, Architecture.ARM64, "Ostrya")
    (tmp_path / "ours").write_bytes(encode_script(TEXT, Architecture.ARM64, "Ostrya"))
    subprocess.run([tool, "-l", str(tmp_path / "ours")], check=True, stdout=subprocess.DEVNULL)
