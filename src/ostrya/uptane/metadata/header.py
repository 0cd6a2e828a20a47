# SPDX-License-Identifier: Apache-2.0
"""What all roles say: their kind, their version, and until when they are to be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.metadata.dialect import SPEC_VERSION, Dialect, Role, type_name, type_names
from ostrya.uptane.metadata.fields import MAX_VERSION, Fields, format_time

if TYPE_CHECKING:
    from datetime import datetime

    from ostrya.uptane.metadata.json_text import Object

_SPEC_MAJOR = SPEC_VERSION.partition(".")[0]


class Header(NamedTuple):
    """The part that is the same in all roles.

    Attributes:
        version: Grows with each change, from 1.
        expires: When it stops being believed.
        spec_version: Of the TUF specification; empty in the other dialect.
        kind: What ``_type`` says; empty for what it says usually.
    """

    version: int
    expires: datetime
    spec_version: str = ""
    kind: str = ""

    def to_json(self, dialect: Dialect, role: Role) -> Object:
        """Return its fields."""
        value: Object = {
            "_type": self.kind or type_name(dialect, role),
            "version": self.version,
            "expires": format_time(self.expires),
        }
        if dialect is Dialect.TUF:
            value["spec_version"] = self.spec_version or SPEC_VERSION
        return value


def read_header(fields: Fields, dialect: Dialect, role: Role) -> Header:
    """Read what all roles say.

    Raises:
        MetadataInvalid: It is of another role, or of a specification that is not known.
    """
    kind = fields.text("_type")
    expected = type_names(dialect, role)
    if kind not in expected:
        raise fields.wrong("_type", f"{kind[:40]!r}, not {expected[0]!r}")
    version = fields.integer("version", 1, MAX_VERSION)
    expires = fields.time("expires")
    spec_version = ""
    if dialect is Dialect.TUF:
        spec_version = fields.text("spec_version")
        if spec_version.partition(".")[0] != _SPEC_MAJOR:
            raise fields.wrong("spec_version", f"{spec_version[:40]!r}, not {_SPEC_MAJOR}.x")
    return Header(version, expires, spec_version, kind)
