# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest

from ostrya.uptane.client.errors import MessageInvalid
from ostrya.uptane.client.secondaries.zip_credentials import pack_credentials, unpack_credentials
from ostrya.uptane.client.server import Treehub


def test_what_is_lent_is_there_for_nobody_else(tmp_path):
    for name in ("ca", "cert", "key"):
        (tmp_path / name).write_text(f"the {name}")
    treehub = Treehub("https://hub", *(str(tmp_path / name) for name in ("ca", "cert", "key")))
    data = pack_credentials(treehub)
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert sorted(file.namelist()) == ["ca.pem", "client.pem", "pkey.pem", "server.url"]
    folder = tmp_path / "lent"
    found = unpack_credentials(data, str(folder))
    assert found.url == "https://hub"
    assert [Path(path).read_text() for path in (found.ca_path, found.cert_path, found.key_path)] == [
        "the ca", "the cert", "the key",
    ]  # fmt: skip
    assert os.stat(folder).st_mode & 0o777 == 0o700
    assert os.stat(found.key_path).st_mode & 0o777 == 0o600


def test_an_address_alone(tmp_path):
    data = pack_credentials(Treehub("file:///x", "", "", ""))
    assert unpack_credentials(data, str(tmp_path / "l")) == Treehub("file:///x", "", "", "")


def zipped(**members):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name.replace("_", "."), data)
    return target.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no zip"),
        (b"PK\x05\x06" + b"\xff" * 18, "zip"),
        (zipped(ca_pem=b""), "lack something"),
        (zipped(ca_pem=b"x" * 100_000, client_pem=b"", pkey_pem=b"", server_url=b""), "too large"),
        (zipped(**{f"m{at}": b"" for at in range(20)}), "more members"),
    ],
    # Archives say when they were made; all processes have to know the tests by the same names.
    ids=["empty", "cut-off", "one", "large", "many"],
)
def test_what_is_none(tmp_path, data, words):
    with pytest.raises(MessageInvalid, match=words):
        unpack_credentials(data, str(tmp_path / "l"))
    assert not (tmp_path / "l").exists()
