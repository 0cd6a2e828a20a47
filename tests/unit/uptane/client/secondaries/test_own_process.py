# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import socket
import threading

import pytest

from ostrya.uptane.client import installs
from ostrya.uptane.client.config import Booted, PackageManager
from ostrya.uptane.client.errors import ImageUnsuitable
from ostrya.uptane.client.installs import State
from ostrya.uptane.client.key_file import load_key
from ostrya.uptane.client.secondaries.daemon_config import EcuConfig
from ostrya.uptane.client.secondaries.ip import ask_info
from ostrya.uptane.client.secondaries.link import Address
from ostrya.uptane.client.secondaries.own_process import make_ecu, serve_ecu
from ostrya.uptane.client.storage import open_storage
from ostrya.uptane.steps import Repository
from support.aktualizr_database import DIRECTOR, ROOT, AktualizrDatabase
from support.ota_second import TIMEOUTS
from support.ota_sysroot import SysrootDevice
from support.ota_world import BUILT
from support.uptane_world import NOW, key, make_repo


@pytest.fixture
def config(tmp_path):
    return EcuConfig(
        hardware_id="sensor", key_kind="ed25519", manager=PackageManager.NONE,
        folder=str(tmp_path / "s"), images_path=str(tmp_path / "i"),
        import_path=str(tmp_path / "import"), address="127.0.0.1",
    )  # fmt: skip


def make(config, storage, opener=None):
    return make_ecu(config, storage, opener, lambda: NOW, BUILT)


def test_roots_that_it_was_given_count(config, storage, tmp_path):
    root = make_repo("Director", 10).files["1.root.json"]
    (tmp_path / "import/director").mkdir(parents=True)
    (tmp_path / "import/director/root.json").write_bytes(root)
    for _ in range(2):
        ecu, _ = make(config, storage)
        assert [ecu.root_version(one) for one in Repository] == [1, 0]
        assert ecu.identity.serial == ecu.identity.key_id


@pytest.fixture
def former(tmp_path):
    """What aktualizr-secondary left."""
    found = AktualizrDatabase(tmp_path / "s/secondary.db")
    private = key(1).to_json()["keyval"]["private"]
    found.put("primary_keys", unique_mark=0, private=private, public=key(1).key.public)
    found.put("ecus", id=0, serial="ecu-7", hardware_id="sensor", is_primary=1)
    root = make_repo("Director", 10).files["1.root.json"]
    found.put("meta", meta=root, repo=DIRECTOR, meta_type=ROOT, version=1)
    found.image("firmware-1", "1" * 64, ecu_serial="ecu-7", is_current=1)
    return found


def test_an_ecu_that_was_aktualizrs_goes_on(config, former):
    """The server knows its key: with another one it would refuse the vehicle's manifests."""
    before = former.dump()
    for _ in range(2):
        with open_storage(str(former.path)) as storage:
            ecu, _ = make(config, storage)
            assert (ecu.identity.serial, ecu.identity.secret.key) == ("ecu-7", key(1).key)
            assert [ecu.root_version(one) for one in Repository] == [1, 0]
            (log,) = installs.install_log(storage, "ecu-7")
            assert (log.state, log.target.name) == (State.CURRENT, "firmware-1")
    assert former.dump() == before
    # What its settings say of the name counts, as before.
    with open_storage(str(former.path)) as storage:
        ecu, _ = make(config._replace(serial="other"), storage)
        assert ecu.identity.serial == "other"


def test_a_key_of_ours_is_not_replaced(config, former):
    own = load_key(f"{config.folder}/ecu.key", "ed25519")
    with open_storage(str(former.path)) as storage:
        ecu, _ = make(config, storage)
        assert ecu.identity.secret.key == own.key
        assert installs.install_log(storage, "ecu-7") == ()


def test_without_a_key_nothing_is_taken_over(config, former):
    former.connection.execute("UPDATE primary_keys SET private = 'nonsense'")
    with open_storage(str(former.path)) as storage:
        ecu, _ = make(config, storage)
        assert ecu.identity.serial == ecu.identity.key_id
        assert ecu.root_version(Repository.DIRECTOR) == 0


def test_a_sysroot(config, storage, tmp_path):
    device = SysrootDevice(tmp_path)
    config = config._replace(manager=PackageManager.OSTREE, booted=Booted.STAGED)
    ecu, _ = make(config, storage, device.open)
    image = ecu.report()["signed"]["installed_image"]
    assert image["fileinfo"]["hashes"] == {"sha256": device.first}
    with pytest.raises(ImageUnsuitable):
        ecu.begin()
    device.close()


class Stop(BaseException):
    pass


def test_it_is_served_until_it_is_ended(config, tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    config = config._replace(port=port)
    from ostrya.uptane.client.secondaries import own_process

    count = iter(range(3))
    real = own_process.EcuListener.serve_one

    def serve_one(listener):
        if next(count) == 2:
            raise Stop
        ready.set()
        real(listener)

    monkeypatch.setattr(own_process.EcuListener, "serve_one", serve_one)
    ready, ended = threading.Event(), threading.Event()

    def run():
        with open_storage(str(tmp_path / "x.db")) as storage:
            try:
                serve_ecu(config, *make(config, storage))
            except Stop:
                ended.set()

    threading.Thread(target=run, daemon=True).start()
    assert ready.wait(20)
    for _ in range(2):
        assert ask_info(Address("127.0.0.1", port), TIMEOUTS).hardware_id == "sensor"
    assert ended.wait(20)
