# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya.boot.backends import zipl_loader
from ostrya.boot.backends.stamp import has_stamp
from ostrya.boot.backends.zipl_loader import Zipl
from ostrya.errors import BootloaderError, CommandFailed
from support.boot_disks import CSUM


@pytest.fixture
def commands(monkeypatch, tmp_path):
    """What is run; nothing really is, and the machine is an ordinary one."""
    found: list[object] = []
    monkeypatch.setattr(zipl_loader, "run", found.append)
    monkeypatch.setattr(zipl_loader, "run_in_tree", lambda *words: found.append(words))
    monkeypatch.setattr(zipl_loader.os, "geteuid", lambda: 0)
    for name in ("_SECURE_EXECUTION", "_SECURE_BOOT", "_KERNEL_LOG"):
        monkeypatch.setattr(zipl_loader, name, str(tmp_path / name))
    return found


def test_on_the_running_system(disk, commands):
    context = disk.context(is_running=True)
    Zipl().write_config(context, 1, disk.write(1))
    assert has_stamp(context)
    Zipl().after_swap(context, 1)
    assert commands == [["zipl", "--secure", "auto", "-V"]]
    assert not has_stamp(context)
    Zipl().after_swap(context, 1)
    assert len(commands) == 1


def test_in_the_tree_of_one_that_is_not(disk, commands):
    Zipl().write_config(disk.context(), 1, disk.write(1))
    Zipl().after_swap(disk.context(), 1)
    ((tree, argv, binds),) = commands
    assert tree == f"{disk.top}/ostree/boot.1/os/{CSUM}/0"
    assert argv[0] == "zipl"
    assert binds == [(f"{disk.top}/boot", "/boot")]


def test_it_is_for_root(disk, commands, monkeypatch, caplog):
    monkeypatch.setattr(zipl_loader.os, "geteuid", lambda: 1000)
    Zipl().write_config(disk.context(), 1, disk.write(1))
    Zipl().after_swap(disk.context(), 1)
    assert (commands, has_stamp(disk.context())) == ([], True)
    assert "as root" in caplog.text


def test_one_that_fails_is_run_again(disk, commands, monkeypatch):
    def fail(argv: list[str]) -> None:
        raise CommandFailed(tuple(argv), 1)

    context = disk.context(is_running=True)
    Zipl().write_config(context, 1, disk.write(1))
    with monkeypatch.context() as patch:
        patch.setattr(zipl_loader, "run", fail)
        with pytest.raises(CommandFailed):
            Zipl().after_swap(context, 1)
    Zipl().after_swap(context, 1)
    assert len(commands) == 1


@pytest.mark.parametrize(
    ("files", "secure"),
    [
        ({"_SECURE_BOOT": "1\n"}, "1"),
        ({"_SECURE_BOOT": "0\n", "_KERNEL_LOG": "setup: Secure-IPL enabled"}, "auto"),
        ({"_KERNEL_LOG": "setup: Linux is running with Secure-IPL enabled\n"}, "1"),
        ({"_KERNEL_LOG": "setup: Linux is running\n"}, "auto"),
    ],
)
def test_secure_boot(disk, commands, tmp_path, files, secure):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    context = disk.context(is_running=True)
    Zipl().write_config(context, 1, disk.write(1))
    Zipl().after_swap(context, 1)
    assert commands == [["zipl", "--secure", secure, "-V"]]


def test_secure_execution(disk, commands, tmp_path):
    (tmp_path / "_SECURE_EXECUTION").write_text("1\n")
    with pytest.raises(BootloaderError, match="Secure Execution"):
        Zipl().write_config(disk.context(), 1, disk.write(1))
    assert not has_stamp(disk.context())


def test_the_machine_for_it(disk):
    assert Zipl().is_active(disk.context()) == (os.uname().machine == "s390x")
