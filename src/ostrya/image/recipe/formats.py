# SPDX-License-Identifier: Apache-2.0
"""What texts of a recipe look like; each function says what is wrong, or nothing. Pure."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_interface
from uuid import UUID

from ostrya.formats.refs import is_ref_name

_HOST_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,30}\$?")
_HASH = re.compile(r"[!*]|!?\$[a-z0-9]+\$[^\s:]+|")
_MODE = re.compile(r"[0-7]{3,4}")
_SIZE = re.compile(r"(\d{1,15})\s*([KMGT]?)(i?B)?")
_OWNER = re.compile(r"\d{1,10}|[a-z_][a-z0-9_-]{0,30}")
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
_LOCALE = re.compile(r"(C|POSIX|[a-z]{2,3}(_[A-Z]{2})?)(\.[A-Za-z0-9-]+)?(@[a-z]+)?")
_KEYMAP = re.compile(r"[A-Za-z0-9_-]+")
_UNIT = re.compile(
    r"[A-Za-z0-9:_.\\@-]+\.(service|socket|timer|target|mount|path|device|automount|swap|slice)"
)
_SSH_KEY = re.compile(
    r"(ssh-(rsa|dss|ed25519)|ecdsa-sha2-nistp\d+|sk-(ssh|ecdsa)-[a-z0-9@.-]+) "
    r"[A-Za-z0-9+/=]{20,}( [^\n]*)?"
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MAC = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}
_LABEL_MOST = 16


def parse_size(text: str) -> int:
    """Return a size in bytes: ``512M``, ``4G``, ``1048576``.

    Raises:
        ValueError: It is none.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    return int(found[1]) << _UNITS[found[2]]


def size(text: str) -> str:
    """Check a size."""
    return "" if _SIZE.fullmatch(text.strip()) else "no size, as 512M or 4G"


def hostname(text: str) -> str:
    """Check a name of a machine."""
    good = len(text) <= 64 and all(_HOST_LABEL.fullmatch(part) for part in text.split("."))
    return "" if good else "no host name: letters, digits, hyphens and dots"


def account(text: str) -> str:
    """Check a name of a user or group."""
    return "" if _ACCOUNT.fullmatch(text) else "no account's name: small letters, digits, - and _"


def password_hash(text: str) -> str:
    """Check the hash of a password, as ``mkpasswd`` makes it."""
    if _HASH.fullmatch(text):
        return ""
    return "no hash of a password, as `mkpasswd -m yescrypt` prints it"


def mode(text: str) -> str:
    """Check permissions, in octal digits."""
    return "" if _MODE.fullmatch(text) else "no mode: three or four octal digits, as 0644"


def owner(text: str) -> str:
    """Check a number or name of an account."""
    return "" if _OWNER.fullmatch(text) else "neither a number nor a name of an account"


def absolute(text: str) -> str:
    """Check a path in the tree."""
    parts = text.split("/")
    if not text.startswith("/") or ".." in parts or "\n" in text or "\0" in text:
        return "no path of the tree: it begins with / and has no .. in it"
    return ""


def pattern(text: str) -> str:
    """Check a pattern of paths below an overlay."""
    return "" if text and not text.startswith("/") else "no pattern: a path without / before it"


def zone(text: str) -> str:
    """Check a time zone."""
    return "" if _ZONE.fullmatch(text) else "no time zone, as Europe/Berlin"


def locale(text: str) -> str:
    """Check a locale."""
    return "" if _LOCALE.fullmatch(text) else "no locale, as de_DE.UTF-8"


def keymap(text: str) -> str:
    """Check a keyboard's layout."""
    return "" if _KEYMAP.fullmatch(text) else "no keymap, as de-latin1"


def unit(text: str) -> str:
    """Check the name of a unit of systemd's."""
    if _UNIT.fullmatch(text):
        return ""
    return "no unit of systemd's; its name has an ending, as ssh.service"


def ssh_key(text: str) -> str:
    """Check a line of ``authorized_keys``."""
    return "" if _SSH_KEY.fullmatch(text) else "no public SSH key"


