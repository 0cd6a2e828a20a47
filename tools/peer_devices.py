# SPDX-License-Identifier: Apache-2.0
"""aktualizr as a Primary of our server: it registers, it is updated, and it refuses."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import zipfile

from demo_ota import BOARD
from peer_checks import Unexpected, expect, expect_in, expect_so, wait_for
from peer_lab import Device, Lab, Wish

DOWNLOADED = ("EcuDownloadStarted", "EcuDownloadCompleted", "EcuInstallationStarted")
_KEYS = ("RSA2048", "RSA3072", "RSA4096", "ED25519")


def shared_credentials(lab: Lab) -> str:
    """The server's credentials.zip makes a device of the fleet, and is taken apart by it."""
    device = lab.make("shared", Wish())
    lab.cycle(device)
    about = lab.about(device)
    expect(about["state"], "idle", "what the server says")
    with zipfile.ZipFile(device.top / "credentials.zip") as archive:
        left = archive.namelist()
    if "autoprov_credentials.p12" in left:
        raise Unexpected("the shared certificate is still in the zip")
    said = lab.peer("aktualizr-info", "-c", device.config)
    expect_so("Provisioned on server: yes" in said, "aktualizr-info says so")
    other = lab.make("shared-with-tools", Wish())
    shutil.copyfile(lab.credentials("credentials"), other.top / "credentials.zip")
    lab.cycle(other)
    expect(lab.about(other)["state"], "idle", "what the server says with the zip for tools")
    return "registered, manifest taken; the shared certificate is gone from the zip"


def device_credentials(lab: Lab) -> str:
    """The three PEM files of `fleet device add --pem` do it too."""
    device = lab.make("own", Wish(shared=False))
    lab.cycle(device)
    expect(lab.about(device)["state"], "idle", "what the server says")
    return "registered with the certificate that the server had made for it"


def key_types(lab: Lab) -> str:
    """Reports are signed by keys of each kind that aktualizr makes."""
    for kind in _KEYS:
        device = lab.make(f"key-{kind.lower()}", Wish(key_type=kind))
        lab.cycle(device)
        expect(lab.about(device)["state"], "idle", f"what the server says of {kind}")
        expect(len(lab.images(device)), 1, "ECUs that reported")
    return f"manifests signed by {', '.join(_KEYS)}"


def device_data(lab: Lab) -> str:
    """What aktualizr tells of a device is kept."""
    data = lab.about("shared")["data"]
    kinds = sorted(data) if isinstance(data, dict) else []
    expect(kinds, ["config", "hardware", "network", "packages"], "kinds of data")
    return ", ".join(kinds)


def taken_name(lab: Lab) -> str:
    """A second device under a name that is taken is turned away."""
    device = lab.make("twice", Wish())
    text = device.config.read_text().replace('device_id = "twice"', 'device_id = "shared"')
    device.config.write_text(text)
    lab.cycle(device, fails=True)
    with sqlite3.connect(device.top / "state/sql.db") as database:
        rows = database.execute("SELECT device_id, is_registered FROM device_info").fetchall()
    if any(row[1] for row in rows):
        raise Unexpected(f"it is registered: {rows}")
    expect_in(["RegistrationRefused"], lab.events(Device("shared", device.top)), "events")
    return "turned away (device_already_registered); an event for the owner"


def file_image(lab: Lab) -> str:
    """A file is assigned, downloaded, installed, and reported."""
    device = Device("shared", lab.work / "shared")
    data = hashlib.sha256(b"firmware").digest() * 40000
    lab.add_file("firmware-2", data)
    lab.fleet("assign", device.name, "firmware-2")
    lab.cycle(device)
    expect(list(lab.states(device).values()), [("firmware-2", "done")], "the assignment")
    expect(list(lab.images(device).values()), ["firmware-2"], "what it says that it runs")
    expect_in([*DOWNLOADED, "EcuInstallationCompleted"], lab.events(device), "events")
    stored = [path for path in device.image.iterdir() if path.read_bytes() == data]
    expect(len(stored), 1, "copies of the image on the device")
    reports = lab.about(device)["reports"]
    expect(str(reports).count("'success': True"), 1, "reports of success")
    return f"{len(data):,} bytes; done, with its events and its report"


def resumed_download(lab: Lab) -> str:
    """A download that was cut off is taken up again."""
    device = Device("shared", lab.work / "shared")
    data = hashlib.sha256(b"larger").digest() * 100000
    lab.add_file("firmware-3", data)
    lab.fleet("assign", device.name, "firmware-3")
    known = {path.name for path in device.image.iterdir()}
    lab.peer("aktualizr", "-c", device.config, "download")
    (new,) = [path for path in device.image.iterdir() if path.name not in known]
    with new.open("r+b") as file:
        file.truncate(1000000)
    lab.cycle(device)
    expect_so(new.read_bytes() == data, "the image is whole")
    expect(list(lab.states(device).values()), [("firmware-3", "done")], "the assignment")
    return f"1,000,000 of {len(data):,} bytes were there; whole, and done"


