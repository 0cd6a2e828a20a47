# SPDX-License-Identifier: Apache-2.0
"""An ECU at the other end of a wire, as its Primary asks it.

A connection is made for each request, as aktualizr does: an ECU may restart at any time.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

from ostrya.uptane.client.errors import (
    MessageInvalid,
    SecondaryRefused,
    SecondaryUnreachable,
)
from ostrya.uptane.client.installer import Outcome, Stage
from ostrya.uptane.client.secondaries.ecu_identity import Verification
from ostrya.uptane.client.secondaries.link import Timeouts, connect
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
    MetaFile,
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
    expect,
)
from ostrya.uptane.client.secondaries.zip_credentials import pack_credentials
from ostrya.uptane.client.watch import Progress
from ostrya.uptane.errors import UptaneRefusal
from ostrya.uptane.metadata.json_text import parse_json
from ostrya.uptane.metadata.keys import ED25519, RSA, Key, identity
from ostrya.uptane.steps import Repository

if TYPE_CHECKING:
    from ostrya.uptane.client.installer import ImageSource
    from ostrya.uptane.client.installs import Target
    from ostrya.uptane.client.secondaries.bundle import Bundle
    from ostrya.uptane.client.secondaries.link import Address, Connection
    from ostrya.uptane.client.secondaries.messages import Message
    from ostrya.uptane.client.secondaries.secondary import ImageOpener
    from ostrya.uptane.client.watch import Watch
    from ostrya.uptane.full_verification import Agreed
    from ostrya.uptane.metadata.json_text import Object

PROTOCOL = 2
MAX_REPORT_BYTES = 64 * 1024
_PIECE_BYTES = 16 * 1024
_MAX_ROOTS = 1024
_REPOS = {Repository.DIRECTOR: Repo.DIRECTOR, Repository.IMAGE: Repo.IMAGE}
_FIRST_VERSION = 1
T = TypeVar("T", bound="Message")


class EcuInfo:
    """Who an ECU is, as it says.

    Attributes:
        serial: What it is called.
        hardware_id: What kind it is.
        key: Signs its reports.
    """

    def __init__(self, serial: str, hardware_id: str, key: Key) -> None:
        self.serial = serial
        self.hardware_id = hardware_id
        self.key = key


def ask_info(address: Address, timeouts: Timeouts = Timeouts()) -> EcuInfo:  # noqa: B008  # a tuple
    """Ask an ECU who it is.

    Raises:
        SecondaryUnreachable: It does not say.
        SecondaryRefused: What it says makes no sense.
    """
    return _understand(address, _ask(address, timeouts, GetInfoReq()))


def ask_info_over(address: Address, connection: Connection) -> EcuInfo:
    """Ask an ECU who it is, over a connection that it made.

    Raises:
        SecondaryUnreachable: It does not say.
        SecondaryRefused: What it says makes no sense.
    """
    answer_s = Timeouts().answer_s
    return _understand(address, _exchange(address, connection, GetInfoReq(), answer_s))


def _understand(address: Address, answer: Message) -> EcuInfo:
    found = expect_answer(address, answer, GetInfoResp)
    kind = ED25519 if found.key_kind == KeyKind.ED25519 else RSA
    key = Key(kind.upper(), "", found.key.decode("utf-8", "replace").strip())
    if not found.serial or not found.hardware_id or identity(key) is None:
        raise SecondaryRefused(
            f"the ECU at {address} does not say who it is, or has no key that is known",
            "INTERNAL_ERROR",
        )
    return EcuInfo(found.serial, found.hardware_id, key)


class IpSecondary:
    """An ECU that is spoken to by messages; see `Secondary`."""

    def __init__(
        self,
        address: Address,
        info: EcuInfo,
        verification: Verification = Verification.FULL,
        timeouts: Timeouts = Timeouts(),  # noqa: B008  # a tuple
    ) -> None:
        self.serial = info.serial
        self.hardware_id = info.hardware_id
        self._key = info.key
        self._address = address
        self._verification = verification
        self._timeouts = timeouts

    def public_key(self) -> Key:
        """Return its key."""
        return self._key

    # -------------------------------------------------------------------------- report

    def report(self) -> Object:
        """Return what it says of itself; the Director checks the signature."""
        found = self._expect(self._ask(ManifestReq()), ManifestResp)
        try:
            report = parse_json(found.manifest, MAX_REPORT_BYTES, f"the report of {self.serial}")
        except UptaneRefusal as exc:
            raise SecondaryRefused(exc.message, "INTERNAL_ERROR") from exc
        signed = report.get("signed") if isinstance(report, dict) else None
        if not isinstance(report, dict) or not isinstance(signed, dict):
            raise SecondaryRefused(f"{self.serial} gives no report", "INTERNAL_ERROR")
        if signed.get("ecu_serial") != self.serial:
            raise SecondaryRefused(
                f"{self.serial} gives the report of another ECU", "INTERNAL_ERROR"
            )
        return report

    # ------------------------------------------------------------------------ metadata

    def put_metadata(self, bundle: Bundle) -> None:
        """Hand on roots that it lacks, and metadata."""
        version = self._version()
        is_tuf = self._verification is Verification.TUF
        repositories = [one for one in Repository if not (is_tuf and one is Repository.DIRECTOR)]
        if version >= PROTOCOL:
            for repository in repositories:
                self._put_roots(bundle, repository)
            director = () if is_tuf else _files(bundle, Repository.DIRECTOR)
            message = PutMetaReq2(_files(bundle, Repository.IMAGE), director)
            found = self._expect(self._ask(message), PutMetaResp2)
            self._require(found.result, found.description, "refuses the metadata")
            return
        director_files = [bundle.director.get(role, b"") for role in ("root", "targets")]
        image_files = [
            bundle.image.get(role, b"") for role in ("root", "timestamp", "snapshot", "targets")
        ]
        old = self._expect(
            self._ask(PutMetaReq(tuple(image_files), tuple(director_files))), PutMetaResp
        )
        if old.result:
            raise SecondaryRefused(f"{self.serial} refuses the metadata", "VERIFICATION_FAILED")

    def _version(self) -> int:
        """Ask which protocol it speaks; one that hangs up on that speaks the first."""
        try:
            found = self._ask(VersionReq(PROTOCOL))
        except SecondaryUnreachable:
            self._expect(self._ask(GetInfoReq()), GetInfoResp)
            return _FIRST_VERSION
        return min(self._expect(found, VersionResp).version, PROTOCOL)

    def _put_roots(self, bundle: Bundle, repository: Repository) -> None:
        try:
            found = self._ask(RootVerReq(_REPOS[repository]))
            version = self._expect(found, RootVerResp).version
        except SecondaryUnreachable:
            # Of a program that has not learned it: what is handed on may do.
            return
        if version <= 0:
            return
        for data in bundle.roots_after(repository, version)[:_MAX_ROOTS]:
            answer = self._expect(self._ask(PutRootReq(_REPOS[repository], data)), PutRootResp)
            self._require(
                answer.result, answer.description, f"refuses a root of the {repository.shown}"
            )

    # --------------------------------------------------------------------------- image

    def send_image(
        self, image: Agreed, files: ImageOpener, source: ImageSource, watch: Watch
    ) -> None:
        """Send an image, or what it takes to get a commit."""
        version = self._version()
        if image.is_ostree:
            self._send_credentials(image, source, version)
            return
        fd = files.open_image(image)
        with os.fdopen(fd, "rb") as file:
            if version < PROTOCOL:
                self._send_at_once(file.read())
                return
            sent = 0
            with connect(self._address, self._timeouts) as connection:
                while data := file.read(_PIECE_BYTES):
                    watch.look()
                    found = self._exchange(connection, UploadDataReq(data))
                    answer = self._expect(found, UploadDataResp)
                    self._require(answer.result, answer.description, f"refuses {image.name}")
                    sent += len(data)
                    watch.tell(Progress("send", image.name, sent, image.length))

    def _send_credentials(self, image: Agreed, source: ImageSource, version: int) -> None:
        try:
            credentials = pack_credentials(source.treehub(image.uri))
        except OSError as exc:
            raise SecondaryRefused(
                f"the credentials for {self.serial} cannot be read: {exc}",
                "DOWNLOAD_FAILED",
                hint="a key on a token cannot be lent to another ECU",
            ) from exc
        if version < PROTOCOL:
            self._send_at_once(credentials)
            return
        message = DownloadOstreeRevReq(credentials)
        found = self._expect(self._ask(message, self._timeouts.install_s), DownloadOstreeRevResp)
        self._require(found.result, found.description, f"cannot get {image.name}")

    def _send_at_once(self, data: bytes) -> None:
        message = SendFirmwareReq(data)
        found = self._expect(self._ask(message, self._timeouts.install_s), SendFirmwareResp)
        if found.result:
            raise SecondaryRefused(f"{self.serial} refuses the image", "DOWNLOAD_FAILED")

    # ------------------------------------------------------------------------- install

    def install(self, target: Target) -> Outcome:
        """Let it install."""
        found = self._ask(InstallReq(target.name.encode()), self._timeouts.install_s)
        if isinstance(found, InstallResp):
            code, words = Code.of(found.result), ""
        else:
            answer = self._expect(found, InstallResp2)
            code, words = Code.of(answer.result), answer.description.decode("utf-8", "replace")
        if code in (Code.OK, Code.ALREADY_PROCESSED):
            return Outcome.good(words, code.name)
        if code is Code.NEED_COMPLETION:
            return Outcome(Stage.APPLIED, words=words or f"{self.serial} has to restart")
        return Outcome.failed(words or f"{self.serial} does not install it", code.name)

    def finish(self, target: Target) -> Outcome:
        """See by its report whether it runs the image."""
        signed = self.report().get("signed")
        image = signed.get("installed_image") if isinstance(signed, dict) else None
        info = image.get("fileinfo") if isinstance(image, dict) else None
        hashes = info.get("hashes") if isinstance(info, dict) else None
        found = hashes.get("sha256") if isinstance(hashes, dict) else None
        if isinstance(found, str) and found.lower() == target.hashes.get("sha256", "").lower():
            return Outcome.good()
        return Outcome(Stage.WAITING, words=f"{self.serial} has not restarted into it yet")

    # -------------------------------------------------------------------------- asking

    def _ask(self, message: Message, timeout_s: float | None = None) -> Message:
        return _ask(self._address, self._timeouts, message, timeout_s)

    def _exchange(self, connection: Connection, message: Message) -> Message:
        return _exchange(self._address, connection, message, self._timeouts.answer_s)

    def _expect(self, message: Message, kind: type[T]) -> T:
        return expect_answer(self._address, message, kind)

    def _require(self, result: int, description: bytes, words: str) -> None:
        code = Code.of(result)
        if code is not Code.OK:
            said = description.decode("utf-8", "replace")
            raise SecondaryRefused(f"{self.serial} {words}: {said or code.name}", code.name)


def expect_answer(address: Address, message: Message, kind: type[T]) -> T:
    """Return an answer, of the kind that it has to be.

    Raises:
        SecondaryRefused: It is of another.
    """
    try:
        return expect(message, kind)
    except MessageInvalid as exc:
        raise SecondaryRefused(f"the ECU at {address}: {exc.message}", "INTERNAL_ERROR") from exc


def _ask(
    address: Address, timeouts: Timeouts, message: Message, timeout_s: float | None = None
) -> Message:
    with connect(address, timeouts) as connection:
        return _exchange(address, connection, message, timeout_s or timeouts.answer_s)


def _exchange(
    address: Address, connection: Connection, message: Message, timeout_s: float
) -> Message:
    try:
        connection.send(message, timeout_s)
        found = connection.receive(timeout_s)
    except OSError as exc:
        raise SecondaryUnreachable(f"the ECU at {address} does not answer: {exc}") from exc
    except MessageInvalid as exc:
        raise SecondaryRefused(f"the ECU at {address}: {exc.message}", "INTERNAL_ERROR") from exc
    if found is None:
        raise SecondaryUnreachable(f"the ECU at {address} hung up without an answer")
    return found


def _files(bundle: Bundle, repository: Repository) -> tuple[MetaFile, ...]:
    return tuple(MetaFile(role, data) for role, data in bundle.files(repository).items())
