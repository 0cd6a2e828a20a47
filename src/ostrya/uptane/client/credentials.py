# SPDX-License-Identifier: Apache-2.0
"""How a device gets its certificate: it was given one, or asks for one with the fleet's shared one.

::

    SharedCred        credentials.zip ── POST /devices ──▶ PKCS#12 of this device, kept at once
                      then the shared certificate is taken out of the zip
    SharedCredReuse   the same, but the zip stays as it is: for tests
    DeviceCred        files that were imported, or objects of a token

Killed anywhere, the next start goes on: what a server answered is kept in one change, and a claim
that was kept before it was asked shows a server of ours that the same device asks again. A server
that knows no claims, and a name that was made up: the next start makes up another one.
"""

from __future__ import annotations

import json
import os
import secrets
from typing import TYPE_CHECKING

from ostrya.fetch.exchange import Exchange, Message
from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client import tls_files
from ostrya.uptane.client.addresses import addresses
from ostrya.uptane.client.config import KeySource, ProvisionMode
from ostrya.uptane.client.identity import DEVICE_ID, fact_text, wished_device_id
from ostrya.uptane.client.importing import read_file
from ostrya.uptane.client.link import ask, exchange_options, refused
from ostrya.uptane.client.p12 import MAX_BYTES, TlsIdentity, common_name, read_p12
from ostrya.uptane.client.tls_files import TlsFiles, write_tls_files
from ostrya.uptane.client.token import read_token_certificate, token_uri
from ostrya.uptane.credentials_zip import (
    DEVICE_P12,
    GATEWAY_URL,
    TREEHUB,
    read_members,
    write_members,
)
from ostrya.uptane.errors import (
    AuthoringError,
    ConfigError,
    IdentityError,
    NotProvisioned,
    RegisteredTwice,
)

if TYPE_CHECKING:
    from ostrya.uptane.client.config import ClientConfig
    from ostrya.uptane.client.storage import Storage

GATEWAY, CLAIM = "gateway", "claim"
"""Facts of the database."""
ALREADY_THERE = "device_already_registered"
_NAMES_TO_TRY = 3
_DAYS = 9


class Credentials(NamedTuple):
    """Who a device is for its server, and where that is.

    Attributes:
        tls: The certificates.
        gateway: The server's address.
        device_id: What the server calls the device.
    """

    tls: TlsFiles
    gateway: str
    device_id: str


def obtain_credentials(config: ClientConfig, storage: Storage) -> Credentials:
    """Return the device's credentials; they are asked for where there are none.

    Raises:
        NotProvisioned: There are none, and nobody to ask.
        RegisteredTwice: Another device has the name.
        ServerError: The server did not give any.
        IdentityError: Something that was given is not what it has to be.
    """
    if config.provision_mode is ProvisionMode.DEVICE:
        tls = _device_tls(config, storage)
        return Credentials(tls, find_gateway(config, storage), _device_id(config, storage))
    if not _has_tls(storage):
        _ask_for_them(config, storage)
    tls = write_tls_files(tls_files.tls_facts(storage), tls_folder(config))
    return Credentials(tls, find_gateway(config, storage), fact_text(storage, DEVICE_ID))


def tls_folder(config: ClientConfig) -> str:
    """Return where the files of certificates are."""
    return f"{config.storage.path.rstrip('/')}/tls"


def find_gateway(config: ClientConfig, storage: Storage) -> str:
    """Return the server's address.

    Raises:
        ConfigError: Nobody says where it is.
    """
    path = config.tls.server_url_path
    told = config.tls.server or (_text_file(path) if path else "")
    if not told and config.provision.provision_path:
        zip_path = config.provision.provision_path
        if os.path.exists(zip_path):
            told = _members(zip_path).get(GATEWAY_URL, b"").decode("utf-8", "replace").strip()
    told = told or fact_text(storage, GATEWAY)
    if not told:
        raise ConfigError(
            "nobody says where the server is",
            hint="server of [tls] does, or server_url_path, or autoprov.url of the credentials",
        )
    return told.rstrip("/")


def consume_shared(config: ClientConfig, storage: Storage) -> str:
    """Take the shared certificate out of the zip, once the device has its own.

    Returns:
        Why it could not be; empty if it is gone, or has to stay.
    """
    path = config.provision.provision_path
    if config.provision_mode is not ProvisionMode.SHARED or not _has_tls(storage):
        return ""
    try:
        members = _members(path)
        left = {name: data for name, data in members.items() if name not in {DEVICE_P12, TREEHUB}}
        if left != members:
            write_members(path, left)
    except FileNotFoundError:
        return ""
    except (OSError, IdentityError) as exc:
        return f"{path} still has the fleet's shared certificate: {exc}"
    return ""


def require_shared(config: ClientConfig) -> None:
    """Refuse to begin anew where the fleet's shared certificate is not at hand.

    Raises:
        NotProvisioned: It is not.
    """
    _shared_p12(config)


def _has_tls(storage: Storage) -> bool:
    return len(tls_files.tls_facts(storage)) == len(TlsFiles._fields)


