# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import stat
import zipfile

import pytest

from ostrya.pull.treehub_credentials import BasicAuth
from ostrya.pull.treehub_credentials import read_credentials as read_treehub
from ostrya.uptane.author import credentials
from ostrya.uptane.author.credentials import Credentials, read_credentials, write_credentials
from ostrya.uptane.errors import AuthoringError, MetadataInvalid
from ostrya.uptane.metadata.dialect import Dialect
from support.uptane_world import key, rsa_key


@pytest.mark.parametrize("secret", [key(1), rsa_key()], ids=["ed25519", "rsa"])
def test_written_and_read(tmp_path, secret):
    path = tmp_path / "credentials.zip"
    members = {
        credentials.REPOSITORY_URL: b"https://server/repo\n", "unknown": b"kept",
        credentials.TREEHUB: b'{"basic_auth": {"user": "u", "password": "p"}}',
    }  # fmt: skip
    write_credentials(str(path), Credentials(members).with_targets_key(secret))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = read_credentials(str(path))
    assert found.members["unknown"] == b"kept"
    assert found.url(credentials.REPOSITORY_URL) == "https://server/repo"
    assert found.url(credentials.GATEWAY_URL) == ""
    assert found.targets_key().key == secret.key
    # What pushes to a treehub reads it too.
    assert read_treehub(str(path)) == BasicAuth("u", "p")
    first = path.read_bytes()
    write_credentials(str(path), found)
    assert path.read_bytes() == first


def test_without_a_key():
    assert Credentials({}).targets_key() is None
    assert Credentials({}).root_dialect() is Dialect.UPTANE
    assert Credentials({credentials.ROOT: b'{"spec_version":"1"}'}).root_dialect() is Dialect.TUF
    with pytest.raises(MetadataInvalid):
        Credentials({credentials.TARGETS_SECRET: b"{}"}).targets_key()


def test_none_at_all(tmp_path):
    path = tmp_path / "x.zip"
    path.write_bytes(b"PK")
    with pytest.raises(AuthoringError, match=r"is no credentials\.zip"):
        read_credentials(str(path))


def test_a_bomb(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"0" * (8 * 1024 * 1024))
    with pytest.raises(AuthoringError, match="larger than credentials are"):
        read_credentials(str(path))
