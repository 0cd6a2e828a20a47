# SPDX-License-Identifier: Apache-2.0
"""The metadata that a Primary hands on: what it trusts of both repositories, roots and all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client import trust_store
from ostrya.uptane.errors import StorageError
from ostrya.uptane.steps import Repository

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostrya.uptane.client.storage import Storage


class Bundle(NamedTuple):
    """Metadata to be handed on.

    Attributes:
        director: Files of the Director by role; Targets of roles of the Image repository are
            among ``image``.
        image: Files of the Image repository by role.
        director_roots: Its roots by version, as far as they are kept.
        image_roots: Likewise.
    """

    director: Mapping[str, bytes]
    image: Mapping[str, bytes]
    director_roots: Mapping[int, bytes] = {}
    image_roots: Mapping[int, bytes] = {}

    def files(self, repository: Repository) -> Mapping[str, bytes]:
        """Return the files of a repository."""
        return self.director if repository is Repository.DIRECTOR else self.image

    def roots(self, repository: Repository) -> Mapping[int, bytes]:
        """Return the roots of a repository by version."""
        return self.director_roots if repository is Repository.DIRECTOR else self.image_roots

    def roots_after(self, repository: Repository, version: int) -> tuple[bytes, ...]:
        """Return the roots that come after one, in order.

        Raises:
            StorageError: One between was never seen here.
        """
        roots = self.roots(repository)
        newest = max(roots, default=version)
        missing = [number for number in range(version + 1, newest + 1) if number not in roots]
        if missing:
            raise StorageError(f"root {missing[0]} of the {repository.shown} is not kept")
        return tuple(roots[number] for number in range(version + 1, newest + 1))


def load_bundle(storage: Storage) -> Bundle:
    """Return what is trusted, to be handed on."""
    director, image = (trust_store.load_files(storage, one) for one in Repository)
    director_roots, image_roots = (trust_store.load_roots(storage, one) for one in Repository)
    return Bundle(director, image, director_roots, image_roots)
