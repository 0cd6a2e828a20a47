# SPDX-License-Identifier: Apache-2.0
"""A whole update of a vehicle whose second ECU is at the other end of a wire."""

from __future__ import annotations

import socket
import threading

import pytest

from ostrya.uptane.client.config import Booted, BootloaderSection
from ostrya.uptane.client.errors import SecondaryRefused, SecondaryUnreachable
from ostrya.uptane.client.primary import End
from ostrya.uptane.client.restart import Restart, RestartKind
from ostrya.uptane.client.secondaries.ecu_identity import Verification
from ostrya.uptane.client.secondaries.firmware import OstreeFirmware
from ostrya.uptane.client.secondaries.ip import EcuInfo, IpSecondary, ask_info
from ostrya.uptane.client.secondaries.link import Address, LinkTls, Timeouts
from ostrya.uptane.client.secondaries.messages import (
    GetInfoReq,
    GetInfoResp,
    InstallReq,
    InstallResp,
    ManifestReq,
    ManifestResp,
    PutMetaReq,
    PutMetaResp,
    SendFirmwareReq,
    SendFirmwareResp,
    VersionReq,
    decode,
    encode,
)
from ostrya.uptane.metadata.canonical_json import ascii_bytes
from support.certificates import make_certificates
from support.ota_ecus import SECOND, FakeEcu, add_ecu
from support.ota_second import TIMEOUTS, EcuThread
from support.ota_sysroot import SysrootDevice, commit_image
from support.ota_world import SERIAL, make_device
from support.uptane_world import assigned, key


@pytest.fixture
def device(tmp_path):
    device = make_device(tmp_path / "primary")
    add_ecu(device, FakeEcu(), b"sensor firmware " * 5000)
    return device


@pytest.mark.parametrize("verification", [Verification.FULL, Verification.TUF])
def test_an_update(device, tmp_path, verification):
    with EcuThread(tmp_path / "e", verification=verification) as ecu:
        device.secondaries = (ecu.secondary(verification=verification),)
        assert device.cycle().end is End.INSTALLED
        assert device.cycle().end is End.UP_TO_DATE
    assert (tmp_path / "e/firmware.bin").read_bytes() == b"sensor firmware " * 5000
    assert sorted(device.server.results()) == [(SERIAL, "OK"), (SECOND, "OK")]


def test_roots_are_caught_up_with(device, tmp_path):
    with EcuThread(tmp_path / "e") as ecu:
        device.secondaries = (ecu.secondary(),)
        device.cycle()
        for _ in range(3):
            for repo in (device.server.world.director, device.server.world.image):
                repo.write_root()
        device.server.world.director.images["sensor"] = device.server.world.director.images[
            "sensor"
        ]
        from support.ota_world import offer

        offer(device, "newer", b"newer")
        add_again(device)
        assert device.cycle().end is End.INSTALLED


def add_again(device):
    from support.uptane_world import assigned, image

    told = image(b"second release", hardwareIds=["sensor"])
    device.server.contents["second"] = b"second release"
    device.server.world.image.images["second"] = told
    device.server.world.director.images["second"] = assigned(told, SECOND, "sensor")
    device.server.world.publish()


def test_an_ecu_that_is_gone_is_reported_as_it_was(device, tmp_path):
    with EcuThread(tmp_path / "e") as ecu:
        device.secondaries = (ecu.secondary(),)
        device.cycle()
    assert device.cycle().end is End.UP_TO_DATE
    assert device.server.manifests[-1].reports[SECOND].image == "sensor"
    with pytest.raises(SecondaryUnreachable):
        device.secondaries[0].report()


def test_forged_metadata_is_refused_by_the_ecu_too(device, tmp_path):
    with EcuThread(tmp_path / "e") as ecu:
        from ostrya.uptane.client.secondaries.bundle import Bundle

        found = ecu.secondary()
        with pytest.raises(SecondaryRefused, match="refuses the metadata") as error:
            found.put_metadata(Bundle({"root": b"{}", "targets": b"{}"}, {"root": b"{}"}))
        assert error.value.code == "VERIFICATION_FAILED"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    made = make_certificates(tmp_path_factory.mktemp("ca"))
    good = LinkTls(str(made.ca), str(made.server), str(made.server_key))
    return good, LinkTls(str(made.ca), str(made.stranger), str(made.stranger_key))


def test_a_link_with_tls(device, tmp_path, authority):
    good, _ = authority
    with EcuThread(tmp_path / "e", tls=good) as ecu:
        device.secondaries = (ecu.secondary(good),)
        assert device.cycle().end is End.INSTALLED


@pytest.mark.parametrize("who", ["stranger", "in the clear"])
def test_who_is_not_vouched_for_is_not_answered(tmp_path, authority, who):
    good, stranger = authority
    with EcuThread(tmp_path / "e", tls=good) as ecu, pytest.raises(SecondaryUnreachable):
        ask_info(ecu.address(stranger if who == "stranger" else None), Timeouts(5, 1, 1))


