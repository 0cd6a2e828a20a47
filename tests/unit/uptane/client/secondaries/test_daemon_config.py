# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.client.config import Booted, PackageManager, RollbackMode
from ostrya.uptane.client.secondaries.daemon_config import read_ecu_config
from ostrya.uptane.client.secondaries.ecu_identity import Verification
from ostrya.uptane.client.secondaries.link import LinkTls
from ostrya.uptane.errors import ConfigError


def read(tmp_path, text):
    (tmp_path / "s.toml").write_text(text)
    return read_ecu_config(str(tmp_path / "s.toml"))


def test_usual_values(tmp_path):
    found = read(tmp_path, "")
    assert (found.port, found.primary, found.tls, found.verification) == (
        9030, None, None, Verification.FULL,
    )  # fmt: skip
    assert found.hardware_id
    assert found.warnings == ()


def test_all_of_it(tmp_path):
    found = read(
        tmp_path,
        """
[network]
port = 9050
primary_ip = "10.0.0.1"
tls_ca = "/a"
tls_cert = "/c"
tls_key = "/k"
[uptane]
ecu_serial = "s"
ecu_hardware_id = "h"
key_type = "ED25519"
verification_type = "tuf"
force_install_completion = true
[pacman]
type = "none"
booted = "staged"
sysroot = "/x"
images_path = "/i"
[storage]
path = "/p"
sqldb_path = "x.db"
[bootloader]
rollback_mode = "uboot_masked"
reboot_command = ""
[other]
[logger]
x = 1
""",
    )
    assert (found.port, found.primary, found.tls) == (
        9050, ("10.0.0.1", 9040), LinkTls("/a", "/c", "/k"),
    )  # fmt: skip
    assert (found.serial, found.hardware_id, found.key_kind, found.verification) == (
        "s", "h", "ed25519", Verification.TUF,
    )  # fmt: skip
    assert (found.manager, found.booted, found.restarts) == (
        PackageManager.NONE, Booted.STAGED, True,
    )  # fmt: skip
    assert found.database_path == "/p/x.db"
    assert found.bootloader.rollback_mode is RollbackMode.UBOOT_MASKED
    assert [one.partition(": ")[2] for one in found.warnings] == [
        "[other] is not known", "x of [logger] is not known",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[", "no TOML"),
        ("[network]\nport = 70000", "is no port"),
        ("[network]\nport = true", "is no port"),
        ('[network]\ntls_ca = "/a"', "belong together"),
        ("[uptane]\necu_serial = 5", "is a text"),
        ('[uptane]\nverification_type = "none"', "is one of Full, Partial, Tuf"),
        ('[uptane]\nforce_install_completion = "yes"', "true or false"),
        ("x = '" + "y" * 300_000 + "'", "larger than"),
    ],
)
def test_what_cannot_be_used(tmp_path, text, words):
    with pytest.raises(ConfigError, match=words):
        read(tmp_path, text)


def test_no_file(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_ecu_config(str(tmp_path / "x"))
