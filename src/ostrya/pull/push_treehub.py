# SPDX-License-Identifier: Apache-2.0
"""Pushing to a server with the treehub interface: objects and refs by HTTP, one request each.

::

    GET  config                     a repository, archives only
    HEAD objects/ab/cdef….dirtree   200 or 404
    POST objects/ab/cdef….filez     204; 409 for what is there
    GET  refs/heads/NAME            the checksum, or 404
    POST refs/heads/NAME            moves it; x-ats-ostree-force: true lets it lose commits
    POST deltas/ab/cdef…/superblock a delta, after its parts; x-trx-superblock-hash: SHA-256 of that

There is no summary: devices there are told which commit they want.
"""

from __future__ import annotations

import base64
import json
import os
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from ostrya.errors import FormatError, OstryaError
from ostrya.fetch.addresses import hide_password
from ostrya.fetch.http_options import HttpOptions
from ostrya.fetch.http_sender import Answer, HttpSender, Upload
from ostrya.fetch.retry import RetryPolicy
from ostrya.formats.checksum import Checksum, check_checksum
from ostrya.formats.keyfile import KeyFile
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.pull.errors import PushFailed, PushRefused, RefMoved
from ostrya.pull.push_archive import object_path
from ostrya.pull.push_send import count_missing, send_objects
from ostrya.pull.push_target import RefState, Sent, SummaryChoice
from ostrya.pull.treehub_credentials import (
    BasicAuth,
    Credentials,
    OAuth2,
    read_authority,
    read_client,
    read_credentials,
)
from ostrya.repo.config import parse_config
from ostrya.repo.modes import RepoMode
from ostrya.repo.reader import MAX_METADATA_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ostrya.progress import ProgressSink
    from ostrya.pull.push_walk import Shipment
    from ostrya.repo.packing import Packed
    from ostrya.repo.repository import Repository

FORCE = "x-ats-ostree-force"
_SUPERBLOCK = "x-trx-superblock-hash"
_STREAM = ("Content-Type", "application/octet-stream")
_FORM = ("Content-Type", "application/x-www-form-urlencoded")
_DONE = (200, 201, 204)
_NOT_NOW = (409, 412)
# A token is asked for anew so long before it ends.
_TOKEN_MARGIN_S = 60


