# SPDX-License-Identifier: Apache-2.0
"""A repository, pushed to a server that keeps snapshot and timestamp itself.

::

    HEAD, PUT  …/api/v1/user_repo/targets/NAME    images that are files
    GET        …/api/v1/user_repo/targets.json    what is there
    POST       …/api/v1/user_repo/publish         roots, Targets and roles, all or nothing

Images come first, so that nothing is published that cannot be had. Who is asking, the certificate
says that is in ``credentials.zip``; whom to trust, the authority beside it.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

from ostrya.fetch.http_options import HttpOptions
from ostrya.fetch.http_sender import HttpSender, Upload
from ostrya.named_tuple import NamedTuple
from ostrya.uptane.author import credentials as members
from ostrya.uptane.author.keyring import read_bounded
from ostrya.uptane.author.workplace import MAX_METADATA_BYTES, REPOSITORY
from ostrya.uptane.errors import AuthoringError
from ostrya.uptane.metadata.canonical_json import ascii_bytes
from ostrya.uptane.metadata.dialect import Role
from ostrya.uptane.metadata.file_names import root_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.fetch.http_sender import Answer
    from ostrya.uptane.author.credentials import Credentials
    from ostrya.uptane.author.workplace import Workplace
    from ostrya.uptane.metadata.json_text import Json, Object

CHECKSUM = "x-ats-role-checksum"
_PATH = "/api/v1/user_repo"
_TARGETS = Role.TARGETS.value
_JSON = ("Content-Type", "application/json")
_STREAM = ("Content-Type", "application/octet-stream")


class _Server(NamedTuple):
    url: str
    sender: HttpSender

    def ask(
        self, method: str, path: str, upload: Upload | None = None, *headers: tuple[str, str]
    ) -> Answer:
        return self.sender.send(
            method, f"{self.url}/{path}", upload, headers=headers, max_bytes=MAX_METADATA_BYTES
        )


def push_to_server(work: Workplace, credentials: Credentials) -> tuple[str, ...]:
    """Push what is published here and not there yet; return the files that are there now.

    Raises:
        AuthoringError: Nothing is published, the server has something newer, or it refuses.
        FetchError: The server cannot be reached.
    """
    envelope = work.published(_TARGETS) if work.root_version() else None
    if envelope is None:
        raise AuthoringError(
            f"nothing is published in {work.folder}", hint="`ostrya ota targets sign` publishes"
        )
    with _reach(credentials) as server:
        expected = _compare(server, work)
        pushed = _push_images(server, work)
        value: Object = {
            "roots": list(_roots(work)),
            "targets": envelope.to_json(),
            "delegations": _delegations(work),
        }
        body = ascii_bytes(value)
        headers = (_JSON, (CHECKSUM, expected)) if expected else (_JSON,)
        found = server.ask("POST", "publish", Upload(body, size=len(body)), *headers)
        if found.status != 200:
            raise _refusal(found)
    written = _value(found).get("files")
    names = [str(one) for one in written] if isinstance(written, list) else []
    return (*pushed, *names)


def _compare(server: _Server, work: Workplace) -> str:
    """Return the checksum of the Targets that are there, if ours come after them."""
    found = server.ask("GET", "targets.json")
    if found.status == 404:
        return ""
    if found.status != 200:
        raise _refusal(found)
    ours = work.published(_TARGETS)
    signed = _value(found).get("signed")
    there = signed.get("version") if isinstance(signed, dict) else None
    mine = ours.signed.get("version") if ours else None
    if not isinstance(there, int) or not isinstance(mine, int):
        raise AuthoringError(f"{found.url} has no version")
    if there > mine or (there == mine and ours and found.body != ours.to_bytes()):
        raise AuthoringError(
            f"{server.url} has Targets of version {there}, and {work.folder} of version {mine}",
            hint="somebody else published there; clients would refuse what is older",
        )
    return hashlib.sha256(found.body).hexdigest()


def _push_images(server: _Server, work: Workplace) -> list[str]:
    folder = work.path(REPOSITORY, "targets")
    pushed = []
    for where, _, names in os.walk(folder):
        for name in sorted(names):
            path = os.path.join(where, name)
            shown = f"targets/{quote(os.path.relpath(path, folder))}"
            if server.ask("HEAD", shown).status == 200:
                continue
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                found = server.ask("PUT", shown, Upload(b"", fd, os.fstat(fd).st_size), _STREAM)
            finally:
                os.close(fd)
            if found.status not in {200, 201, 204}:
                raise _refusal(found)
            pushed.append(shown)
    return pushed


def _roots(work: Workplace) -> Iterator[Json]:
    for version in range(1, work.root_version() + 1):
        path = work.path(REPOSITORY, root_file(version))
        yield json.loads(read_bounded(path, MAX_METADATA_BYTES))


def _delegations(work: Workplace) -> Object:
    snapshot = work.snapshot()
    roles = [name.removesuffix(".json") for name in snapshot.meta] if snapshot else []
    found: Object = {}
    for role in roles:
        envelope = work.published(role) if role not in {_TARGETS, Role.ROOT.value} else None
        if envelope is not None:
            found[role] = envelope.to_json()
    return found


@contextmanager
def _reach(credentials: Credentials) -> Iterator[_Server]:
    """Make a way to the server, whose keys are in no file that has a name."""
    url = credentials.url(members.REPOSITORY_URL).rstrip("/")
    p12 = credentials.members.get(members.CLIENT_P12)
    if not url or p12 is None:
        raise AuthoringError(
            f"the credentials have no {members.REPOSITORY_URL} or no {members.CLIENT_P12}",
            hint="`ostrya fleet credentials` writes such a file",
        )
    certificate, key, authorities = take_apart(p12)
    descriptors = [_memory(data) for data in (certificate, key, authorities)]
    cert_path, key_path, ca_path = (f"/proc/self/fd/{fd}" for fd in descriptors)
    options = HttpOptions(
        tls_client_cert_path=cert_path, tls_client_key_path=key_path, tls_ca_path=ca_path
    )
    sender = HttpSender(options)
    try:
        yield _Server(f"{url}{_PATH}", sender)
    finally:
        sender.close()
        for fd in descriptors:
            os.close(fd)


def take_apart(p12: bytes) -> tuple[bytes, bytes, bytes]:
    """Return certificate, key and authorities of a PKCS#12 with an empty password, as PEM.

    Raises:
        AuthoringError: It is none.
    """
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        pkcs12,
    )

    try:
        key, certificate, more = pkcs12.load_key_and_certificates(p12, b"")
    except ValueError as exc:
        raise AuthoringError(f"{members.CLIENT_P12} cannot be read: {exc}") from None
    if key is None or certificate is None or not more:
        raise AuthoringError(f"{members.CLIENT_P12} lacks a certificate, a key or an authority")
    return (
        certificate.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        b"".join(one.public_bytes(Encoding.PEM) for one in more),
    )


def _memory(data: bytes) -> int:
    fd = os.memfd_create("credentials")
    os.write(fd, data)
    return fd


def _value(answer: Answer) -> Object:
    try:
        value: Json = json.loads(answer.body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise AuthoringError(f"{answer.url} answers with something else than an object of JSON")
    return value


def _refusal(answer: Answer) -> AuthoringError:
    try:
        value = _value(answer)
    except AuthoringError:
        value = {}
    words = value.get("detail") or value.get("description") or ""
    hint = value.get("hint")
    return AuthoringError(
        f"{answer.url} answers {answer.status}{': ' if words else ''}{words}",
        hint=hint if isinstance(hint, str) else "",
    )
