# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.errors import SysrootError
from ostrya.formats.keyfile import KeyFile
from ostrya.sysroot.settings import SysrootSettings, parse_settings


def parse(text: str) -> SysrootSettings:
    return parse_settings(KeyFile.parse(text))


def test_nothing_is_said():
    assert parse("[core]\nmode=bare\n") == SysrootSettings("auto", False, 0, {}, False)
    assert parse("[sysroot]\n") == SysrootSettings()


def test_everything_is_said():
    text = (
        "[sysroot]\nreadonly=true\nbootloader=systemd-boot\nbootprefix=true\n"
        "boot-counting-tries=3\nbls-append-except-default=grub_users=admin;x=;y=a=b;\n"
    )
    appended = {"grub_users": "admin", "x": "", "y": "a=b"}
    assert parse(text) == SysrootSettings("systemd-boot", True, 3, appended, True)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("bootloader=lilo", "Invalid bootloader configuration: 'lilo'"),
        ("boot-counting-tries=6", "out of bounds"),
        ("boot-counting-tries=many", "out of bounds"),
        ("boot-counting-tries=-1", "out of bounds"),
        ("bls-append-except-default=word", "must be of the form"),
    ],
)
def test_what_cannot_be(line, words):
    with pytest.raises(SysrootError, match=words):
        parse(f"[sysroot]\n{line}\n")
