# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
import socket
import threading
import time
from contextlib import ExitStack, suppress

from ostrya.uptane.client.errors import SecondaryUnreachable
from ostrya.uptane.client.primary import End
from ostrya.uptane.client.secondaries import build
from ostrya.uptane.client.secondaries.build import build_secondaries
from ostrya.uptane.client.secondaries.config import parse_ecus
from ostrya.uptane.client.secondaries.daemon import EcuListener, EcuService
from ostrya.uptane.client.storage import open_storage
from ostrya.uptane.manifest import RegisteredEcu
from support.ota_ecus import SECOND, FakeEcu, add_ecu
from support.ota_second import EcuThread, make_ecu
from support.ota_world import BUILT, make_device
from support.ports import free_port
from support.uptane_world import NOW


def ecus(storage, value):
    stack = ExitStack()
    config = parse_ecus(json.dumps(value).encode(), "f")
    return stack, build_secondaries(stack, config, storage, lambda: NOW, BUILT)


def test_a_virtual_one_has_keys_of_its_own_that_stay(tmp_path, storage):
    value = {
        "virtual": [
            {
                "ecu_hardware_id": "sensor",
                "full_client_dir": str(tmp_path / "v"),
                "key_type": "ED25519",
            }
        ]
    }
    serials = set()
    for _ in range(2):
        stack, (found,) = ecus(storage, value)
        with stack:
            serials.add((found.serial, found.public_key().public))
            assert found.hardware_id == "sensor"
    assert len(serials) == 1
    assert os.stat(tmp_path / "v/sec.private").st_mode & 0o777 == 0o600


def test_an_update_of_a_virtual_one(tmp_path):
    device = make_device(tmp_path / "primary")
    add_ecu(device, FakeEcu())
    with open_storage(str(tmp_path / "other.db")) as other:
        stack, found = ecus(other, {"virtual": [{
            "ecu_hardware_id": "sensor", "full_client_dir": str(tmp_path / "v"),
            "ecu_serial": SECOND, "key_type": "ED25519", "firmware_path": str(tmp_path / "fw"),
        }]})  # fmt: skip
        with stack:
            device.secondaries = found
            device.server.registered.ecus[SECOND] = RegisteredEcu(found[0].public_key())
            assert device.cycle().end is End.INSTALLED
    assert (tmp_path / "fw").read_bytes() == b"sensor firmware"


def test_one_at_the_other_end_is_remembered(tmp_path, storage):
    with EcuThread(tmp_path / "e") as thread:
        value = {"IP": {"secondaries": [{"addr": f"127.0.0.1:{thread.port}"}]}}
        _, (found,) = ecus(storage, value)
        assert found.serial == SECOND
    _, (again,) = ecus(storage, value)
    assert (again.serial, again.public_key()) == (SECOND, found.public_key())


def test_one_that_was_never_there_is_left_out(storage, caplog):
    _, found = ecus(storage, {"IP": {"secondaries": [{"addr": "127.0.0.1:1"}]}})
    assert found == ()
    assert "an ECU is not there" in caplog.text


def test_one_that_comes_up_later_is_waited_for(tmp_path, storage):
    """As aktualizr's secondaries do: it connects, and is asked over that."""
    port, own = free_port(), free_port()
    value = {
        "IP": {
            "secondaries_wait_port": port, "secondaries_wait_timeout": 60,
            "secondaries": [{"addr": f"127.0.0.1:{own}"}],
        }
    }  # fmt: skip

    def come() -> None:
        with make_ecu(tmp_path / "e") as ecu:
            service = EcuService(ecu, str(tmp_path / "e"))
            with EcuListener(service, 0, None, "127.0.0.1") as listener:
                while not found:
                    # It listens elsewhere than the Primary thinks: only its coming can tell.
                    listener.announce("127.0.0.1", port)
                    time.sleep(0.05)

    found: list[str] = []
    thread = threading.Thread(target=come, daemon=True)
    thread.start()
    try:
        _, (one,) = ecus(storage, value)
    finally:
        found.append("there")
        thread.join(20)
    assert one.serial == SECOND


def test_a_stranger_that_comes_is_not_waited_for(storage, caplog, monkeypatch):
    port = free_port()
    value = {
        "IP": {
            "secondaries_wait_port": port, "secondaries_wait_timeout": 2,
            "secondaries": [{"addr": "192.0.2.1:9"}],
        }
    }  # fmt: skip

    def come() -> None:
        for _ in range(200):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as peer:
                said.append(peer.recv(100))
                return
            time.sleep(0.05)

    def refuse(address):
        raise SecondaryUnreachable(f"nobody is at {address}")

    said: list[bytes] = []
    thread = threading.Thread(target=come, daemon=True)
    thread.start()
    monkeypatch.setattr(build, "ask_info", refuse)
    _, found = ecus(storage, value)
    thread.join(20)
    assert (found, said) == ((), [b""])
    assert "nobody is waited for at this address" in caplog.text


def test_a_port_that_is_taken_leaves_asking(storage, caplog):
    with socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True) as taken:
        port = taken.getsockname()[1]
        value = {
            "IP": {
                "secondaries_wait_port": port, "secondaries_wait_timeout": 1,
                "secondaries": [{"addr": "127.0.0.1:1"}],
            }
        }  # fmt: skip
        assert ecus(storage, value)[1] == ()
    assert "ECUs cannot come" in caplog.text
