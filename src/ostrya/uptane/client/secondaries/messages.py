# SPDX-License-Identifier: Apache-2.0
"""Messages between a Primary and ECUs at the other end of a wire, of aktualizr's kind. Pure.

A message is a choice: an element with the number of its kind, in which there is a sequence of its
fields. What follows known fields is a newer program's, and is passed over.

=====================  ====================================================
getInfo                who are you?
version                which protocol? 1, or 2
manifest               what do you run? signed JSON
rootVer, putRoot       which root do you trust? here is the next
putMeta2               metadata of both repositories, by roles
uploadData             the next piece of an image
downloadOstreeRev      get the commit yourself; what it takes to be let in
install                install it: installResp of version 1, installResp2 of 2
putMeta, sendFirmware  of version 1: metadata, and a whole image at once
=====================  ====================================================

Source: aktualizr's ipuptane_message.asn1, for numbers and types.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import TypeAlias, TypeVar

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client.errors import MessageInvalid
from ostrya.uptane.client.secondaries import asn1

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_MAX_FILES = 256


class KeyKind(IntEnum):
    """Kinds of keys; aktualizr has no number for RSA of 3072 bits."""

    ED25519 = 0
    RSA2048 = 1
    RSA4096 = 2
    UNKNOWN = 255


class Code(IntEnum):
    """Results, by the numbers that aktualizr gives them."""

    OK = 0
    ALREADY_PROCESSED = 1
    VERIFICATION_FAILED = 3
    INSTALL_FAILED = 4
    DOWNLOAD_FAILED = 5
    INTERNAL_ERROR = 18
    GENERAL_ERROR = 19
    NEED_COMPLETION = 21
    CUSTOM_ERROR = 22
    OPERATION_CANCELLED = 23
    UNKNOWN = -1

    @classmethod
    def of(cls, number: int) -> Code:
        """Return a result; one that is not known is ``UNKNOWN``."""
        return cls(number) if number in cls._value2member_map_ else cls.UNKNOWN


class Repo(IntEnum):
    """The two repositories."""

    DIRECTOR = 0
    IMAGE = 1


class MetaFile(NamedTuple):
    """Metadata of a role.

    Attributes:
        role: Which one.
        data: The file.
    """

    role: str
    data: bytes


class GetInfoReq(NamedTuple):
    """Who are you?"""


class GetInfoResp(NamedTuple):
    """Who an ECU is.

    Attributes:
        serial: What it is called.
        hardware_id: What kind it is.
        key_kind: Of its key.
        key: PEM, or hexadecimal digits of ed25519.
    """

    serial: str
    hardware_id: str
    key_kind: int
    key: bytes


class ManifestReq(NamedTuple):
    """What do you run?"""


class ManifestResp(NamedTuple):
    """What an ECU runs.

    Attributes:
        manifest: Signed JSON.
    """

    manifest: bytes


class PutMetaReq(NamedTuple):
    """Metadata, in version 1.

    Attributes:
        image: Root, timestamp, snapshot and Targets of the Image repository.
        director: Root and Targets of the Director.
    """

    image: tuple[bytes, ...]
    director: tuple[bytes, ...]


class PutMetaResp(NamedTuple):
    """What became of it: 0 for success."""

    result: int


class SendFirmwareReq(NamedTuple):
    """An image, in version 1; of a commit, what it takes to get it."""

    firmware: bytes


class SendFirmwareResp(NamedTuple):
    """What became of it: 0 for success."""

    result: int


class InstallReq(NamedTuple):
    """Install an image, by its name."""

    name: bytes


class InstallResp(NamedTuple):
    """What became of it, in version 1."""

    result: int


class UploadDataReq(NamedTuple):
    """The next piece of an image."""

    data: bytes


class UploadDataResp(NamedTuple):
    """What became of it."""

    result: int
    description: bytes


class DownloadOstreeRevReq(NamedTuple):
    """What it takes to get a commit: a zip with certificates and an address."""

    credentials: bytes


class DownloadOstreeRevResp(NamedTuple):
    """What became of it."""

    result: int
    description: bytes


class PutMetaReq2(NamedTuple):
    """Metadata of both repositories."""

    image: tuple[MetaFile, ...]
    director: tuple[MetaFile, ...]


class PutMetaResp2(NamedTuple):
    """What became of it."""

    result: int
    description: bytes


class InstallResp2(NamedTuple):
    """What became of it."""

    result: int
    description: bytes


class VersionReq(NamedTuple):
    """Which protocol do you speak? Ours is told."""

    version: int


class VersionResp(NamedTuple):
    """Which protocol an ECU speaks."""

    version: int


class RootVerReq(NamedTuple):
    """Which root do you trust?"""

    repo: int


class RootVerResp(NamedTuple):
    """Which root an ECU trusts; 0 or less for none that is told."""

    version: int


class PutRootReq(NamedTuple):
    """The next root."""

    repo: int
    data: bytes


class PutRootResp(NamedTuple):
    """What became of it."""

    result: int
    description: bytes


class _Shape(Enum):
    """What a field is on the wire."""

    TEXT = "text"
    OCTETS = "octets"
    INTEGER = "integer"
    ENUMERATED = "enumerated"
    FILES = "files"
    FOUR = 4
    TWO = 2


_T, _O, _I, _E = _Shape.TEXT, _Shape.OCTETS, _Shape.INTEGER, _Shape.ENUMERATED

Message: TypeAlias = (
    GetInfoReq | GetInfoResp | ManifestReq | ManifestResp | PutMetaReq | PutMetaResp
    | SendFirmwareReq | SendFirmwareResp | InstallReq | InstallResp | UploadDataReq
    | UploadDataResp | DownloadOstreeRevReq | DownloadOstreeRevResp | PutMetaReq2 | PutMetaResp2
    | InstallResp2 | VersionReq | VersionResp | RootVerReq | RootVerResp | PutRootReq | PutRootResp
)  # fmt: skip

_KINDS: tuple[tuple[type[Message], tuple[_Shape, ...]], ...] = (
    (GetInfoReq, ()),
    (GetInfoResp, (_T, _T, _E, _O)),
    (ManifestReq, ()),
    (ManifestResp, (_O,)),
    (PutMetaReq, (_Shape.FOUR, _Shape.TWO)),
    (PutMetaResp, (_E,)),
    (SendFirmwareReq, (_O,)),
    (SendFirmwareResp, (_E,)),
    (InstallReq, (_O,)),
    (InstallResp, (_E,)),
    (UploadDataReq, (_O,)),
    (UploadDataResp, (_E, _O)),
    (DownloadOstreeRevReq, (_O,)),
    (DownloadOstreeRevResp, (_E, _O)),
    (PutMetaReq2, (_Shape.FILES, _Shape.FILES)),
    (PutMetaResp2, (_E, _O)),
    (InstallResp2, (_E, _O)),
    (VersionReq, (_I,)),
    (VersionResp, (_I,)),
    (RootVerReq, (_E,)),
    (RootVerResp, (_I,)),
    (PutRootReq, (_E, _O)),
    (PutRootResp, (_E, _O)),
)
_NUMBERS = {kind: number for number, (kind, _) in enumerate(_KINDS)}


def encode(message: Message) -> bytes:
    """Return the bytes of a message."""
    number = _NUMBERS[type(message)]
    shapes = _KINDS[number][1]
    fields = (_write(shape, value) for shape, value in zip(shapes, message, strict=True))
    return asn1.write(asn1.CHOICE | number, asn1.write_sequence(fields))


def decode(data: bytes) -> Message:
    """Return a message.

    Raises:
        MessageInvalid: It is none.
    """
    choice = asn1.read(data, "a message")
    number = choice.tag - asn1.CHOICE
    if not 0 <= number < len(_KINDS):
        raise MessageInvalid(f"there is no message with the tag {choice.tag:#04x}")
    kind, shapes = _KINDS[number]
    what = kind.__name__
    body = asn1.require(asn1.read(choice.content, what), asn1.SEQUENCE, what)
    elements = iter(asn1.read_all(body, what))
    values = [_read(shape, next(elements, None), what) for shape in shapes]
    # What follows is of a newer program; it has to be whole all the same.
    for _ in elements:
        pass
    return kind(*values)  # type: ignore[arg-type]  # as their shapes say


M = TypeVar("M", bound=Message)


def expect(message: Message, kind: type[M]) -> M:
    """Return a message that has to be of a kind.

    Raises:
        MessageInvalid: It is of another.
    """
    if not isinstance(message, kind):
        raise MessageInvalid(f"a {type(message).__name__} came where a {kind.__name__} belongs")
    return message


def _write(shape: _Shape, value: object) -> bytes:
    if shape is _T:
        return asn1.write(asn1.TEXT, str(value).encode())
    if shape is _O and isinstance(value, bytes):
        return asn1.write(asn1.OCTETS, value)
    if shape in (_I, _E) and isinstance(value, int):
        return asn1.write_integer(value, asn1.INTEGER if shape is _I else asn1.ENUMERATED)
    files = value if isinstance(value, tuple) else ()
    if shape is _Shape.FILES:
        return asn1.write_sequence(
            asn1.write_sequence(
                (asn1.write(asn1.OCTETS, one.role.encode()), asn1.write(asn1.OCTETS, one.data))
            )
            for one in files
        )
    return asn1.write_sequence(asn1.write(asn1.OCTETS, one) for one in files)


def _read(shape: _Shape, element: asn1.Element | None, what: str) -> object:
    if shape is _T:
        return asn1.read_text(asn1.require(element, asn1.TEXT, what), what)
    if shape is _O:
        return asn1.require(element, asn1.OCTETS, what)
    if shape is _I:
        return asn1.read_integer(asn1.require(element, asn1.INTEGER, what), what)
    if shape is _E:
        return asn1.read_integer(asn1.require(element, asn1.ENUMERATED, what), what)
    content = asn1.require(element, asn1.SEQUENCE, what)
    if shape is _Shape.FILES:
        return tuple(_read_files(content, what))
    found = [asn1.require(one, asn1.OCTETS, what) for one in asn1.read_all(content, what)]
    if len(found) < int(shape.value):
        raise MessageInvalid(f"{what} has {len(found)} files, not {shape.value}")
    return tuple(found[: int(shape.value)])


def _read_files(content: bytes, what: str) -> list[MetaFile]:
    found = []
    for one in asn1.read_all(content, what):
        parts = iter(asn1.read_all(asn1.require(one, asn1.SEQUENCE, what), what))
        role = asn1.require(next(parts, None), asn1.OCTETS, what)
        data = asn1.require(next(parts, None), asn1.OCTETS, what)
        found.append(MetaFile(asn1.read_text(role, what), data))
        if len(found) > _MAX_FILES:
            raise MessageInvalid(f"{what} has more than {_MAX_FILES} files")
    return found
