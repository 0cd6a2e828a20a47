# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import stat

import pytest

from ostrya.fleet.api.gateway import Gateway
from ostrya.fleet.domain import assignments
from ostrya.fleet.domain.backup import recover, write_backup
from ostrya.fleet.domain.services import open_services
from ostrya.fleet.errors import SetupError
from support.fleet_server import publish_file


def test_a_server_goes_on_from_a_copy_and_its_devices_follow(
    services, device, firmware, change, clock, tmp_path
):
    device.send_manifest()
    device.cycle(clock.now)
    assert write_backup(services, str(tmp_path / "copy"))
    # What the copy does not know of: versions that the device has seen.
    for number in range(3):
        clock.forward(minutes=2)
        publish_file(services, tmp_path, f"later-{number}")
        wanted = assignments.Wanted(device.name, f"later-{number}")
        change(assignments.assign, wanted, services.images.all_images(), 5)
        assert device.cycle(clock.now).agreed
        change(assignments.cancel, device.name, (), 6)
        device.cycle(clock.now)
    services.close()
    clock.forward(minutes=2)
    with open_services(str(tmp_path / "copy"), now=clock) as again:
        device.link.app = Gateway(again)
        # As it is, the copy is a rollback to the device.
        with pytest.raises(Exception, match="version"):
            device.cycle(clock.now)
        found = recover(again)
        assert (found.vehicles, found.roles, found.elsewhere) == (1, ("targets",), ())
        again.registry.notice()
        assert device.cycle(clock.now).agreed == ()
        images = again.images.all_images()
        assert set(images) == {firmware}
        again.fleet.database.write(
            lambda c: assignments.assign(
                c, assignments.Wanted(device.name, firmware), images, again.fleet.timestamp()
            )
        )
        (agreed,) = device.cycle(clock.now).agreed
        assert agreed.name == firmware
        assert device.send_manifest().status == 200


def test_a_copy_is_for_its_owner_alone_and_all_or_nothing(services, tmp_path, monkeypatch):
    write_backup(services, str(tmp_path / "copy"))
    for path, mode in (("", 0o700), ("ca/ca.key", 0o600), ("fleet.db", 0o600)):
        assert stat.S_IMODE(os.stat(tmp_path / "copy" / path).st_mode) == mode, path
    for where in ("copy", "nothing/copy"):
        with pytest.raises(SetupError, match="no copy can be made"):
            write_backup(services, str(tmp_path / where))
    before = set(os.listdir(tmp_path))

    def fail(_path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(services.fleet.database, "copy_to", fail)
    with pytest.raises(OSError, match="No space left"):
        write_backup(services, str(tmp_path / "other"))
    assert set(os.listdir(tmp_path)) == before