def _device_tls(config: ClientConfig, storage: Storage) -> TlsFiles:
    facts, tls, p11 = tls_files.tls_facts(storage), config.tls, config.p11
    if tls.ca_source is KeySource.PKCS11:
        facts[tls_files.CA] = read_token_certificate(p11, p11.tls_cacert_id)
    folder = tls_folder(config)
    on_token = KeySource.PKCS11 in {tls.cert_source, tls.pkey_source}
    if on_token and p11.pass_:
        facts[tls_files.PIN] = p11.pass_.encode()
    files = write_tls_files(facts, folder)
    pin_path = f"{folder}/pin" if on_token and p11.pass_ else ""
    if tls.cert_source is KeySource.PKCS11:
        cert = token_uri(p11, p11.tls_clientcert_id, "cert", pin_path)
        files = files._replace(cert_path=cert)
    if tls.pkey_source is KeySource.PKCS11:
        files = files._replace(key_path=token_uri(p11, p11.tls_pkey_id, "private", pin_path))
    section = config.import_
    wanted = (
        (files.ca_path, "authority's certificate", "tls_cacert_path", section.tls_cacert_path),
        (files.cert_path, "certificate", "tls_clientcert_path", section.tls_clientcert_path),
        (files.key_path, "key", "tls_pkey_path", section.tls_pkey_path),
    )
    for path, what, key, named in wanted:
        if not path:
            where = config.import_path(named)
            raise NotProvisioned(
                f"the device has no {what}" + (f": {where} is not there" if where else ""),
                hint=f"{key} of [import] names one, or provision_path of [provision] the fleet's"
                " credentials.zip",
            )
    return files


def _device_id(config: ClientConfig, storage: Storage) -> str:
    known = fact_text(storage, DEVICE_ID)
    if known:
        return known
    if config.tls.cert_source is KeySource.PKCS11:
        cert = read_token_certificate(config.p11, config.p11.tls_clientcert_id)
    else:
        cert = tls_files.tls_facts(storage)[tls_files.CERT]
    name = wished_device_id(config, common_name(cert, "the device's certificate"))
    storage.set_fact(DEVICE_ID, name.encode())
    return name


def _ask_for_them(config: ClientConfig, storage: Storage) -> None:
    """Have the server make a certificate for this device, and keep it."""
    data = _shared_p12(config)
    what = f"{DEVICE_P12} in {config.provision.provision_path}"
    shared = read_p12(data, config.provision.p12_password, what)
    gateway = find_gateway(config, storage)
    folder = f"{config.storage.path.rstrip('/')}/shared-tls"
    facts = {
        tls_files.CA: shared.ca, tls_files.CERT: shared.cert, tls_files.KEY: shared.key,
    }  # fmt: skip
    url = addresses(config, gateway).devices
    exchange = Exchange(exchange_options(config, write_tls_files(facts, folder), (url,)))
    try:
        device_id, found = _register(config, storage, exchange, url)
    finally:
        exchange.close()
        tls_files.remove_tls_files(folder)
    storage.set_facts(
        {
            tls_files.CA: found.ca,
            tls_files.CERT: found.cert,
            tls_files.KEY: found.key,
            DEVICE_ID: (found.common_name or device_id).encode(),
            GATEWAY: gateway.encode(),
        }
    )


def _shared_p12(config: ClientConfig) -> bytes:
    path = config.provision.provision_path
    if not path:
        raise ConfigError(
            "shared credentials are wanted, and none are named",
            hint="provision_path of [provision] names credentials.zip",
        )
    try:
        data = _members(path).get(DEVICE_P12)
    except FileNotFoundError as exc:
        raise NotProvisioned(
            f"there are no credentials at {path}", hint="put the fleet's credentials.zip there"
        ) from exc
    if data is None:
        raise NotProvisioned(
            f"{path} has no {DEVICE_P12}: it was used, or is for something else",
            hint="put the fleet's credentials.zip there again",
        )
    return data


def _register(
    config: ClientConfig, storage: Storage, exchange: Exchange, url: str
) -> tuple[str, TlsIdentity]:
    ttl = config.provision.expiry_days
    if not ttl.isascii() or not ttl.isdigit() or not 0 < len(ttl) < _DAYS:
        raise ConfigError(f"expiry_days of [provision] is {ttl!r}, and no number of days")
    device_id = ""
    for _ in range(_NAMES_TO_TRY):
        device_id = wished_device_id(config)
        body = {"deviceId": device_id, "ttl": ttl, "claim": _claim(storage)}
        message = Message("POST", url, json.dumps(body).encode(), max_bytes=MAX_BYTES)
        # Not sent again by itself: a server that took the first would refuse the second.
        reply = ask(exchange, message, retries=0)
        if 200 <= reply.status < 300:
            return device_id, read_p12(reply.body, "", f"what {url} gave")
        error = refused(reply)
        if error.code != ALREADY_THERE:
            raise error
        if config.provision.device_id:
            break
    raise RegisteredTwice(
        f"the server has a device {device_id} already",
        hint="remove that one at the server, or change device_id of [provision]",
    )


def _claim(storage: Storage) -> str:
    """Return what shows that the same device asks again: kept before it is sent."""
    known = fact_text(storage, CLAIM)
    if not known:
        known = secrets.token_hex(32)
        storage.set_fact(CLAIM, known.encode())
    return known


def _members(path: str) -> dict[str, bytes]:
    try:
        return read_members(path)
    except AuthoringError as exc:
        raise IdentityError(exc.message, hint="put the fleet's credentials.zip there") from exc


def _text_file(path: str) -> str:
    data = read_file(path)
    if data is None:
        return ""
    try:
        return data.decode().strip()
    except UnicodeDecodeError:
        raise ConfigError(f"{path} has no address: it is not UTF-8") from None
