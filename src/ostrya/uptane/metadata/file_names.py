# SPDX-License-Identifier: Apache-2.0
"""What files of metadata and images are called in a repository.

::

             plain (aktualizr)        by versions (the Standard; TUF's consistent snapshots)
    Root     4.root.json              4.root.json
    Targets  targets.json             2.targets.json
    a role   delegations/NAME.json    2.NAME.json (Uptane: delegations/2.NAME.json)
    image    targets/NAME             targets/DIGEST.NAME

Source: Uptane Standard 2.1.0, section 5.2.7; TUF specification 1.0, section 6.2; aktualizr's
fetchers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from ostrya.uptane.metadata.dialect import Dialect, Role
from ostrya.uptane.metadata.hashes import KNOWN

if TYPE_CHECKING:
    from ostrya.uptane.metadata.root import Root
    from ostrya.uptane.metadata.targets import Image

TIMESTAMP_FILE = "timestamp.json"


def root_file(version: int) -> str:
    """Return the name of the file of a Root."""
    return f"{version}.root.json"


def meta_name(role: str) -> str:
    """Return what a Snapshot calls the file of a role."""
    return f"{role}.json"


def role_file(dialect: Dialect, root: Root, role: str, version: int) -> str:
    """Return the name of the file of a Snapshot, of Targets or of a role that they trust."""
    known = role in {one.value for one in Role}
    name = role if known else quote(role, safe="")
    folder = "delegations/" if not known and dialect is Dialect.UPTANE else ""
    return f"{folder}{version}.{name}.json" if root.consistent_snapshot else f"{folder}{name}.json"


def image_file(root: Root, name: str, image: Image) -> str:
    """Return the name of the file of an image, below the folder of images."""
    return image_files(root, name, image)[0]


def image_files(root: Root, name: str, image: Image) -> tuple[str, ...]:
    """Return all names that the file of an image has: one for each digest."""
    if not root.consistent_snapshot:
        return (name,)
    folder, slash, last = name.rpartition("/")
    digests = [image.hashes[one] for one in KNOWN if one in image.hashes]
    return tuple(f"{folder}{slash}{digest}.{last}" for digest in digests)