class Scripted:
    """An ECU that answers by a table."""

    def __init__(self, answers):
        self.answers = answers
        self.asked = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = Address("127.0.0.1", self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            with peer:
                data = b""
                while True:
                    try:
                        message = decode(data)
                        break
                    except Exception:  # noqa: BLE001  # it is not whole yet
                        more = peer.recv(100000)
                        if not more:
                            break
                        data += more
                else:
                    continue
                self.asked.append(message)
                answer = self.answers.get(type(message))
                if answer is not None:
                    peer.sendall(answer if isinstance(answer, bytes) else encode(answer))

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def scripted():
    made = []

    def make(answers):
        made.append(Scripted(answers))
        return made[-1]

    yield make
    for one in made:
        one.close()


KEY = key(40).key
INFO = GetInfoResp(SECOND, "sensor", 0, KEY.public.encode())


def secondary(ecu):
    return IpSecondary(ecu.address, EcuInfo(SECOND, "sensor", KEY), timeouts=TIMEOUTS)


def test_an_ecu_of_the_first_protocol(device, scripted):
    ecu = scripted({
        GetInfoReq: INFO, PutMetaReq: PutMetaResp(0), SendFirmwareReq: SendFirmwareResp(0),
        InstallReq: InstallResp(0),
        ManifestReq: ManifestResp(ascii_bytes(FakeEcu().report())),
    })  # fmt: skip
    device.secondaries = (secondary(ecu),)
    device.cycle()
    sent = [one for one in ecu.asked if isinstance(one, SendFirmwareReq)]
    assert sent[0].firmware == b"sensor firmware " * 5000
    (meta,) = [one for one in ecu.asked if isinstance(one, PutMetaReq)]
    assert (len(meta.image), len(meta.director)) == (4, 2)
    assert InstallReq(b"sensor") in ecu.asked


@pytest.mark.parametrize(
    "answer",
    [
        ManifestResp(b"{}"), ManifestResp(b"garbage"), ManifestResp(b'{"signed":{"ecu_serial":"x"}}'),
        INFO, b"\xff\xff\xff\xff", b"\x30\x84\xff\xff\xff\xff", ManifestResp(b"x" * 100_000),
    ],
)  # fmt: skip
def test_answers_that_make_no_sense(scripted, answer):
    with pytest.raises(SecondaryRefused):
        secondary(scripted({ManifestReq: answer})).report()


@pytest.mark.parametrize(
    "answer", [GetInfoResp("", "h", 0, b"x"), GetInfoResp("s", "h", 0, b"no key"), b"\x04\x00"]
)
def test_who_does_not_say_who_it_is(scripted, answer):
    ecu = scripted({GetInfoReq: answer})
    with pytest.raises(SecondaryRefused):
        ask_info(ecu.address, TIMEOUTS)


def test_who_it_is(scripted):
    found = ask_info(scripted({GetInfoReq: INFO, VersionReq: b""}).address, TIMEOUTS)
    assert (found.serial, found.hardware_id, found.key) == (SECOND, "sensor", KEY)


def test_a_commit_is_pulled_by_the_ecu_itself_and_counts_after_its_restart(device, tmp_path):
    sysroot = SysrootDevice(tmp_path / "m")
    checksum = sysroot.releases.make("2")
    told = commit_image(checksum, hardwareIds=["sensor"])
    device.server.treehub_url = sysroot.releases.url
    world = device.server.world
    world.image.images["os-2"] = told
    world.director.images = {"os-2": assigned(told, SECOND, "sensor")}
    world.publish()
    section = BootloaderSection(reboot_sentinel_dir=str(tmp_path / "session"))
    restart = Restart(Facts(), section, RestartKind.EMULATED)
    firmware = OstreeFirmware(sysroot.installer(Booted.STAGED), restart)
    with EcuThread(tmp_path / "e", firmware=firmware) as ecu:
        device.secondaries = (ecu.secondary(),)
        found = device.cycle()
        assert (found.end, "restart" in found.words) == (End.RESTART, True)
        assert device.cycle().end is End.RESTART
        assert device.server.results() == []
        (tmp_path / "session/need_reboot").unlink()
        assert device.cycle().end is End.UP_TO_DATE
    assert device.server.results() == [(SECOND, "OK")]
    assert device.server.manifests[-1].reports[SECOND].hashes == {"sha256": checksum}
    sysroot.close()


class Facts:
    """What is known of restarts, for whichever thread."""

    def __init__(self):
        self.facts = {}

    def fact(self, name):
        return self.facts.get(name)

    def set_fact(self, name, value):
        self.facts[name] = value

    def forget_fact(self, name):
        del self.facts[name]
