# SPDX-License-Identifier: Apache-2.0
"""``credentials.zip`` of a server: by which devices are provisioned, and tools push.

The part for devices is the shared certificate, which registers and can do nothing else. The part
for tools is a secret and a certificate of their own, made for each file, so that each can be
withdrawn by itself.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

from ostrya.fleet.certificates import Purpose, Wish, issue
from ostrya.fleet.db import tokens
from ostrya.fleet.db.devices import add_certificate
from ostrya.fleet.domain.fleet import AUTHORITY, PROVISIONING, read_identity
from ostrya.fleet.domain.setup import registered
from ostrya.named_tuple import NamedTuple
from ostrya.uptane.author import credentials as members
from ostrya.uptane.author.credentials import Credentials
from ostrya.uptane.metadata.dialect import Role

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ostrya.fleet.domain.services import Services

SERVER_CA = "server_ca.pem"
BASIC, OAUTH2, CERTIFICATE = "basic", "oauth2", "certificate"
WAYS = (BASIC, OAUTH2, CERTIFICATE)
_TOOL_DAYS = 3650


class Wanted(NamedTuple):
    """What is put into a file.

    Attributes:
        name: Of the tool, by which it can be withdrawn.
        secret: Of the tool; empty for a file for devices alone.
        digest: Of the secret.
        with_targets_key: Whether the key of Targets is in it too.
        way: How the tool shows who it is, one of `WAYS`.
    """

    name: str
    secret: str = ""
    digest: str = ""
    with_targets_key: bool = False
    way: str = BASIC


def make(services: Services, wanted: Wanted) -> Credentials:
    """Return the credentials for devices, and for a tool if one is wanted.

    Raises:
        SetupError: The shared certificate is not there.
    """
    settings, fleet = services.settings, services.fleet
    authority = fleet.authority
    shared = read_identity(settings.path(AUTHORITY), PROVISIONING)
    root = services.images.read("root.json") or b""
    found = {
        members.GATEWAY_URL: f"{settings.gateway_url}\n".encode(),
        members.DEVICE_P12: shared.p12(PROVISIONING, [authority.certificate]),
        members.ROOT: root,
        SERVER_CA: authority.certificate.public_bytes(Encoding.PEM),
    }
    if not wanted.secret:
        return Credentials(found)
    if settings.admin_url:
        found |= _addresses(settings.admin_url, wanted)
    wish = Wish(wanted.name[:64], Purpose.TOOL, _TOOL_DAYS)
    identity = issue(authority, wish, fleet.now())
    found[members.CLIENT_P12] = identity.p12(wanted.name, [authority.certificate])
    now = fleet.timestamp()
    token = tokens.Token(wanted.digest, wanted.name, "push", now)

    def register(connection: Connection) -> None:
        add_certificate(connection, registered(identity, wish, now))
        if wanted.way != CERTIFICATE:
            tokens.add_token(connection, token)

    fleet.database.write(register)
    credentials = Credentials(found)
    return _with_targets_key(services, credentials) if wanted.with_targets_key else credentials


def _addresses(url: str, wanted: Wanted) -> dict[str, bytes]:
    ways: dict[str, dict[str, object]] = {
        BASIC: {"basic_auth": {"user": wanted.name, "password": wanted.secret}},
        OAUTH2: {
            "oauth2": {
                "server": f"{url}/oauth2",
                "client_id": wanted.name,
                "client_secret": wanted.secret,
                "scope": "push",
            }
        },
        CERTIFICATE: {"no_auth": True},
    }
    treehub = {**ways[wanted.way], "ostree": {"server": f"{url}/treehub"}}
    return {
        members.TREEHUB: json.dumps(treehub, indent=2).encode(),
        members.REPOSITORY_URL: f"{url}\n".encode(),
        members.API_URL: f"{url}\n".encode(),
    }


def _with_targets_key(services: Services, credentials: Credentials) -> Credentials:
    work = services.images.work
    for key in work.root().keys_of(Role.TARGETS.value).values():
        secret = work.keyring.find(key)
        if secret is not None:
            return credentials.with_targets_key(secret)
    return credentials