def lost_image(lab: Lab) -> str:
    """An image that the server has lost ends as a failure that says why."""
    device = lab.make("lost", Wish())
    lab.cycle(device)
    lab.add_file("firmware-lost", b"nobody has it")
    for path in (lab.work / "server/image").rglob("firmware-lost*"):
        path.unlink()
    lab.fleet("assign", device.name, "firmware-lost")
    lab.cycle(device)
    lab.cycle(device)
    (row,) = [one for one in history(lab, device) if one["target"] == "firmware-lost"]
    expect(row["state"], "failed", "the assignment")
    return f"failed: {row['code']}"


def delegated_image(lab: Lab) -> str:
    """An image that a supplier signs is found by delegation."""
    updates = f"--dir={lab.updates}"
    lab.run("ota", "keys", "create", "supplier", f"--dir={lab.updates}/keys")
    key = f"--key={lab.updates}/keys/supplier.pub"
    lab.run("ota", "delegation", "add", "supplier", updates, key, "--path=supplier/*")
    lab.release()
    lab.add_file("supplier/radio-1", b"a radio" * 1000, role="supplier")
    device = lab.make("delegated", Wish())
    lab.cycle(device)
    lab.fleet("assign", device.name, "supplier/radio-1")
    lab.cycle(device)
    expect(list(lab.states(device).values()), [("supplier/radio-1", "done")], "the assignment")
    return "supplier/radio-1, signed by the role supplier"


def new_keys(lab: Lab) -> str:
    """Roots with new keys are followed, of both repositories."""
    device = Device("shared", lab.work / "shared")
    updates, director = f"--dir={lab.updates}", f"--dir={lab.work}/server/director"
    lab.run("ota", "keys", "rotate", "targets", updates, "--key-type=rsa2048")
    lab.run("ota", "keys", "rotate", "root", updates)
    lab.release()
    lab.run("ota", "keys", "rotate", "targets", director)
    lab.run("ota", "targets", "sign", director)
    lab.add_file("firmware-4", b"signed by new keys" * 1000)
    lab.fleet("assign", device.name, "firmware-4")
    lab.cycle(device)
    expect(list(lab.states(device).values()), [("firmware-4", "done")], "the assignment")
    versions = [root_version(device, repository) for repository in (1, 0)]
    expect_so(all(version > 1 for version in versions), f"roots {versions} are new")
    return f"root {versions[0]} of the Director, root {versions[1]} of the Image repository"


def root_version(device: Device, repository: int) -> int:
    """The newest root that aktualizr has."""
    with sqlite3.connect(device.top / "state/sql.db") as database:
        rows = database.execute(
            "SELECT max(version) FROM meta WHERE repo = ? AND meta_type = 0", (repository,)
        ).fetchall()
    return int(rows[0][0] or 0)


def campaign(lab: Lab) -> str:
    """A campaign is heard of, and accepted."""
    device = Device("shared", lab.work / "shared")
    lab.add_file("firmware-spring", b"a spring release" * 1000)
    found = offer(lab, "firmware-spring", device.name)
    said = lab.peer("aktualizr", "-c", device.config, "campaign_check")
    expect_so("spring" in said, "aktualizr names the campaign")
    lab.peer("aktualizr", "-c", device.config, "campaign_accept", "--campaign-id", found)
    expect_in(["campaign_accepted"], lab.events(device), "events")
    lab.cycle(device)
    done = [("firmware-spring", "done")]
    expect(list(lab.states(device).values()), done, "what it was for")
    return "listed and accepted, then installed"


def offer(lab: Lab, image: str, device: str) -> str:
    """Offer an image to a device as a campaign; return its id."""
    from ostrya.fleet.domain import campaigns
    from ostrya.fleet.domain.services import open_services

    with open_services(str(lab.work / "server")) as services:
        now = services.fleet.timestamp()
        images = services.images.all_images()
        database = services.fleet.database
        wanted = campaigns.Offer("spring", image, "The spring release")
        made = database.write(lambda one: campaigns.create(one, wanted, images, now))
        database.write(lambda one: campaigns.launch(one, made.id, [device], now))
        return made.id


