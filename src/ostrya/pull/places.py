# SPDX-License-Identifier: Apache-2.0
"""Where the files of a remote are: its addresses, or those of its mirrors. Pure."""

from __future__ import annotations

from typing import Protocol

from ostrya.named_tuple import NamedTuple
from ostrya.pull.errors import RemoteRefusal

_SCHEMES = ("http://", "https://", "file://")


class Places(Protocol):
    """Where objects are had from."""

    def metadata_urls(self, path: str) -> tuple[str, ...]:
        """Return the addresses of a file besides content, in the order to try."""

    def content_urls(self, path: str) -> tuple[str, ...]:
        """Return the addresses of a content object, in the order to try."""


class RemotePlaces(NamedTuple):
    """Addresses of a remote's repository, each with its mirrors in the order to try.

    Attributes:
        metadata: Of everything but content.
        content: Of content.
    """

    metadata: tuple[str, ...]
    content: tuple[str, ...]

    def metadata_urls(self, path: str) -> tuple[str, ...]:
        """Return the addresses of a file besides content, in the order to try."""
        return tuple(f"{base}/{path}" for base in self.metadata)

    def content_urls(self, path: str) -> tuple[str, ...]:
        """Return the addresses of a content object, in the order to try."""
        return tuple(f"{base}/{path}" for base in self.content)


def base_address(url: str) -> str:
    """Return an address that paths can be appended to.

    Raises:
        RemoteRefusal: It is none that can be fetched from.
    """
    if not url.lower().startswith(_SCHEMES):
        raise RemoteRefusal(f"Invalid URI scheme in {url}; expected http, https or file")
    scheme, _, rest = url.partition("://")
    return f"{scheme.lower()}://{rest.rstrip('/')}"