class TreehubTarget:
    """A ``PushTarget`` behind HTTP.

    Attributes:
        shown: Its address, without user and password.
    """

    def __init__(
        self,
        url: str,
        sender: HttpSender,
        credentials: Credentials = None,
        kept: tuple[int, ...] = (),
    ) -> None:
        self.shown = hide_password(url).rstrip("/")
        self._url = url.rstrip("/")
        self._sender = sender
        self._kept = list(kept)
        self._credentials = credentials
        self._lock = threading.Lock()
        self._token = ""
        self._token_ends = 0.0

    def prepare(self, source: Repository, choice: SummaryChoice, *, dry_run: bool) -> None:  # noqa: ARG002  # nothing is made here
        """Look whether there is a server of this kind."""
        if choice.wanted or choice.copied or choice.signers:
            raise PushRefused(f"{self.shown} has no summary: the treehub interface knows none")
        found = self._ask("GET", "config")
        if found.status != 200:
            raise PushRefused(
                f"{self._name('config')} answers {found.status}: no treehub interface is there",
                hint="the address ends where config, objects and refs begin: "
                "https://HOST/treehub/api/v2 or so",
            )
        try:
            mode = parse_config(KeyFile.decode(found.body)).mode
        except OstryaError as exc:
            exc.put_first(self._name("config"))
            raise
        if mode != RepoMode.ARCHIVE:
            raise PushRefused(f"{self.shown} is in mode {mode}: only archives can be pushed to")

    def read_ref(self, ref: str) -> RefState:
        """Look up a ref."""
        path = _ref_path(ref)
        found = self._ask("GET", path)
        if found.status == 404:
            return RefState(None)
        if found.status != 200:
            raise self._refusal(found, path)
        try:
            return RefState(check_checksum(found.body.decode(errors="replace").strip()))
        except FormatError as exc:
            raise PushFailed(f"{self._name(path)} holds no checksum: {exc.message}") from None

    def has_commit(self, checksum: Checksum) -> bool:
        """Say whether a commit is there; it was sent after all that it holds."""
        return self._has(ObjectName(checksum, ObjectType.COMMIT))

    def _has(self, name: ObjectName) -> bool:
        path = object_path(name)
        found = self._ask("HEAD", path)
        if found.status not in {200, 404}:
            raise self._refusal(found, path)
        return found.status == 200

    def send(
        self, source: Repository, shipment: Shipment, jobs: int, progress: ProgressSink
    ) -> Sent:
        """Send what is not there."""
        return send_objects(self, source, shipment, jobs, progress)

    def count_missing(self, shipment: Shipment, jobs: int) -> Sent:
        """Count what is not there."""
        return count_missing(self, shipment, jobs)

    def present(self, names: Sequence[ObjectName]) -> Iterator[ObjectName]:
        """Say which of some objects are there; the interface has no question about many."""
        yield from filter(self._has, names)

    def put(self, name: ObjectName, packed: Packed) -> int:
        """Store an object."""
        path = object_path(name)
        upload = Upload(packed.data, packed.fd, packed.size)
        found = self._ask("POST", path, upload, _STREAM)
        if found.status == 409:
            if name.type != ObjectType.COMMIT_META:
                return 0
            # The one kind of object that changes under its name.
            found = self._ask("PUT", path, upload, _STREAM)
        if found.status not in _DONE:
            raise self._refusal(found, path)
        return packed.size

    def read_detached(self, checksum: Checksum) -> bytes | None:
        """Return the detached metadata of a commit, None if there is none."""
        path = object_path(ObjectName(checksum, ObjectType.COMMIT_META))
        found = self._ask("GET", path, max_bytes=MAX_METADATA_BYTES)
        if found.status == 404:
            return None
        if found.status != 200:
            raise self._refusal(found, path)
        return found.body

    def has_delta(self, path: str) -> bool:
        """Say whether there is a delta."""
        found = self._ask("HEAD", path)
        if found.status not in {200, 404}:
            raise self._refusal(found, path)
        return found.status == 200

    def put_delta_file(self, path: str, fd: int, superblock_sha256: str) -> int:
        """Store a file of a delta."""
        size = os.fstat(fd).st_size
        headers = (_STREAM, (_SUPERBLOCK, superblock_sha256))
        found = self._ask("POST", path, Upload(b"", fd, size), *headers)
        if found.status not in _DONE and found.status != 409:
            raise self._refusal(found, path)
        return size

    def write_ref(self, ref: str, checksum: Checksum, seen: RefState, *, force: bool) -> None:
        """Let a ref point to a commit, if it is still as it was seen."""
        now = self.read_ref(ref).checksum
        if now == checksum:
            return
        if now != seen.checksum:
            raise RefMoved(self.shown, ref, now)
        path = _ref_path(ref)
        body = checksum.encode()
        headers = ((FORCE, "true"),) if force else ()
        found = self._ask("POST", path, Upload(body, size=len(body)), *headers)
        if found.status in _DONE:
            return
        now = self.read_ref(ref).checksum
        if now == checksum:
            return
        if now != seen.checksum:
            raise RefMoved(self.shown, ref, now)
        error = self._refusal(found, path)
        if found.status in _NOT_NOW:
            error.hint = (
                "the server sees no fast-forward: push the commits between with --depth, "
                "or move the ref with --force"
            )
        raise error

    def write_summary(self, source: Repository, choice: SummaryChoice) -> str:  # noqa: ARG002  # there is none
        """Do nothing: there is no summary."""
        return "none"

    def close(self) -> None:
        """Close all connections."""
        self._sender.close()
        while self._kept:
            os.close(self._kept.pop())

    def _name(self, path: str) -> str:
        return f"{self.shown}/{path}"

    def _ask(
        self,
        method: str,
        path: str,
        upload: Upload | None = None,
        *headers: tuple[str, str],
        max_bytes: int = 1 << 20,
    ) -> Answer:
        url = f"{self._url}/{path}"
        used = self._authorization()
        answer = self._sender.send(
            method, url, upload, headers=(*headers, *used), max_bytes=max_bytes
        )
        if answer.status == 401 and isinstance(self._credentials, OAuth2):
            # The token may have been withdrawn early; a second refusal is one.
            self._forget_token(used)
            headers = (*headers, *self._authorization())
            answer = self._sender.send(method, url, upload, headers=headers, max_bytes=max_bytes)
        return answer

    def _authorization(self) -> tuple[tuple[str, str], ...]:
        credentials = self._credentials
        if credentials is None:
            return ()
        if isinstance(credentials, BasicAuth):
            return (("Authorization", _basic(credentials.user, credentials.password)),)
        with self._lock:
            if time.monotonic() > self._token_ends:
                self._token, self._token_ends = self._fetch_token(credentials)
            return (("Authorization", f"Bearer {self._token}"),)

    def _forget_token(self, used: tuple[tuple[str, str], ...]) -> None:
        with self._lock:
            # Unless another thread has got a new one meanwhile.
            if used == (("Authorization", f"Bearer {self._token}"),):
                self._token_ends = 0.0

    def _fetch_token(self, credentials: OAuth2) -> tuple[str, float]:
        fields = {"grant_type": "client_credentials"}
        if credentials.scope:
            fields["scope"] = credentials.scope
        body = urlencode(fields).encode()
        proof = _basic(credentials.client_id, credentials.client_secret)
        answer = self._sender.send(
            "POST",
            credentials.token_url,
            Upload(body, size=len(body)),
            headers=(_FORM, ("Authorization", proof)),
        )
        shown = hide_password(credentials.token_url)
        if answer.status != 200:
            raise PushFailed(
                f"{shown} gives no token: it answers {answer.status}{_reason(answer.body)}",
                hint="the client_id or client_secret of the credentials may be wrong",
            )
        try:
            values = json.loads(answer.body)
            token, lasts_s = str(values["access_token"]), float(values.get("expires_in", 300))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise PushFailed(f"{shown} answers without a token") from None
        return token, time.monotonic() + max(lasts_s - _TOKEN_MARGIN_S, 1.0)

    def _refusal(self, answer: Answer, path: str) -> PushFailed:
        hint = ""
        if answer.status in {401, 403}:
            hint = (
                "say who you are with --credentials=treehub.json, or user and password in the URL"
            )
        return PushFailed(
            f"{self._name(path)} answers {answer.status}{_reason(answer.body)}", hint=hint
        )


