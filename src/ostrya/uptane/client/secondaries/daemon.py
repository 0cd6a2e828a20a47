# SPDX-License-Identifier: Apache-2.0
"""An ECU at its own end of the wire: listens for its Primary, and answers, in both versions.

One Primary is served at a time, one request after the other; who says nothing, or nonsense, is hung
up on. Requests that are not known are answered by hanging up, as aktualizr does.
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from ostrya.errors import OstryaError
from ostrya.uptane.client.errors import MessageInvalid
from ostrya.uptane.client.installer import Stage
from ostrya.uptane.client.secondaries.bundle import Bundle
from ostrya.uptane.client.secondaries.link import Connection, server_context
from ostrya.uptane.client.secondaries.messages import (
    Code,
    DownloadOstreeRevReq,
    DownloadOstreeRevResp,
    GetInfoReq,
    GetInfoResp,
    InstallReq,
    InstallResp,
    InstallResp2,
    KeyKind,
    ManifestReq,
    ManifestResp,
    PutMetaReq,
    PutMetaReq2,
    PutMetaResp,
    PutMetaResp2,
    PutRootReq,
    PutRootResp,
    Repo,
    RootVerReq,
    RootVerResp,
    SendFirmwareReq,
    SendFirmwareResp,
    UploadDataReq,
    UploadDataResp,
    VersionReq,
    VersionResp,
)
from ostrya.uptane.client.secondaries.zip_credentials import unpack_credentials
from ostrya.uptane.metadata.canonical_json import ascii_bytes
from ostrya.uptane.metadata.json_text import parse_json
from ostrya.uptane.metadata.keys import ED25519
from ostrya.uptane.steps import Repository

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import Self

    from ostrya.uptane.client.secondaries.ecu import Ecu
    from ostrya.uptane.client.secondaries.link import LinkTls
    from ostrya.uptane.client.secondaries.messages import Message, MetaFile
    from ostrya.uptane.client.server import ImageBody, Treehub

log = logging.getLogger(__name__)

PROTOCOL = 2
MAX_REQUEST_BYTES = 40 * 1024 * 1024
"""Of all metadata of both repositories; images come in pieces."""
_MAX_DESCRIPTION = 1000
_SILENCE_S = 300.0
# Who connects has something to say: until it has said it, nobody else is served.
_FIRST_WORD_S = 10.0
_ANSWER_S = 60.0
_OLD = (PutMetaReq, SendFirmwareReq)
_NEW = (PutMetaReq2, UploadDataReq, DownloadOstreeRevReq, RootVerReq, PutRootReq)
_REPOSITORIES = {Repo.DIRECTOR: Repository.DIRECTOR, Repo.IMAGE: Repository.IMAGE}


class _Pulling:
    """Where an ECU pulls commits from: what its Primary lends it."""

    def __init__(self, treehub: Treehub) -> None:
        self._treehub = treehub

    def open_image(
        self, name: str, uri: str, offset: int, max_bytes: int
    ) -> AbstractContextManager[ImageBody]:
        del uri, offset, max_bytes
        raise MessageInvalid(f"{name} is a file, and files are sent")

    def treehub(self, uri: str = "") -> Treehub:
        return self._treehub._replace(url=uri) if uri else self._treehub


class EcuService:
    """Answers the messages of a Primary."""

    def __init__(self, ecu: Ecu, folder: str) -> None:
        """Prepare.

        Args:
            ecu: Who answers.
            folder: Where credentials are while a commit is pulled.
        """
        self._ecu = ecu
        self._folder = os.path.join(folder, "lent")
        self._is_receiving = False
        # Until it says otherwise, or asks for what only an older one does.
        self._peer_version = PROTOCOL
        self.needs_restart = False

    def answer(self, message: Message) -> Message | None:
        """Return the answer to a message; None for one that is not known."""
        if not isinstance(message, UploadDataReq):
            self._is_receiving = False
        if isinstance(message, _OLD):
            self._peer_version = 1
        elif isinstance(message, _NEW):
            self._peer_version = PROTOCOL
        if isinstance(message, GetInfoReq):
            return self._info()
        if isinstance(message, VersionReq):
            self._peer_version = max(1, min(message.version, PROTOCOL))
            return VersionResp(self._peer_version)
        if isinstance(message, ManifestReq):
            return ManifestResp(ascii_bytes(self._ecu.report()))
        return self._answer_metadata(message) or self._answer_image(message)

    def _answer_metadata(self, message: Message) -> Message | None:
        if isinstance(message, RootVerReq):
            return RootVerResp(self._root_version(message.repo))
        if isinstance(message, PutRootReq):
            return PutRootResp(*self._try(lambda: self._put_root(message)))
        if isinstance(message, PutMetaReq):
            return PutMetaResp(self._failed(lambda: self._put_old_metadata(message)))
        if isinstance(message, PutMetaReq2):
            return PutMetaResp2(*self._try(lambda: self._put_metadata(message)))
        return None

    def _answer_image(self, message: Message) -> Message | None:
        if isinstance(message, UploadDataReq):
            return UploadDataResp(
                *self._try(lambda: self._receive(message.data), Code.DOWNLOAD_FAILED)
            )
        if isinstance(message, DownloadOstreeRevReq):
            return DownloadOstreeRevResp(
                *self._try(lambda: self._pull(message.credentials), Code.DOWNLOAD_FAILED)
            )
        if isinstance(message, SendFirmwareReq):
            return SendFirmwareResp(self._failed(lambda: self._take(message.firmware)))
        if isinstance(message, InstallReq):
            found = self._install(message)
            # An older Primary takes the result alone.
            return found if self._peer_version >= PROTOCOL else InstallResp(found.result)
        return None

    def _info(self) -> GetInfoResp:
        identity = self._ecu.identity
        key = identity.secret.key
        if key.kind == ED25519:
            kind = KeyKind.ED25519
        else:
            kind = KeyKind.RSA4096 if len(key.public) > 700 else KeyKind.RSA2048
        return GetInfoResp(identity.serial, identity.hardware_id, kind, key.public.encode())

    def _root_version(self, repo: int) -> int:
        found = _REPOSITORIES.get(repo)  # type: ignore[call-overload]  # any number may come
        return -1 if found is None else self._ecu.root_version(found)

    def _put_root(self, message: PutRootReq) -> None:
        found = _REPOSITORIES.get(message.repo)  # type: ignore[call-overload]  # likewise
        if found is None:
            raise MessageInvalid(f"there is no repository {message.repo}")
        self._ecu.put_root(found, message.data)

    def _put_metadata(self, message: PutMetaReq2) -> None:
        self._ecu.put_metadata(Bundle(_by_role(message.director), _by_role(message.image), {}, {}))

    def _put_old_metadata(self, message: PutMetaReq) -> None:
        director = _named(("root", "targets"), message.director)
        image = _named(("root", "timestamp", "snapshot", "targets"), message.image)
        # There is no other way here for a root that follows the known one.
        self._ecu.put_metadata(Bundle(director, image, _root_of(director), _root_of(image)))

    def _take(self, firmware: bytes) -> None:
        """Take a whole image, or what it takes to get a commit."""
        if self._ecu.assigned().is_ostree:
            self._pull(firmware)
            return
        self._ecu.begin()
        self._ecu.receive(firmware)

    def _receive(self, data: bytes) -> None:
        if not self._is_receiving:
            self._ecu.begin()
            self._is_receiving = True
        self._ecu.receive(data)

    def _pull(self, credentials: bytes) -> None:
        try:
            self._ecu.fetch(_Pulling(unpack_credentials(credentials, self._folder)))
        finally:
            # They are the Primary's, and lent for this.
            with suppress(FileNotFoundError):
                shutil.rmtree(self._folder)

    def _install(self, message: InstallReq) -> InstallResp2:
        outcome = self._ecu.install(message.name.decode("utf-8", "replace"))
        if outcome.stage is not Stage.DONE or outcome.result is None:
            self.needs_restart = True
            return InstallResp2(Code.NEED_COMPLETION, outcome.words.encode())
        code = Code.__members__.get(outcome.result.code, Code.INSTALL_FAILED)
        return InstallResp2(code, outcome.result.description.encode())

    def _try(
        self, deed: Callable[[], None], code: Code = Code.VERIFICATION_FAILED
    ) -> tuple[int, bytes]:
        try:
            deed()
        except OstryaError as exc:
            log.warning("a request is refused error=%s", exc.message)
            return code, exc.message.encode(errors="replace")[:_MAX_DESCRIPTION]
        except OSError as exc:
            log.warning("a request failed error=%s", exc)
            return Code.INTERNAL_ERROR, str(exc).encode(errors="replace")[:_MAX_DESCRIPTION]
        return Code.OK, b""

    def _failed(self, deed: Callable[[], None]) -> int:
        """Do something; return what version 1 says of it: 0 for success."""
        return int(self._try(deed)[0] != Code.OK)


class EcuListener:
    """Listens for a Primary."""

    def __init__(
        self, service: EcuService, port: int, tls: LinkTls | None = None, host: str = ""
    ) -> None:
        """Listen.

        Args:
            service: Answers.
            port: Of TCP; 0 for any that is free.
            tls: None to speak in the clear.
            host: Where; empty for everywhere.

        Raises:
            OSError: There is somebody already, or a certificate cannot be read.
        """
        self._service = service
        self._context = None if tls is None else server_context(tls)
        self._listener = (
            socket.create_server((host, port))
            if host
            else socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
            if socket.has_dualstack_ipv6()
            else socket.create_server(("", port))
        )

    @property
    def port(self) -> int:
        """Where it listens."""
        found: int = self._listener.getsockname()[1]
        return found

    def announce(self, host: str, port: int) -> None:
        """Tell a Primary that waits that we are here, and let it ask."""
        with suppress(OSError), socket.create_connection((host, port), _ANSWER_S) as peer:
            self._serve(peer)

    def serve_one(self) -> None:
        """Wait for one connection, and answer what comes by it until it ends."""
        peer, _ = self._listener.accept()
        with peer:
            self._serve(peer)

    def _serve(self, peer: socket.socket) -> None:
        try:
            peer.settimeout(_FIRST_WORD_S)
            if self._context is not None:
                with self._context.wrap_socket(peer, server_side=True) as secure:
                    self._answer_all(Connection(secure, MAX_REQUEST_BYTES))
                return
            self._answer_all(Connection(peer, MAX_REQUEST_BYTES))
        except (OSError, MessageInvalid) as exc:
            log.info("a connection ended error=%s", exc)

    def _answer_all(self, connection: Connection) -> None:
        patience_s = _FIRST_WORD_S
        while True:
            message = connection.receive(patience_s)
            patience_s = _SILENCE_S
            if message is None:
                return
            answer = self._service.answer(message)
            if answer is None:
                log.info("a request is not known kind=%s", type(message).__name__)
                return
            connection.send(answer, _ANSWER_S)

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def _by_role(files: tuple[MetaFile, ...]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for one in files:
        if one.role in found:
            raise MessageInvalid(f"there are two files for {one.role[:40]}")
        found[one.role] = one.data
    return found


def _named(roles: tuple[str, ...], files: tuple[bytes, ...]) -> dict[str, bytes]:
    return {role: data for role, data in zip(roles, files, strict=True) if data}


def _root_of(files: dict[str, bytes]) -> dict[int, bytes]:
    """Return a root by its version; whether it is to be believed is seen later."""
    data = files.get("root")
    if data is None:
        return {}
    found = parse_json(data, MAX_REQUEST_BYTES, "a root")
    signed = found.get("signed") if isinstance(found, dict) else None
    version = signed.get("version") if isinstance(signed, dict) else None
    return {version: data} if isinstance(version, int) else {}
