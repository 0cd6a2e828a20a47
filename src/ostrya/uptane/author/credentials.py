# SPDX-License-Identifier: Apache-2.0
"""``credentials.zip``, as who keeps a repository uses it: addresses, and the key of Targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.author.keyring import spelled
from ostrya.uptane.credentials_zip import (
    API_URL,
    CLIENT_P12,
    DEVICE_P12,
    GATEWAY_URL,
    MAX_BYTES,
    REPOSITORY_URL,
    ROOT,
    TARGETS_PUBLIC,
    TARGETS_SECRET,
    TREEHUB,
    read_members,
    write_members,
)
from ostrya.uptane.metadata.canonical_json import ascii_bytes
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.json_text import parse_json
from ostrya.uptane.metadata.secret_keys import read_secret_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostrya.uptane.metadata.keys import Key
    from ostrya.uptane.metadata.secret_keys import SecretKey

__all__ = (
    "API_URL", "CLIENT_P12", "DEVICE_P12", "GATEWAY_URL", "REPOSITORY_URL", "ROOT",
    "TARGETS_PUBLIC", "TARGETS_SECRET", "TREEHUB", "Credentials", "read_credentials",
    "write_credentials",
)  # fmt: skip


class Credentials(NamedTuple):
    """The members of a ``credentials.zip``.

    Attributes:
        members: Contents by name.
    """

    members: Mapping[str, bytes]

    def url(self, name: str) -> str:
        """Return an address; empty where there is none."""
        return self.members.get(name, b"").decode("utf-8", "replace").strip()

    def targets_key(self) -> SecretKey | None:
        """Return the key of Targets; None where there is none.

        Raises:
            MetadataInvalid: What is there is none.
        """
        data = self.members.get(TARGETS_SECRET)
        if data is None:
            return None
        return read_secret_key(parse_json(data, MAX_BYTES, TARGETS_SECRET), TARGETS_SECRET)

    def with_targets_key(self, secret: SecretKey) -> Credentials:
        """Return them with a key of Targets."""
        key: Key = secret.key
        public = spelled(key, Dialect.UPTANE).to_json()
        return Credentials(
            {
                **self.members,
                TARGETS_PUBLIC: ascii_bytes(public),
                TARGETS_SECRET: ascii_bytes(secret.to_json()),
            }
        )

    def root_dialect(self) -> Dialect:
        """Return the dialect of the root; that of Uptane where there is none."""
        return Dialect.TUF if b"spec_version" in self.members.get(ROOT, b"") else Dialect.UPTANE


def read_credentials(path: str) -> Credentials:
    """Read a ``credentials.zip``.

    Raises:
        AuthoringError: It is none, or larger than any.
        OSError: It cannot be read.
    """
    return Credentials(read_members(path))


def write_credentials(path: str, credentials: Credentials) -> None:
    """Write a ``credentials.zip``, for its owner only; the same for the same members."""
    write_members(path, credentials.members)
