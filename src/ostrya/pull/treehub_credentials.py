# SPDX-License-Identifier: Apache-2.0
"""``treehub.json``: who we are for a server with the treehub interface.

::

    {"no_auth": true}
    {"basic_auth": {"user": …, "password": …}}
    {"oauth2": {"server": …, "client_id": …, "client_secret": …, "scope": …}}

An ``ostree.server`` beside it says which server; the address that is pushed to counts. Where
nothing is to be said, an archive may hold a certificate by which the server knows us.
"""

from __future__ import annotations

import json
import zipfile

from ostrya.named_tuple import NamedTuple
from ostrya.pull.errors import PushRefused

MEMBER, AUTHORITY, CLIENT = "treehub.json", "server_ca.pem", "client_auth.p12"
_TOKEN_PATH = "/oauth2/token"  # noqa: S105  # no password
_MAX_BYTES = 1 << 20


class BasicAuth(NamedTuple):
    """A user and a password."""

    user: str
    password: str


class OAuth2(NamedTuple):
    """Client credentials, for which another server gives tokens.

    Attributes:
        token_url: Where to ask for one.
        client_id: Who we are.
        client_secret: The proof.
        scope: What the token is for; empty where the server is not to be told.
    """

    token_url: str
    client_id: str
    client_secret: str
    scope: str = ""


Credentials = BasicAuth | OAuth2 | None


def read_credentials(path: str) -> Credentials:
    """Read a ``treehub.json``, or the one in a zip archive.

    Raises:
        PushRefused: It holds none.
        OSError: It cannot be read.
    """
    return parse_credentials(_read(path), path)


def read_server(path: str) -> str:
    """Return the address of the repository that a ``treehub.json`` is for.

    Raises:
        PushRefused: It does not say.
        OSError: It cannot be read.
    """
    ostree = _values(_read(path), path).get("ostree")
    server = ostree.get("server") if isinstance(ostree, dict) else None
    if not isinstance(server, str) or "://" not in server:
        raise PushRefused(
            f"{path} does not say where to push to",
            hint="expected credentials with ostree.server, or the address as TARGET",
        )
    return server


def _read(path: str) -> bytes:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            try:
                with archive.open(MEMBER) as stream:
                    return stream.read(_MAX_BYTES)
            except KeyError:
                raise PushRefused(f"{path} holds no {MEMBER}") from None
    with open(path, "rb") as stream:
        return stream.read(_MAX_BYTES)


def read_authority(path: str) -> bytes | None:
    """Return whom to trust to be the server, PEM, if an archive of credentials says it.

    Raises:
        OSError: It cannot be read.
    """
    return _read_member(path, AUTHORITY)


def read_client(path: str) -> bytes | None:
    """Return our certificate and its key, PKCS#12 with an empty password, if an archive has them.

    Raises:
        OSError: It cannot be read.
    """
    return _read_member(path, CLIENT)


def _read_member(path: str, name: str) -> bytes | None:
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        try:
            with archive.open(name) as stream:
                return stream.read(_MAX_BYTES)
        except KeyError:
            return None


def parse_credentials(data: bytes, shown: str) -> Credentials:
    """Parse a ``treehub.json``; None says that nobody asks who we are.

    Raises:
        PushRefused: It is none.
    """
    values = _values(data, shown)
    if isinstance(found := values.get("oauth2"), dict):
        server = _text(found, "server", shown).rstrip("/")
        has_path = server.endswith(_TOKEN_PATH)
        return OAuth2(
            server if has_path else f"{server}/token",
            _text(found, "client_id", shown),
            _text(found, "client_secret", shown),
            str(found.get("scope", "")) if has_path else "",
        )
    if isinstance(found := values.get("basic_auth"), dict):
        return BasicAuth(_text(found, "user", shown), _text(found, "password", shown))
    if values.get("no_auth") is True:
        return None
    raise _incomplete(shown)


def _values(data: bytes, shown: str) -> dict[str, object]:
    try:
        values = json.loads(data)
    except ValueError:
        raise PushRefused(f"{shown} is no JSON") from None
    if not isinstance(values, dict):
        raise _incomplete(shown)
    return values


def _text(values: dict[str, object], key: str, shown: str) -> str:
    value = values.get(key)
    if not isinstance(value, str):
        raise _incomplete(shown)
    return value


def _incomplete(shown: str) -> PushRefused:
    return PushRefused(
        f"{shown} does not say who we are",
        hint="expected oauth2 with server, client_id and client_secret, basic_auth with user and "
        "password, or no_auth",
    )
