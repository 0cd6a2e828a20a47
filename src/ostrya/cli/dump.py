# SPDX-License-Identifier: Apache-2.0
"""Commits and variants as text and as JSON, for the verbs that show them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ostrya.errors import FormatError
from ostrya.formats.commit import COMMIT_TYPE, KEY_VERSION, Commit, content_checksum
from ostrya.formats.gvariant.decode import ByteOrder, decode_variant
from ostrya.formats.gvariant.text import format_variant
from ostrya.formats.object_name import ObjectType

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.formats.gvariant.vardict import VarDict, Variant
    from ostrya.formats.xattrs import Xattrs

METADATA_TYPES = {
    ObjectType.COMMIT: COMMIT_TYPE,
    ObjectType.DIR_META: "(uuua(ayay))",
    ObjectType.DIR_TREE: "(a(say)a(sayay))",
}
XATTRS_TYPE = "a(ayay)"


class naming:  # noqa: N801 - reads as a word in a with statement
    """Put the name of what is being read before the sentence of a FormatError."""

    __slots__ = ("_name",)

    def __init__(self, name: object) -> None:
        self._name = name

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _type: object, error: object, _traceback: object) -> None:
        if isinstance(error, FormatError):
            error.message = f"{self._name}: {error.message}"
            error.args = (error.message,)


# The years 1 to 9999, which GLib's calendar has.
_FIRST_SECOND = -62135596800
_LAST_SECOND = 253402300799
_INDENT = "    "


def format_commit(commit: Commit) -> str:
    """Return a commit as ``log`` and ``show`` print it below its name.

    Raises:
        FormatError: Its time is not in the years 1 to 9999.
    """
    lines = [f"Parent:  {commit.parent}"] if commit.parent is not None else []
    lines.append(f"ContentChecksum:  {content_checksum(commit)}")
    lines.append(f"Date:  {format_utc(commit.timestamp)}")
    version = commit.metadata.lookup(KEY_VERSION, "s")
    if version:
        lines.append(f"Version: {version}")
    text = "\n".join(lines) + "\n"
    text += "\n" + _indent(commit.subject) if commit.subject else "(no subject)\n"
    if commit.body:
        text += "\n" + _indent(commit.body)
    return text + "\n"


def commit_as_json(checksum: Checksum, commit: Commit) -> dict[str, object]:
    """Return a commit as the values that ``--json`` prints."""
    return {
        "commit": checksum,
        "parent": commit.parent,
        "content_checksum": content_checksum(commit),
        "timestamp": commit.timestamp,
        "version": commit.metadata.lookup(KEY_VERSION, "s"),
        "subject": commit.subject,
        "body": commit.body,
        "metadata": metadata_as_json(commit.metadata),
    }


def metadata_as_json(metadata: VarDict) -> dict[str, str]:
    """Return a dictionary with its values in GVariant's text form."""
    return {key: print_variant(variant) for key, variant in metadata}


def format_utc(timestamp: int) -> str:
    """Return a time as ``log`` prints it.

    Raises:
        FormatError: It is not in the years 1 to 9999.
    """
    if not _FIRST_SECOND <= timestamp <= _LAST_SECOND:
        raise FormatError(f"Failed to read commit: Invalid timestamp: {timestamp % (1 << 64)}")
    return time.strftime("%Y-%m-%d %H:%M:%S +0000", time.gmtime(timestamp))


def format_local(timestamp: int) -> str:
    """Return a time as ``summary`` prints it: ISO 8601, in the local zone."""
    if not _FIRST_SECOND <= timestamp <= _LAST_SECOND:
        return "invalid"
    local = time.localtime(timestamp)
    hours, minutes = divmod(abs(local.tm_gmtoff) // 60, 60)
    sign = "-" if local.tm_gmtoff < 0 else "+"
    offset = f"{sign}{hours:02}" + (f":{minutes:02}" if minutes else "")
    return time.strftime("%Y-%m-%dT%H:%M:%S", local) + offset


def dump_object(kind: ObjectType, data: bytes, byteorder: ByteOrder) -> str:
    """Return a metadata object in GVariant's text form.

    Libostree swaps every number of an object before it prints it, because most of them are
    big-endian; ``byteorder`` says whether to do the same.
    """
    return dump_data(METADATA_TYPES[kind], data, byteorder)


def dump_data(type_string: str, data: bytes, byteorder: ByteOrder) -> str:
    """Return the bytes of a value in GVariant's text form."""
    value = decode_variant(type_string, data, byteorder=byteorder)
    return format_variant(type_string, value, annotate=True)


def print_variant(variant: Variant, *, annotate: bool = True) -> str:
    """Return a value in GVariant's text form."""
    return format_variant(variant.type, variant.value, annotate=annotate)


def format_xattrs(xattrs: Xattrs) -> str:
    """Return extended attributes as ``ls -X`` and ``show`` print them."""
    value: Any = tuple((name + b"\0", content) for name, content in xattrs)
    return "{ " + format_variant(XATTRS_TYPE, value, annotate=True) + " }"


def _indent(text: str) -> str:
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return "".join(f"{_INDENT}{line}\n" for line in lines)


def xattrs_as_json(xattrs: Xattrs) -> list[dict[str, str]]:
    """Return extended attributes with their values in hexadecimal, for they are bytes."""
    return [
        {"name": name.decode("utf-8", "surrogateescape"), "value_hex": value.hex()}
        for name, value in xattrs
    ]
