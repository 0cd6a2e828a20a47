# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.client.config import (
    ClientConfig,
    ImportSection,
    ProvisionMode,
    ProvisionSection,
    StorageSection,
)


def test_defaults_are_aktualizrs():
    config = ClientConfig()
    assert config.uptane.polling_sec == 10
    assert config.uptane.secondary_preinstall_wait_sec == 600
    assert config.provision.expiry_days == "36000"
    assert config.pacman.packages_file == "/usr/package.manifest"
    assert config.bootloader.reboot_command == "/sbin/reboot"
    assert config.telemetry.report_network
    assert config.database_path == "/var/sota/sql.db"


@pytest.mark.parametrize(
    ("section", "mode"),
    [
        (ProvisionSection(), ProvisionMode.DEVICE),
        (ProvisionSection(provision_path="/a.zip"), ProvisionMode.SHARED),
        (
            ProvisionSection(provision_path="/a.zip", mode=ProvisionMode.REUSED),
            ProvisionMode.REUSED,
        ),
    ],
)
def test_mode(section, mode):
    assert ClientConfig(provision=section).provision_mode is mode


def test_paths():
    config = ClientConfig(
        storage=StorageSection(path="/data/", sqldb_path="a.db"),
        import_=ImportSection(base_path="/in"),
    )
    assert config.database_path == "/data/a.db"
    assert config.import_path("ca.pem") == "/in/ca.pem"
    assert config.import_path("/x/ca.pem") == "/x/ca.pem"
    assert not config.import_path("")
    absolute = StorageSection(path="/data", sqldb_path="/b.db")
    assert ClientConfig(storage=absolute).database_path == "/b.db"
