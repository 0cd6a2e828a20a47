# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.client.config import Booted, BootloaderSection
from ostrya.uptane.client.errors import ImageUnsuitable
from ostrya.uptane.client.installer import Outcome, Stage
from ostrya.uptane.client.installs import Target
from ostrya.uptane.client.restart import Restart, RestartKind
from ostrya.uptane.client.secondaries.firmware import FileFirmware, OstreeFirmware
from ostrya.uptane.client.storage import open_storage
from ostrya.uptane.errors import ImageRejected
from ostrya.uptane.metadata.hashes import KNOWN, digests
from support.ota_sysroot import Hub, SysrootDevice, agreed

CONTENT = b"firmware"
TARGET = Target("e", "fw", len(CONTENT), digests(CONTENT, KNOWN))


@pytest.fixture
def firmware(tmp_path):
    return FileFirmware(str(tmp_path / "x/firmware"), str(tmp_path / "x/name"))


def test_a_file_that_was_sent_in_pieces(firmware, tmp_path):
    assert firmware.running(()) is None
    firmware.begin(TARGET)
    for at in range(0, 8, 3):
        firmware.receive(TARGET, CONTENT[at : at + 3])
    assert firmware.running(()) is None
    assert firmware.install(TARGET) == Outcome.good()
    assert firmware.running(())[:3] == ("fw", 8, digests(CONTENT))
    assert (tmp_path / "x/firmware").read_bytes() == CONTENT
    assert firmware.finish(TARGET) == Outcome.good()


@pytest.mark.parametrize("data", [b"firmwarE", b"short"])
def test_another_file_is_refused_and_the_old_one_stays(firmware, data):
    firmware.begin(TARGET)
    firmware.receive(TARGET, CONTENT)
    firmware.install(TARGET)
    firmware.begin(TARGET)
    firmware.receive(TARGET, data)
    with pytest.raises(ImageRejected):
        firmware.install(TARGET)
    assert firmware.running(()).hashes == digests(CONTENT)


def test_more_than_was_agreed_on_is_not_even_kept(firmware, tmp_path):
    firmware.begin(TARGET)
    with pytest.raises(ImageRejected, match="more than the 8 bytes"):
        firmware.receive(TARGET, b"x" * 9)
    assert (tmp_path / "x/firmware.part").stat().st_size == 0


def test_nothing_was_sent(firmware):
    assert firmware.install(TARGET).result.code == "INSTALL_FAILED"
    with pytest.raises(ImageUnsuitable):
        firmware.fetch(agreed("os", "ab" * 32), None)


def test_a_commit(tmp_path):
    device = SysrootDevice(tmp_path)
    checksum = device.releases.make("2")
    target = Target("e", "os-2", 0, {"sha256": checksum})
    section = BootloaderSection(reboot_sentinel_dir=str(tmp_path / "session"))
    with open_storage(str(tmp_path / "sql.db")) as storage:
        restart = Restart(storage, section, RestartKind.EMULATED)
        firmware = OstreeFirmware(device.installer(Booted.STAGED), restart)
        with pytest.raises(ImageUnsuitable, match="has to be a commit"):
            firmware.begin(target)
        firmware.fetch(agreed("os-2", checksum), Hub(device.releases.url))
        assert firmware.install(target).stage is Stage.APPLIED
        assert firmware.finish(target).stage is Stage.WAITING
        (tmp_path / "session/need_reboot").unlink()
        assert firmware.finish(target) == Outcome.good()
        assert firmware.running(()).hashes == {"sha256": checksum}
    device.close()
