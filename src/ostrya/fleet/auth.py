# SPDX-License-Identifier: Apache-2.0
"""Who is asking.

A device is who the certificate of its connection says, if the fleet's authority gave that
certificate, to this device, as a device, and has not withdrawn it. Headers are never looked at for
that, whatever they are called.

A tool is known by a certificate of its own kind or by a secret: ``Authorization: Bearer SECRET``,
or Basic with the secret as the password. For its secret it may get a pass, which is good for some
time and as long as the secret is; a bearer of a pass cannot tell the secret. On the socket in the
server's folder, whoever may open it is the owner.

::

    pass = ostrya-pass_DIGEST-OF-THE-SECRET_END-IN-SECONDS_HMAC-OF-THE-REST
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from ostrya.fleet.certificates import Peer, Purpose
from ostrya.fleet.db import tokens
from ostrya.fleet.errors import Forbidden, NotWelcome
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.fleet.db.devices import Certificate
    from ostrya.fleet.domain.fleet import Fleet
    from ostrya.fleet.domain.registry import Registry

ADMIN, PUSH, WATCH = "admin", "push", "watch"
RIGHTS = {
    ADMIN: frozenset({ADMIN, PUSH, WATCH}),
    PUSH: frozenset({PUSH}),
    WATCH: frozenset({WATCH}),
}
_PREFIX = "ostrya_"
_PASS = "ostrya-pass"  # noqa: S105  # only how each begins
PASS_S = 3600
_TOOL_CODE = "certificate_not_for_tools"


class Caller(NamedTuple):
    """Who is asking, at the door for tools.

    Attributes:
        name: Who it is.
        may: ``admin``, ``push`` or ``watch``.
    """

    name: str
    may: str


OWNER = Caller("owner", ADMIN)


def device_of(registry: Registry, peer: Peer | None) -> str:
    """Return the id of the device that is asking.

    Raises:
        NotWelcome: There is no certificate.
        Forbidden: It is not that of a device, or not good.
    """
    peer = _require_peer(peer)
    found = _require_good(registry, peer)
    if found.purpose != Purpose.DEVICE.value:
        raise Forbidden(
            f"the certificate of {peer.name} is not that of a device",
            code="certificate_not_of_device",
        )
    return found.name


def require_provisioning(registry: Registry, peer: Peer | None) -> None:
    """Refuse whoever did not come with the shared credentials.

    Raises:
        NotWelcome: There is no certificate.
        Forbidden: It is another one.
    """
    peer = _require_peer(peer)
    if _require_good(registry, peer).purpose != Purpose.PROVISIONING.value:
        raise Forbidden(
            f"{peer.name} came with another certificate than the shared one",
            code="certificate_not_for_provisioning",
            hint="devices are registered with the one in autoprov_credentials.p12",
        )


def _require_peer(peer: Peer | None) -> Peer:
    if peer is None:
        raise NotWelcome("the connection has no certificate", code="certificate_missing")
    return peer


def _require_good(registry: Registry, peer: Peer) -> Certificate:
    found = registry.certificate(peer.serial)
    if found is None or found.name != peer.name:
        raise Forbidden(
            f"the certificate {peer.serial} of {peer.name} is not registered",
            code="certificate_not_registered",
            hint="`ostrya fleet device add --certificate=FILE` registers one that was made"
            " elsewhere",
        )
    if found.revoked is not None:
        raise Forbidden(
            f"the certificate {peer.serial} of {peer.name} was revoked: {found.reason}",
            code="certificate_revoked",
        )
    return found


def new_secret() -> str:
    """Make up a secret for a tool."""
    return _PREFIX + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def secret_in(authorization: str) -> str:
    """Return the secret that a header shows; empty for none."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        text = base64.b64decode(rest.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return text.partition(":")[2]


def caller_of(fleet: Fleet, registry: Registry, peer: Peer | None, authorization: str) -> Caller:
    """Return the tool that is asking.

    Raises:
        NotWelcome: It does not say who it is, or not so that it can be believed.
        Forbidden: It came as a device.
    """
    secret = secret_in(authorization)
    if secret:
        is_pass = secret.startswith(f"{_PASS}_")
        known = _digest_in(fleet, secret) if is_pass else digest(secret)
        found = _require_token(fleet, known)
        return Caller(found.name, found.may)
    if peer is None:
        raise NotWelcome(
            "nobody says who is asking",
            hint="Authorization: Bearer SECRET; `ostrya fleet token add` makes one",
        )
    certificate = _require_good(registry, peer)
    if certificate.purpose != Purpose.TOOL.value:
        raise Forbidden(f"{peer.name} is no tool", code=_TOOL_CODE)
    return Caller(certificate.name, PUSH)


def make_pass(fleet: Fleet, client_id: str, secret: str) -> tuple[str, str]:
    """Return a pass for a secret, and what it is for.

    Raises:
        NotWelcome: The secret is not known, or is not that client's.
    """
    found = _require_token(fleet, digest(secret))
    if not hmac.compare_digest(found.name.encode(), client_id.encode()):
        raise NotWelcome("the secret is that of another client", code="unknown_token")
    text = f"{_PASS}_{found.digest}_{fleet.timestamp() + PASS_S}"
    return f"{text}_{_seal(fleet, text)}", found.may


def _digest_in(fleet: Fleet, text: str) -> str:
    rest, _, seal = text.rpartition("_")
    if not hmac.compare_digest(seal.encode(), _seal(fleet, rest).encode()):
        raise NotWelcome("the pass is not one of this server", code="unknown_token")
    _, known, end = rest.split("_")
    if int(end) <= fleet.timestamp():
        raise NotWelcome("the pass has expired", code="pass_expired", hint="ask for another")
    return known


def _seal(fleet: Fleet, text: str) -> str:
    return hmac.new(fleet.pass_key, text.encode(), hashlib.sha256).hexdigest()


def _require_token(fleet: Fleet, known: str) -> tokens.Token:
    with fleet.database.read() as connection:
        found = tokens.find_token(connection, known)
    if found is None or found.revoked is not None:
        raise NotWelcome("the secret is not known, or was withdrawn", code="unknown_token")
    return found


def require(caller: Caller, right: str) -> None:
    """Refuse whoever may not do something.

    Raises:
        Forbidden: This caller may not.
    """
    if right not in RIGHTS.get(caller.may, frozenset()):
        raise Forbidden(f"{caller.name} may not do this", code="not_allowed")
