# SPDX-License-Identifier: Apache-2.0
"""Keys of a recipe about the device's world: networks, updates, provisioning. Pure."""

from __future__ import annotations

from ostrya.image.recipe import formats
from ostrya.image.recipe.schema import (
    Key,
    choice,
    mapping,
    needed,
    number,
    path,
    paths,
    table,
    tables,
    text,
    texts,
    truth,
)

_INTERFACE = (
    text("name", "Which it is, as `eth0` or `en*`.", "", formats.one_line),
    text("mac", "Which it is, by its hardware address.", "", formats.mac),
    truth("dhcp", "Whether it asks for its address.", "true without addresses"),
    texts("addresses", "Its own, as `192.0.2.7/24`.", formats.interface),
    text("gateway", "What leads to the rest of the world.", "", formats.address),
    texts("dns", "Who knows names.", formats.address),
    texts("domains", "Where short names are looked for.", formats.hostname),
    number("metric", "Which is preferred: the lower one.", "", most=(1 << 32) - 1),
)

_WIFI = (
    needed(text("ssid", "What the network is called.", "", formats.ssid)),
    text("passphrase", "Its passphrase; without one the network is open.", "", formats.passphrase),
    truth("hidden", "Whether it does not tell its name."),
    number("priority", "Which is preferred: the higher one.", "`0`", most=1000),
)

_NETWORK = table(
    "network",
    "",
    (
        choice(
            "backend",
            "Who sets it up; without it the one that the tree has.",
            ("auto", "networkd", "networkmanager"),
            "`auto`",
        ),
        tables("interfaces", "Wired networks.", _INTERFACE),
        tables("wifi", "Wireless networks.", _WIFI),
        text("wifi_interface", "Which it is.", "`wlan0`", formats.one_line),
        text("country", "Where it transmits, as `DE`.", "", formats.country),
        texts("ntp", "Who knows the time, for systemd-timesyncd.", formats.one_line),
    ),
)

_REMOTES = tables(
    "remotes",
    "Where the device gets updates; the first is the one that it follows.",
    (
        needed(text("name", "What it is called.", "", formats.name)),
        needed(text("url", "Its address.", "", formats.url)),
        choice(
            "verify",
            "How commits are verified.",
            ("ed25519", "gpg", "none"),
            "`ed25519` with keys, else `gpg`",
        ),
        texts("keys", "Public ed25519 keys, in base64.", formats.public_key),
        paths("key_files", "Files of public keys: ed25519 in base64, or an OpenPGP keyring."),
        mapping("settings", "Others of the remote, as `http2 = false`."),
    ),
)

_UPDATE = table(
    "update",
    "How the device updates itself.",
    (
        choice(
            "automatic",
            "Whether it looks for updates itself: `check` only looks, `download` fetches, `stage` "
            "makes them the next start, `apply` restarts too.",
            ("no", "check", "download", "stage", "apply"),
            "`no`",
        ),
        text("every", "How often, as `1d` or `6h`.", "`1d`", formats.span),
        text("spread", "Over how long devices are spread.", "`1h`", formats.span),
        number("rollback_tries", "How often a release is tried.", "`3`", least=1, most=9),
        truth("rollback_fail_fast", "Whether a failed health check ends a trial at once."),
        mapping("settings", 'Of the device\'s repository, as `"core.min-free-space-percent" = 5`.'),
        choice(
            "ostrya",
            "Whether this Ostrya is put into the tree, which has to have Python, pycurl and "
            "cryptography; `auto` where it has them, and no `ostree`.",
            ("auto", "yes", "no"),
            "`auto`",
        ),
    ),
)

_OTA = table(
    "ota",
    "Whose fleet the device is, for `ostrya ota run`: remote updates by Uptane. What only devices "
    "may know is on the disk, in `/var/sota`, and in no release.",
    (
        path(
            "credentials",
            "The fleet's `credentials.zip`, by which devices get certificates of their own; of it "
            "is taken what devices need.",
        ),
        text("server", "The address of the fleet's server, where nothing else says it.", "",
             formats.https),
        text("hardware_id", "What targets for this hardware are called.", "the board's name",
             formats.hardware_id),
        number("polling_sec", "How often it asks for updates, in seconds.", "`10`", least=1,
               most=1 << 31),
        text("ca", "The fleet's authority, in PEM.", "", formats.pem),
        text("certificate", "The device's own certificate, in PEM.", "", formats.pem),
        text("key", "Its key, in PEM.", "", formats.pem),
        path("ca_file", "A file with the authority."),
        path("certificate_file", "A file with the certificate."),
        path("key_file", "A file with the key."),
        paths("config_files", "More settings of the client, put into `/usr/lib/sota/conf.d`."),
    ),
)  # fmt: skip

_PROVISIONING = table(
    "provisioning",
    "What a single device is told at its first start, and only then: from the file "
    "`ostrya-provision.toml` of the FAT partition, or from QEMU's `-fw_cfg "
    "name=opt/org.ostrya.provision,file=FILE`.",
    (
        truth("enable", "Whether it looks for that."),
        paths("boot_files", "Files and directories that are put on the FAT partition."),
        path("defaults", "The `ostrya-provision.toml` that the image has there."),
    ),
)

DEVICE_KEYS: tuple[Key, ...] = (_NETWORK, _REMOTES, _UPDATE, _OTA, _PROVISIONING)