def name(text: str) -> str:
    """Check the name of something of ours."""
    return "" if _NAME.fullmatch(text) else "no name: letters, digits, dots, hyphens, underscores"


def ref(text: str) -> str:
    """Check a ref."""
    return "" if is_ref_name(text) else "no ref: words of letters, digits, . _ - parted by /"


def url(text: str) -> str:
    """Check an address of a repository."""
    good = re.match(r"(https?|file|mirrorlist=https?|metalink=https?)://\S+$", text)
    return "" if good else "no address, as https://example.com/repo"


def interface(text: str) -> str:
    """Check an address with its network."""
    try:
        ip_interface(text)
    except ValueError:
        return "no address, as 192.0.2.7/24"
    return "" if "/" in text else "an address without its network, as 192.0.2.7/24"


def address(text: str) -> str:
    """Check an address of a machine."""
    try:
        ip_address(text)
    except ValueError:
        return "no address, as 192.0.2.1"
    return ""


def mac(text: str) -> str:
    """Check an address of hardware."""
    return "" if _MAC.fullmatch(text) else "no hardware address, as 02:00:00:12:34:56"


def country(text: str) -> str:
    """Check the code of a country."""
    return "" if _COUNTRY.fullmatch(text) else "no country, as DE"


def passphrase(text: str) -> str:
    """Check a passphrase of a wireless network, or the 64 digits made of one."""
    if re.fullmatch(r"[0-9a-fA-F]{64}", text) or (8 <= len(text) <= 63 and text.isprintable()):
        return ""
    return "no passphrase of a wireless network: it has 8 to 63 characters"


def ssid(text: str) -> str:
    """Check the name of a wireless network."""
    good = 1 <= len(text.encode()) <= 32 and text.isprintable()
    return "" if good else "no name of a wireless network: 1 to 32 bytes"


def label(text: str) -> str:
    """Check the label of a file system."""
    good = 1 <= len(text) <= _LABEL_MOST and re.fullmatch(r"[A-Za-z0-9._-]+", text)
    return "" if good else f"no label: up to {_LABEL_MOST} letters, digits, dots, hyphens"


def one_line(text: str) -> str:
    """Check what has to be on a line."""
    return "" if text.isprintable() else "more than a line of text"


def karg(text: str) -> str:
    """Check a kernel argument."""
    return "" if text and not re.search(r"\s", text) else "no kernel argument: one word"


def setting(text: str) -> str:
    """Check the name of a repository's setting, with its group."""
    good = re.fullmatch(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", text)
    return "" if good else "no setting, as core.min-free-space-percent"


def guid(text: str) -> str:
    """Check the GUID of a kind of partition."""
    try:
        UUID(text)
    except ValueError:
        return "no GUID, as 0fc63daf-8483-4772-8e79-3d69d8477de4"
    return ""


def colour(text: str) -> str:
    """Check a colour."""
    return "" if re.fullmatch(r"#[0-9a-fA-F]{6}", text) else "no colour, as #102030"


def public_key(text: str) -> str:
    """Check a public ed25519 key."""
    good = re.fullmatch(r"[A-Za-z0-9+/]{43}=", text)
    return "" if good else "no public ed25519 key: 32 bytes in base64"


def https(text: str) -> str:
    """Check an address that is spoken to by TLS."""
    good = re.fullmatch(r"https://[A-Za-z0-9.:\[\]-]+(/[!-~]*)?", text)
    return "" if good else "no address, as https://updates.example.com:8443"


def hardware_id(text: str) -> str:
    """Check what hardware is called."""
    good = re.fullmatch(r"[A-Za-z0-9._-]{1,200}", text)
    return "" if good else "no name of hardware: letters, digits, dots, hyphens"


def pem(text: str) -> str:
    """Check a certificate or key."""
    good = re.match(r"\s*-----BEGIN [A-Z0-9 ]+-----\s", text)
    return "" if good else "no PEM: it begins with -----BEGIN"


def span(text: str) -> str:
    """Check a span of time, as systemd has it."""
    good = re.fullmatch(r"\d+(s|min|m|h|d|w)?( \d+(s|min|m|h|d|w))*", text)
    return "" if good else "no span of time, as 1d or 6h"
