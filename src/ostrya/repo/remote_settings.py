# SPDX-License-Identifier: Apache-2.0
"""The settings of one remote: its group in the repository, and those in parent repositories.

Source: ``ostree.repo-config(5)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import RepoError
from ostrya.formats.keyfile import KeyFile
from ostrya.repo.remote_files import find_in_chain, remote_group
from ostrya.sign.policy import parse_demand

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from ostrya.repo.repository import Repository

_FILE = "file://"
# Whose signatures count, with the keys that VERIFICATION begins.
_TRUST = frozenset({"gpg-verify", "sign-verify"})
_VERIFICATION = "verification-"


class RemoteSettings:
    """Settings of a remote; a ``file://`` address is a remote that has none.

    Attributes:
        name: The remote's, or the address itself.
        keyring: The remote whose OpenPGP keyring counts.
    """

    __slots__ = ("_keyfiles", "keyring", "name")

    def __init__(self, repo: Repository, name: str) -> None:
        """Find a remote.

        Raises:
            RepoError: There is none of that name.
        """
        self.name = name
        self.keyring = name
        self._keyfiles: list[KeyFile] = []
        if self.is_address:
            return
        self._keyfiles += [found.keyfile for found in find_in_chain(repo, name)]
        if not self._keyfiles:
            raise RepoError(f'Remote "{name}" not found')

    @classmethod
    def described(cls, name: str, values: Mapping[str, str]) -> Self:
        """Return the settings of a remote that no file has: it is used once, or changes each time.

        Args:
            name: What it is called; its refs are those of a remote of that name.
            values: Its settings, as in a file.
        """
        keyfile = KeyFile()
        for key, value in values.items():
            keyfile.set_string(remote_group(name), key, value)
        made = object.__new__(cls)
        made.name = made.keyring = name
        made._keyfiles = [keyfile]  # our own class
        return made

    def elsewhere(self, name: str, url: str) -> Self:
        """Return the settings of a copy of this remote: another address, but the same keys.

        The copy's summary needs no signature, since whoever copied refs had to write a new one.
        """
        keyfile = KeyFile()
        group = remote_group(name)
        keyfile.set_string(group, "url", url)
        for found in reversed(self._keyfiles):
            for key in found.keys(self._group):
                if key in _TRUST or key.startswith(_VERIFICATION):
                    keyfile.set_value(group, key, found.get_value(self._group, key))
        copy = object.__new__(type(self))
        copy.name = name
        copy.keyring = self.keyring
        copy._keyfiles = [keyfile]  # our own class
        return copy

    @property
    def is_address(self) -> bool:
        """Whether this is an address instead of the name of a remote."""
        return self.name.startswith(_FILE)

    @property
    def _group(self) -> str:
        return remote_group(self.name)

    def _holder(self, key: str) -> KeyFile | None:
        """Return the nearest configuration that says something about a key."""
        group = self._group
        return next((found for found in self._keyfiles if found.has_key(group, key)), None)

    def text(self, key: str) -> str | None:
        """Return a setting, None if there is none."""
        found = self._holder(key)
        return None if found is None else found.get_string(self._group, key)

    def boolean(self, key: str, *, default: bool) -> bool:
        """Return a truth value.

        Raises:
            KeyFileError: It is none.
        """
        found = self._holder(key)
        return default if found is None else found.get_boolean(self._group, key)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list, an empty one if there is none."""
        found = self._holder(key)
        return () if found is None else found.get_string_list(self._group, key)

    @property
    def url(self) -> str:
        """The address that metadata comes from.

        Raises:
            RepoError: There is none.
        """
        if self.is_address:
            return self.name
        url = self.text("url")
        if url is None:
            raise RepoError(f'No "url" option in remote "{self.name}"')
        return url

    @property
    def gpg_verify(self) -> bool:
        """Whether commits need an OpenPGP signature."""
        return not self.is_address and self.boolean("gpg-verify", default=True)

    @property
    def signed_by_keys_alone(self) -> bool:
        """Whether commits need a signature by a plain key, and expressly none by OpenPGP."""
        demand = parse_demand(self.text("sign-verify"))
        return bool(demand.engines) and not self.gpg_verify

    @property
    def gpg_verify_summary(self) -> bool:
        """Whether the summary needs an OpenPGP signature."""
        return not self.is_address and self.boolean("gpg-verify-summary", default=False)
