# SPDX-License-Identifier: Apache-2.0
"""``how-to/ota-client.md``: its settings and commands make devices of a real server's."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ostrya.uptane.client.config_files import load_config
from support import fleet_server
from support.commands import OURS, have
from support.own_folders import OwnFolders
from support.ports import free_port
from support.softhsm import MODULE

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/ota-client.md"
SHARED, OWN, TOKEN = (
    "With the fleet's shared credentials", "With a certificate of its own", "With keys on a token",
)  # fmt: skip
ALL, CAMPAIGNS = "Provision it, and look", "Campaigns"
pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("docs-ota-client")]


def section(title: str) -> str:
    """What the page says below a heading."""
    parts = re.split(r"^## (.*)\n", PAGE.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))[title]


def blocks(title: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", section(title), re.MULTILINE | re.DOTALL)


@pytest.fixture
def place(tmp_path):
    """A device beside a server that runs, whose folder is ``srv``."""
    machine = OwnFolders(tmp_path / "machine")
    # What another device left on this machine is not this one's.
    machine.ok("rm -rf /etc/sota /var/sota")
    folder = fleet_server.make(machine.work / "srv", listen=f"127.0.0.1:{free_port()}")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "ostrya").symlink_to(OURS.path)
    path = os.environ.get("PATH", os.defpath)
    machine.environment["PATH"] = f"{programs}{os.pathsep}{path}"
    with fleet_server.start(folder) as server:
        machine.server = server
        yield machine


def configure(place: OwnFolders, title: str) -> None:
    """Write the settings of a section, with the server that runs in place of the page's."""
    text = "\n".join(blocks(title, "toml"))
    text = text.replace("https://ota.example.com:8443", place.server.url)
    place.write("/etc/sota/conf.d/10-page.toml", text)


def provision(place: OwnFolders) -> dict:
    """Run the commands that provision a device and show it; return what the last one prints."""
    (script,) = blocks(ALL, "sh")
    told = place.ok(script)
    assert "provisioned yes" in told
    found = json.loads(told[told.index("\n{") :])
    assert found["provisioned"]
    assert found["troubles"] == []
    assert found["ecus"][0]["hardware_id"] == "board"
    return found


def test_shared_credentials_and_campaigns(place):
    place.ok("\n".join(blocks(SHARED, "sh")))
    configure(place, SHARED)
    place.ok("mkdir -p /var/sota && cp credentials.zip /var/sota/credentials.zip")
    device = provision(place)["device_id"]
    place.ok("printf maps > maps")
    place.ok("ostrya fleet targets add --dir=srv --hardware-id=board maps-2 maps")
    place.ok("\n".join(blocks(CAMPAIGNS, "sh")[:1]).replace("ID", device))

    def answered(answer: str) -> str:
        (line,) = place.ok(blocks(CAMPAIGNS, "sh")[1]).splitlines()
        campaign, _, words = line.partition(": ")
        assert words == "Maps: roads of this year"
        assert f"ostrya ota campaign {answer} ID" in section(CAMPAIGNS)
        place.ok(f"ostrya ota campaign {answer} {campaign}")
        # It is handed in with the next events, whatever becomes of the rest of that cycle.
        place.ok("ostrya ota run check || true")
        return place.ok("ostrya fleet campaign show --dir=srv Maps")

    assert "postponed" in answered("postpone")
    assert "accepted" in answered("accept")
    assert place.ok("ostrya ota campaign list") == ""
    assert "maps-2" in place.ok(f"ostrya fleet device show --dir=srv {device}")


def test_a_certificate_of_its_own(place):
    place.ok("\n".join([*blocks(SHARED, "sh"), *blocks(OWN, "sh")]))
    configure(place, OWN)
    place.ok("mkdir -p /var/sota/import && cp ca.pem car-1.* /var/sota/import/")
    assert provision(place)["device_id"] == "car-1"


def test_a_certificate_that_was_made_elsewhere(place):
    place.ok("\n".join([*blocks(SHARED, "sh"), *blocks(OWN, "sh")]))
    place.write("/etc/sota/conf.d/10.toml", '[provision]\nprimary_ecu_hardware_id = "board"\n')
    place.ok(
        "mkdir -p /var/sota && cp -r car-3 /var/sota/import"
        " && cp car-3/20-device.toml /etc/sota/conf.d/"
    )
    assert provision(place)["device_id"] == "car-3"


def test_keys_on_a_token(place, tmp_path):
    pytest.importorskip("pkcs11")
    debian = sorted(Path("/usr/lib/python3/dist-packages").glob("pycurl*.so"))
    if not debian or not have("softhsm2-util") or not have("pkcs11-tool") or not MODULE.exists():
        pytest.skip("needs Debian's python3-pycurl, softhsm2 and opensc")
    folder = tmp_path / "debian"
    folder.mkdir()
    (folder / debian[0].name).symlink_to(debian[0])
    place.environment["PYTHONPATH"] = str(folder)
    argv = [sys.executable, "-c", "import pycurl; assert 'GnuTLS' in pycurl.version"]
    if subprocess.run(
        argv, env={**os.environ, **place.environment}, check=False, capture_output=True
    ).returncode:
        pytest.skip("needs Debian's python3-pycurl for this Python")
    place.ok("mkdir -p /var/lib/softhsm/tokens /var/sota/import")
    place.ok("\n".join(blocks(TOKEN, "sh")))
    configure(place, TOKEN)
    place.ok("cp ca.pem /var/sota/import/ && rm car-2.key car-2.pem car-2.der")
    assert provision(place)["device_id"] == "car-2"
    assert "on the token, with the id 01" in place.ok("ostrya ota info --ecu-prv-key")
    listed = place.ok(
        f"pkcs11-tool --module={MODULE} --login --pin=1234 --list-objects --type=privkey"
    )
    assert set(re.findall(r"ID: +(\d+)", listed)) == {"01", "02"}
    place.ok("ostrya ota campaign list")


def test_all_settings_can_be_read(tmp_path):
    text = PAGE.read_text()
    found = re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(found) >= 4
    for at, one in enumerate(found):
        assert tomllib.loads(one)
        path = tmp_path / f"{at}.toml"
        path.write_text(one)
        assert load_config([str(path)], {}).warnings == ()


def test_every_condition_is_in_the_table():
    from ostrya.uptane.client.state import Condition

    told = set(re.findall(r"`([a-z-]+)`", section(ALL)))
    assert {one.value for one in Condition} - {"failed"} <= told