def polling(lab: Lab) -> str:
    """Aktualizr as a daemon notices what is assigned, installs it, and goes on."""
    device = lab.make("daemon", Wish())
    text = device.config.read_text().replace("[uptane]", "[uptane]\npolling_sec = 1")
    device.config.write_text(text)
    lab.add_file("firmware-daemon", b"while it runs" * 1000)
    with lab.daemon(device):
        wait_for(lambda: device.name in lab.fleet("device", "list"), "the device registers")
        wait_for(lambda: len(lab.images(device)) == 1, "the device reports")
        lab.fleet("assign", device.name, "firmware-daemon")
        done = [("firmware-daemon", "done")]
        wait_for(lambda: list(lab.states(device).values()) == done, "the assignment is done")
        before = str(lab.about(device)["last_seen"])
        wait_for(lambda: str(lab.about(device)["last_seen"]) > before, "it goes on asking")
    return "done while it ran; it asks on"


def unusual_name(lab: Lab) -> str:
    """Names with blanks and other signs are the same on both sides."""
    device = Device("shared", lab.work / "shared")
    name = "boot code 2+3%20&x=(v1);~.bin"
    lab.add_file(name, b"an unusual name" * 1000)
    lab.fleet("assign", device.name, name)
    lab.cycle(device)
    expect(list(lab.states(device).values()), [(name, "done")], "the assignment")
    return name


def rsa_server(lab: Lab) -> str:
    """A server that signs with RSA, and keeps all keys itself."""
    other = Lab(lab.work / "rsa", lab.program_folder)
    other.keeps_keys = True
    other.make_server()
    with other.served():
        device = other.make("rsa", Wish(key_type="RSA4096"))
        other.cycle(device)
        path = other.work / "firmware"
        path.write_bytes(b"signed by RSA" * 1000)
        other.fleet_verb("targets", "add", "firmware", str(path), f"--hardware-id={BOARD}")
        other.fleet("assign", device.name, "firmware")
        other.cycle(device)
        expect(list(other.states(device).values()), [("firmware", "done")], "the assignment")
    return "all roles of both repositories signed by RSASSA-PSS"


def own_authority(lab: Lab) -> str:
    """aktualizr-cert-provider makes a device's certificate with the fleet's authority."""
    folder = lab.work / "provided"
    folder.mkdir()
    authority = lab.work / "server/ca"
    lab.peer(
        "aktualizr-cert-provider", "--fleet-ca", authority / "ca.pem", "--fleet-ca-key",
        authority / "ca.key", "--certificate-cn", "provided", "--days", "365", "--local", folder,
    )  # fmt: skip
    (certificate,) = folder.rglob("client.pem")
    for path in certificate.parent.iterdir():
        expect_so(path.name in {"client.pem", "pkey.pem"}, f"{path.name} is what was asked for")
    lab.fleet("device", "add", f"--certificate={certificate}")
    device = lab.make("provided-device", Wish(given=certificate.parent))
    lab.cycle(device)
    expect(lab.about("provided")["state"], "idle", "what the server says")
    return "registered by `fleet device add --certificate`"


def by_hand(lab: Lab) -> str:
    """aktualizr-get reads what a device may read, and nothing of others."""
    device = Device("shared", lab.work / "shared")
    gateway = f"https://127.0.0.1:{lab.ports[0]}"
    said = lab.peer("aktualizr-get", "-c", device.config, "-u", f"{gateway}/director/targets.json")
    expect_so('"_type":"Targets"' in said, "it gets its Targets")
    header = "x-ats-device-uuid: own"
    again = lab.peer(
        "aktualizr-get", "-c", device.config, "-H", header, "-u", f"{gateway}/director/targets.json"
    )
    expect(again[again.index("{") :], said[said.index("{") :], "what a forged header gets")
    return "the Director's Targets; a forged x-ats-device-uuid gets the device's own"


def revoked(lab: Lab) -> str:
    """A device whose certificate is withdrawn gets nothing more."""
    device = Device("own", lab.work / "own")
    lab.fleet("device", "revoke", device.name, "--reason=lost")
    before = lab.about(device)["last_seen"]
    lab.peer("aktualizr", "-c", device.config, "once", device=device, fails=None)
    expect(lab.about(device)["last_seen"], before, "when it was heard of last")
    expect_in(["CertificateRefused"], lab.events(device), "events")
    return "turned away; an event for the owner"


def published_metadata(lab: Lab) -> str:
    """aktualizr-info shows the metadata that ours published, as it was published."""
    device = Device("shared", lab.work / "shared")
    said = lab.peer("aktualizr-info", "-c", device.config, "--director-targets")
    found = json.loads(said[said.index("{") :])
    expect(found["signed"]["_type"], "Targets", "what it is")
    return "the Director's Targets, as JSON"


def history(lab: Lab, device: Device) -> list[dict[str, object]]:
    """All assignments that a device had or has."""
    about = lab.about(device)
    rows = [about["history"], about["assignments"]]
    return [one for row in rows if isinstance(row, list) for one in row]
