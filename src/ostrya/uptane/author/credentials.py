# SPDX-License-Identifier: Apache-2.0
"""``credentials.zip``: what a device or a tool needs to know of a server, in one file.

::

    autoprov.url              the gateway that devices speak to
    autoprov_credentials.p12  who a device is until it has a certificate of its own
    treehub.json              the treehub, and who may push to it
    tufrepo.url               the server of the Image repository
    root.json                 its root
    targets.pub, targets.sec  a key of Targets
    client_auth.p12           who a tool is for the server
    api_gateway.url           the server of the Director

Source: aktualizr's and ota-tuf's tools, which write and read it; members that are not known stay.
"""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import open_dir
from ostrya.named_tuple import NamedTuple
from ostrya.uptane.author.keyring import spelled
from ostrya.uptane.errors import AuthoringError
from ostrya.uptane.metadata.canonical_json import ascii_bytes
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.json_text import parse_json
from ostrya.uptane.metadata.secret_keys import read_secret_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostrya.uptane.metadata.keys import Key
    from ostrya.uptane.metadata.secret_keys import SecretKey

GATEWAY_URL, REPOSITORY_URL, API_URL = "autoprov.url", "tufrepo.url", "api_gateway.url"
DEVICE_P12, CLIENT_P12 = "autoprov_credentials.p12", "client_auth.p12"
TREEHUB, ROOT, TARGETS_PUBLIC, TARGETS_SECRET = (
    "treehub.json", "root.json", "targets.pub", "targets.sec",
)  # fmt: skip
_MAX_MEMBERS = 64
_MAX_BYTES = 4 * 1024 * 1024


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
        return read_secret_key(parse_json(data, _MAX_BYTES, TARGETS_SECRET), TARGETS_SECRET)

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
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [one for one in archive.infolist() if not one.is_dir()]
            if len(infos) > _MAX_MEMBERS or sum(one.file_size for one in infos) > _MAX_BYTES:
                raise AuthoringError(f"{path} is larger than credentials are")
            members: dict[str, bytes] = {}
            for info in infos:
                with archive.open(info) as stream:
                    # What the directory of the archive says of sizes need not be true.
                    members[info.filename] = stream.read(info.file_size)
    except (zipfile.BadZipFile, RuntimeError, EOFError, zlib.error) as exc:
        raise AuthoringError(f"{path} is no credentials.zip: {exc}") from None
    if len(members) != len(infos):
        raise AuthoringError(f"{path} has a member twice")
    return Credentials(members)


def write_credentials(path: str, credentials: Credentials) -> None:
    """Write a ``credentials.zip``, for its owner only; the same for the same members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(credentials.members):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o600 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, credentials.members[name])
    folder, _, name = path.rpartition("/")
    dir_fd = open_dir(folder or ("/" if path.startswith("/") else "."), follow=True)
    try:
        replace_file(name, stream.getvalue(), dir_fd=dir_fd, mode=0o600)
    finally:
        os.close(dir_fd)
