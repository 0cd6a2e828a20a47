# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.errors import SysrootError
from ostrya.formats.keyfile import KeyFile
from ostrya.sysroot.rollback_settings import Protocol, RollbackSettings, parse_rollback


def test_off():
    assert parse_rollback(KeyFile.parse("[core]\na=b\n")) == RollbackSettings()
    assert not RollbackSettings().is_on


def test_all():
    text = "[ostrya]\nrollback=grub2\nrollback-tries=5\nrollback-state=UUID=1\nrollback-fail-fast=true\n"
    assert parse_rollback(KeyFile.parse(text)) == RollbackSettings(
        Protocol.GRUB, 5, "UUID=1", fail_fast=True
    )


def test_where_the_classic_ones_are():
    found = parse_rollback(KeyFile.parse("[ostrya]\nrollback=uboot-classic\n"))
    assert found.state == "/etc/fw_env.config"


@pytest.mark.parametrize(
    "line",
    ["rollback=lilo", "rollback-tries=0", "rollback-tries=10", "rollback-tries=x",
     "rollback-state=", "rollback-fail-fast=1"],
)  # fmt: skip
def test_wrong(line):
    with pytest.raises(SysrootError, match=line.split("=", 1)[0]):
        parse_rollback(KeyFile.parse(f"[ostrya]\n{line}\n"))
