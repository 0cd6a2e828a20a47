# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from pathlib import Path

import pytest

from ostrya.errors import CommandFailed
from ostrya.uptane.client import restart as module
from ostrya.uptane.client.config import BootloaderSection, RollbackMode
from ostrya.uptane.client.restart import Restart, RestartKind


@pytest.fixture
def boot_id(tmp_path):
    path = tmp_path / "boot_id"
    path.write_text("one\n")
    return path


def make(storage, tmp_path, boot_id, kind=RestartKind.MACHINE, **settings):
    section = BootloaderSection(reboot_sentinel_dir=str(tmp_path / "run/x"), **settings)
    return Restart(storage, section, kind, str(boot_id))


def test_the_boot_id_tells(storage, tmp_path, boot_id):
    restart = make(storage, tmp_path, boot_id)
    assert not restart.is_expected()
    restart.expect()
    assert restart.is_expected()
    assert not restart.happened()
    assert (tmp_path / "run/x/need_reboot").exists()
    (tmp_path / "run/x/need_reboot").unlink()
    assert not restart.happened()
    boot_id.write_text("two\n")
    assert restart.happened()
    restart.forget()
    assert not restart.is_expected()


def test_where_restarts_are_played_a_file_tells(storage, tmp_path, boot_id):
    restart = make(storage, tmp_path, boot_id, RestartKind.EMULATED)
    restart.expect()
    boot_id.write_text("two\n")
    assert not restart.happened()
    os.unlink(tmp_path / "run/x/need_reboot")
    assert restart.happened()


@pytest.mark.parametrize(
    ("mode", "update", "good"),
    [
        (RollbackMode.NONE, [], []),
        (RollbackMode.UBOOT_GENERIC, ["bootcount 0", "rollback 0"], ["bootcount 0"]),
        (
            RollbackMode.UBOOT_MASKED,
            ["bootcount 0", "upgrade_available 1", "rollback 0"],
            ["bootcount 0", "upgrade_available 0"],
        ),
    ],
)
def test_boot_loaders_of_aktualizrs_kind(
    storage, tmp_path, boot_id, monkeypatch, mode, update, good
):
    ran: list[str] = []
    monkeypatch.setattr(module, "run", lambda argv, **_: ran.append(" ".join(argv)))
    restart = make(storage, tmp_path, boot_id, rollback_mode=mode)
    restart.tell_update()
    assert ran == [f"fw_setenv {one}" for one in update]
    ran.clear()
    restart.tell_good()
    assert ran == [f"fw_setenv {one}" for one in good]


def test_a_loader_that_cannot_be_told_stops_nothing(
    storage, tmp_path, boot_id, monkeypatch, caplog
):
    def fail(argv, **_):
        raise CommandFailed(tuple(argv), 127, "not found")

    monkeypatch.setattr(module, "run", fail)
    make(storage, tmp_path, boot_id, rollback_mode=RollbackMode.UBOOT_GENERIC).tell_good()
    assert "variable=bootcount" in caplog.text


def test_the_command_is_run(storage, tmp_path, boot_id):
    mark = tmp_path / "a mark"
    restart = make(storage, tmp_path, boot_id, reboot_command=f"touch '{mark}'")
    assert restart.run()
    assert Path(mark).exists()
    assert not make(storage, tmp_path, boot_id, reboot_command="").run()
