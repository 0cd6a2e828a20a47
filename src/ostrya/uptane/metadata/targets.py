# SPDX-License-Identifier: Apache-2.0
"""Targets: images, and who else may speak of them.

::

    "targets": {NAME: {"length", "hashes": {"sha256": …}, "custom": {…}}}
    "delegations": see `ostrya.uptane.metadata.delegations`; none at a Director
    "custom": of a Director: {"correlationId", "vehicleId"}

Source: Uptane Standard 2.1.0, section 5.2.3; TUF specification 1.0, section 4.5; aktualizr's
Target.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.metadata.delegations import Delegations, read_delegations
from ostrya.uptane.metadata.dialect import Dialect, Role
from ostrya.uptane.metadata.fields import Fields
from ostrya.uptane.metadata.hashes import read_hashes, require_known_hash
from ostrya.uptane.metadata.header import Header, read_header
from ostrya.uptane.metadata.paths import check_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostrya.uptane.metadata.json_text import Json, Object


class Image(NamedTuple):
    """What a Targets role says of one image.

    Attributes:
        length: How many bytes; 0 for an OSTree commit.
        hashes: Its digests, hexadecimal, by algorithm; of a commit, its checksum.
        custom: What else is said of it; None for nothing.
        extra: Fields that are not known.
    """

    length: int
    hashes: Mapping[str, str]
    custom: Mapping[str, Json] | None = None
    extra: Mapping[str, Json] = {}

    def to_json(self) -> Object:
        """Return it as metadata has it."""
        value: Object = {**self.extra, "length": self.length, "hashes": dict(self.hashes)}
        if self.custom is not None:
            value["custom"] = dict(self.custom)
        return value


class Targets(NamedTuple):
    """Targets of a repository, or of a role that it trusts.

    Attributes:
        header: What all roles say.
        images: By their names.
        delegations: Who else may speak of images; None for nobody.
        custom: What is said of all together; None for nothing.
        extra: Fields that are not known.
    """

    header: Header
    images: Mapping[str, Image]
    delegations: Delegations | None = None
    custom: Mapping[str, Json] | None = None
    extra: Mapping[str, Json] = {}

    def to_json(self, dialect: Dialect) -> Object:
        """Return what is signed."""
        value: Object = {
            **self.extra,
            **self.header.to_json(dialect, Role.TARGETS),
            "targets": {name: one.to_json() for name, one in self.images.items()},
        }
        if self.delegations is not None:
            value["delegations"] = self.delegations.to_json()
        if self.custom is not None:
            value["custom"] = dict(self.custom)
        return value


def read_targets(value: Json, dialect: Dialect, what: str = "targets") -> Targets:
    """Read what is signed.

    Raises:
        MetadataInvalid: It is no Targets.
    """
    fields = Fields(value, what)
    header = read_header(fields, dialect, Role.TARGETS)
    images = {name: _read_image(name, one, what) for name, one in fields.mapping("targets").items()}
    delegations = None
    if fields.has("delegations"):
        found = fields.take("delegations")
        # Servers of aktualizr's kind write null for none.
        if found is not None:
            delegations = read_delegations(found, dialect, what)
    custom = fields.mapping("custom") if fields.has("custom") else None
    return Targets(header, images, delegations, custom, fields.rest())


def _read_image(name: str, value: Json, what: str) -> Image:
    check_name(name, what)
    fields = Fields(value, f"{name[:80]} in {what}")
    length = fields.integer("length")
    hashes = read_hashes(fields, "hashes")
    require_known_hash(hashes, fields.where)
    custom: Object | None = None
    if fields.has("custom"):
        found = fields.take("custom")
        if found is not None and not isinstance(found, dict):
            raise fields.wrong("custom", "no object")
        custom = found
    return Image(length, hashes, custom, fields.rest())
