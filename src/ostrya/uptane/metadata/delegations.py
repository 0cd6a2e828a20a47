# SPDX-License-Identifier: Apache-2.0
"""Roles that a Targets role trusts with some of its images.

::

    "delegations": {
      "keys": {KEYID: key},
      "roles": [{"name", "keyids", "threshold", "paths": [PATTERN], "terminating"}],   in order
      "succinct_roles": {"keyids", "threshold", "bit_length", "name_prefix"}    TUF, instead
    }

A role may be limited to kinds of hardware (``hardwareIds``). A role of several (TAP 3) has
``roles`` in place of ``name``, and ``min_roles_in_agreement``: so many of them have to say the
same.

Source: Uptane Standard 2.1.0, section 5.2.3.2; TUF specification 1.0, section 4.5; TAP 3; TAP 15.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.errors import MetadataInvalid
from ostrya.uptane.metadata.dialect import Dialect, Role
from ostrya.uptane.metadata.fields import Fields
from ostrya.uptane.metadata.keys import Key, read_keys, write_keys
from ostrya.uptane.metadata.paths import check_pattern, has_prefix, matches, name_digest
from ostrya.uptane.metadata.signed import MAX_THRESHOLD, RoleKeys, read_role_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostrya.uptane.metadata.json_text import Json, Object

MAX_DELEGATIONS = 1000
_MAX_PATHS = 10_000
_MAX_BITS = 32
_MAX_ROLE_NAME = 200
_BAD_NAME = re.compile(r"[\x00-\x1f\x7f/\\]")
_RESERVED = {role.value for role in Role}


class DelegatedRole(NamedTuple):
    """One role, or several that have to agree, and what it is trusted with.

    Attributes:
        members: Roles by name, with whose signatures count; one of them usually.
        paths: Patterns of names of images; None where hash prefixes are given.
        prefixes: Beginnings of digests of names; None where patterns are given.
        terminating: Whether nobody else is asked for an image that it is trusted with.
        agreement: How many members have to say the same; 0 for a role by itself.
        hardware_ids: Kinds of ECUs that it is for; None for all.
        extra: Fields that are not known.
    """

    members: tuple[tuple[str, RoleKeys], ...]
    paths: tuple[str, ...] | None
    prefixes: tuple[str, ...] | None = None
    terminating: bool = False
    agreement: int = 0
    hardware_ids: tuple[str, ...] | None = None
    extra: Mapping[str, Json] = {}

    @property
    def name(self) -> str:
        """Its name; of several, their names together."""
        return "+".join(name for name, _ in self.members)

    def covers(self, dialect: Dialect, image: str, hardware_ids: frozenset[str]) -> bool:
        """Say whether it is trusted with an image for ECUs of some kinds."""
        if self.hardware_ids is not None and not hardware_ids <= set(self.hardware_ids):
            return False
        if self.paths is not None:
            return any(matches(dialect, one, image) for one in self.paths)
        return self.prefixes is not None and has_prefix(self.prefixes, image)

    def to_json(self) -> Object:
        """Return it as metadata has it."""
        value: Object = dict(self.extra)
        if self.paths is not None:
            value["paths"] = list(self.paths)
        if self.prefixes is not None:
            value["path_hash_prefixes"] = list(self.prefixes)
        if self.hardware_ids is not None:
            value["hardwareIds"] = list(self.hardware_ids)
        value["terminating"] = self.terminating
        if self.agreement:
            value["min_roles_in_agreement"] = self.agreement
            value["roles"] = [{"name": name, **keys.to_json()} for name, keys in self.members]
            return value
        ((name, keys),) = self.members
        return {"name": name, **keys.to_json(), **value}


class SuccinctRoles(NamedTuple):
    """Many roles of one pair of rules, one for each beginning of digests of names.

    Attributes:
        keys: Whose signatures count, for each of them.
        bit_length: How many bits of a digest tell them apart.
        name_prefix: What their names begin with.
    """

    keys: RoleKeys
    bit_length: int
    name_prefix: str

    def role_for(self, image: str) -> DelegatedRole:
        """Return the role that is trusted with an image."""
        bits = int(name_digest(image)[:8], 16) >> (32 - self.bit_length)
        digits = ((1 << self.bit_length) - 1).bit_length() + 3 >> 2
        return DelegatedRole(((f"{self.name_prefix}-{bits:0{digits}x}", self.keys),), ("*",))

    def to_json(self) -> Object:
        """Return it as metadata has it."""
        return {
            **self.keys.to_json(),
            "bit_length": self.bit_length,
            "name_prefix": self.name_prefix,
        }


class Delegations(NamedTuple):
    """Whom a Targets role trusts, in order.

    Attributes:
        keys: By their ids.
        roles: Who comes first is asked first.
        succinct: Many roles in their place; None for none.
        extra: Fields that are not known.
    """

    keys: Mapping[str, Key]
    roles: tuple[DelegatedRole, ...] = ()
    succinct: SuccinctRoles | None = None
    extra: Mapping[str, Json] = {}

    def roles_for(
        self, dialect: Dialect, image: str, hardware_ids: frozenset[str]
    ) -> tuple[DelegatedRole, ...]:
        """Return the roles that are trusted with an image, in order."""
        if self.succinct is not None:
            return (self.succinct.role_for(image),)
        return tuple(one for one in self.roles if one.covers(dialect, image, hardware_ids))

    def to_json(self) -> Object:
        """Return it as metadata has it."""
        value: Object = {**self.extra, "keys": write_keys(self.keys)}
        if self.succinct is not None:
            value["succinct_roles"] = self.succinct.to_json()
        else:
            value["roles"] = [one.to_json() for one in self.roles]
        return value


def read_delegations(value: Json, dialect: Dialect, what: str) -> Delegations:
    """Read the delegations of a Targets role.

    Raises:
        MetadataInvalid: They cannot be understood in one way.
    """
    fields = Fields(value, f"'delegations' of {what}")
    keys = read_keys(fields.mapping("keys"), fields.where)
    if dialect is Dialect.TUF and fields.has("succinct_roles"):
        if fields.has("roles"):
            raise fields.wrong("succinct_roles", "beside 'roles'")
        succinct = _read_succinct(Fields(fields.mapping("succinct_roles"), fields.where))
        return Delegations(keys, (), succinct, fields.rest())
    listed = fields.array("roles", MAX_DELEGATIONS)
    roles = tuple(_read_role(one, fields.where) for one in listed)
    names = [role.name for role in roles]
    if len(set(names)) != len(names):
        raise fields.wrong("roles", "a list that names a role twice")
    return Delegations(keys, roles, None, fields.rest())


def check_role_name(name: str, what: str) -> None:
    """Refuse names of roles that would be other files.

    Raises:
        MetadataInvalid: It is one.
    """
    bad = not 0 < len(name) <= _MAX_ROLE_NAME or bool(_BAD_NAME.search(name))
    if bad or name in _RESERVED or name.startswith("."):
        raise MetadataInvalid(f"{what} has a role of the name {name[:80]!r}, which none may have")


def _read_role(value: Json, where: str) -> DelegatedRole:
    fields = Fields(value, f"a role of {where}")
    agreement = 0
    if fields.has("roles"):
        listed = fields.array("roles", MAX_DELEGATIONS)
        members = tuple(_read_member(Fields(one, fields.where)) for one in listed)
        if len(dict(members)) != len(members):
            raise fields.wrong("roles", "a list that names a role twice")
        agreement = fields.integer("min_roles_in_agreement", 1, max(1, len(members)))
    else:
        name = _take_name(fields)
        members = ((name, RoleKeys(fields.texts("keyids", MAX_THRESHOLD), _threshold(fields))),)
    paths = fields.texts("paths", _MAX_PATHS) if fields.has("paths") else None
    prefixes = None
    if fields.has("path_hash_prefixes"):
        prefixes = fields.texts("path_hash_prefixes", _MAX_PATHS)
    if (paths is None) == (prefixes is None):
        raise MetadataInvalid(f"{fields.where} has not one of 'paths' and 'path_hash_prefixes'")
    for pattern in paths or ():
        check_pattern(pattern, fields.where)
    terminating = fields.boolean("terminating") if fields.has("terminating") else False
    hardware = fields.texts("hardwareIds", MAX_THRESHOLD) if fields.has("hardwareIds") else None
    return DelegatedRole(members, paths, prefixes, terminating, agreement, hardware, fields.rest())


def _read_member(fields: Fields) -> tuple[str, RoleKeys]:
    name = _take_name(fields)
    return name, read_role_keys(fields)


def _take_name(fields: Fields) -> str:
    name = fields.text("name")
    check_role_name(name, fields.where)
    return name


def _threshold(fields: Fields) -> int:
    return fields.integer("threshold", 1, MAX_THRESHOLD)


def _read_succinct(fields: Fields) -> SuccinctRoles:
    bits = fields.integer("bit_length", 1, _MAX_BITS)
    prefix = fields.text("name_prefix")
    check_role_name(prefix, fields.where)
    return SuccinctRoles(read_role_keys(fields), bits, prefix)
