# SPDX-License-Identifier: Apache-2.0
"""Root: whose keys may sign what.

::

    "keys": {KEYID: key}
    "roles": {"root": {"keyids": [KEYID], "threshold": 1}, "timestamp", "snapshot", "targets"}
    "consistent_snapshot": whether names of files begin with their versions

A Director that offers updates without a network has the roles ``offline-updates`` and
``offline-snapshot`` too. Other roles are kept.

Source: Uptane Standard 2.1.0, section 5.2.2; TUF specification 1.0, section 4.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.errors import MetadataInvalid
from ostrya.uptane.metadata.dialect import Dialect, Role
from ostrya.uptane.metadata.fields import Fields
from ostrya.uptane.metadata.header import Header, read_header
from ostrya.uptane.metadata.keys import Key, read_keys, write_keys
from ostrya.uptane.metadata.signed import RoleKeys, read_role_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostrya.uptane.metadata.json_text import Json, Object

_MAX_ROLES = 100


class Root(NamedTuple):
    """A repository's Root.

    Attributes:
        header: What all roles say.
        keys: By their ids.
        roles: By their names.
        consistent_snapshot: Whether names of files begin with their versions.
        extra: Fields that are not known.
    """

    header: Header
    keys: Mapping[str, Key]
    roles: Mapping[str, RoleKeys]
    consistent_snapshot: bool = False
    extra: Mapping[str, Json] = {}

    def to_json(self, dialect: Dialect) -> Object:
        """Return what is signed."""
        return {
            **self.extra,
            **self.header.to_json(dialect, Role.ROOT),
            "consistent_snapshot": self.consistent_snapshot,
            "keys": write_keys(self.keys),
            "roles": {name: role.to_json() for name, role in self.roles.items()},
        }

    def role(self, name: str) -> RoleKeys:
        """Return whose signatures count for a role.

        Raises:
            MetadataInvalid: There is no such role.
        """
        found = self.roles.get(name)
        if found is None:
            raise MetadataInvalid(f"the root knows no role {name}")
        return found

    def keys_of(self, name: str) -> dict[str, Key]:
        """Return the keys of a role, by their ids; ids without a key are left out."""
        found = self.roles.get(name)
        ids = found.key_ids if found is not None else ()
        return {key_id: self.keys[key_id] for key_id in ids if key_id in self.keys}


def read_root(value: Json, dialect: Dialect, what: str = "root") -> Root:
    """Read what is signed.

    Raises:
        MetadataInvalid: It is no Root.
    """
    fields = Fields(value, what)
    header = read_header(fields, dialect, Role.ROOT)
    keys = read_keys(fields.mapping("keys"), what)
    listed = fields.mapping("roles")
    if len(listed) > _MAX_ROLES:
        raise fields.wrong("roles", f"a list of more than {_MAX_ROLES}")
    roles = {
        name: read_role_keys(Fields(one, f"the role {name[:40]} of {what}"))
        for name, one in listed.items()
    }
    for role in Role:
        if role.value not in roles:
            raise MetadataInvalid(f"{what} knows no role {role.value}")
    consistent = (
        fields.boolean("consistent_snapshot") if fields.has("consistent_snapshot") else False
    )
    return Root(header, keys, roles, consistent, fields.rest())