def treehub_target(
    url: str, credentials_path: str | None, tls_ca_path: str | None, *, retries: int
) -> TreehubTarget:
    """Return the target at an address.

    Raises:
        PushRefused: The credentials are none.
        OSError: They cannot be read.
    """
    credentials = None if credentials_path is None else read_credentials(credentials_path)
    kept: list[int] = []
    client = ""
    if credentials_path is not None:
        if tls_ca_path is None:
            # A server of one's own has an authority of its own, which its credentials name.
            tls_ca_path = _lend(read_authority(credentials_path), kept)
        if credentials is None:
            client = _lend(read_client(credentials_path), kept) or ""
    options = HttpOptions(
        tls_ca_path=tls_ca_path or "", tls_client_p12_path=client, retry=RetryPolicy(retries)
    )
    return TreehubTarget(url, HttpSender(options), credentials, tuple(kept))


def _lend(data: bytes | None, kept: list[int]) -> str | None:
    """Return a path at which something can be read as long as a file is open."""
    if data is None:
        return None
    fd = os.memfd_create("credentials")
    kept.append(fd)
    with open(fd, "wb", closefd=False) as stream:
        stream.write(data)
    return f"/proc/self/fd/{fd}"


def _ref_path(ref: str) -> str:
    return f"refs/heads/{quote(ref)}"


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _reason(body: bytes) -> str:
    """Return what a server says beside its status, in words of its own."""
    try:
        values = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(values, dict):
        return ""
    words = values.get("description") or values.get("error_description") or values.get("code")
    return f": {words}" if isinstance(words, str) else ""
