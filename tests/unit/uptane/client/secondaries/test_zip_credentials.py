# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gzip
import io
import os
import tarfile
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


def zipped(how=zipfile.ZIP_DEFLATED, **members):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", how) as file:
        for name, data in members.items():
            file.writestr(name.replace("_", "."), data)
    return target.getvalue()


def tarred(members, kind=tarfile.REGTYPE):
    target = io.BytesIO()
    # As aktualizr makes it: pax, in gzip's format, and all may do all with its members.
    with tarfile.open(fileobj=target, mode="w:gz", format=tarfile.PAX_FORMAT) as file:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.type = len(data), 0o777, kind
            info.linkname = "/etc/passwd" if kind == tarfile.SYMTYPE else ""
            file.addfile(info, io.BytesIO(data))
    return target.getvalue()


LENT = {
    "ca.pem": b"the ca", "client.pem": b"the cert", "pkey.pem": b"the key",
    "server.url": b"https://hub",
}  # fmt: skip


def test_the_archive_that_aktualizr_sends(tmp_path):
    found = unpack_credentials(tarred(LENT), str(tmp_path / "lent"))
    assert found.url == "https://hub"
    assert [Path(path).read_text() for path in (found.ca_path, found.cert_path, found.key_path)] == [
        "the ca", "the cert", "the key",
    ]  # fmt: skip
    assert os.stat(found.key_path).st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (tarred(LENT)[:-9], "no archive"),
        (tarred({"ca.pem": b""}), "lack something"),
        (tarred(LENT, tarfile.SYMTYPE), "lack something"),
        (tarred({**LENT, "pkey.pem": b"x" * 100_000}), "pkey.pem of the credentials is too large"),
        (tarred({**LENT, "more": bytes(10_000_000)}), "too large"),
        (b"\x1f\x8b" + bytes(20), "no archive"),
        (gzip.compress(bytes(512)), "lack something"),
        (gzip.compress(b"a header" * 64), "no archive"),
        (gzip.compress(tarfile.TarInfo("././@PaxHeader").tobuf() + b"1" * 1_000_000), "no archive"),
    ],
    ids=["cut-off", "one", "link", "large", "huge", "noise", "empty", "text", "pax"],
)
def test_tar_archives_that_are_none(tmp_path, data, words):
    with pytest.raises(MessageInvalid, match=words):
        unpack_credentials(data, str(tmp_path / "l"))
    assert not (tmp_path / "l").exists()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no archive"),
        (b"PK\x05\x06" + b"\xff" * 18, "no archive"),
        (zipped(ca_pem=b""), "lack something"),
        (zipped(ca_pem=b"x" * 100_000, client_pem=b"", pkey_pem=b"", server_url=b""), "too large"),
        (zipped(**{f"m{at}": b"" for at in range(20)}), "more members"),
        (
            zipped(zipfile.ZIP_BZIP2, ca_pem=b"", client_pem=b"", pkey_pem=b"", server_url=b""),
            "no archive",
        ),
    ],
    # Archives say when they were made; all processes have to know the tests by the same names.
    ids=["empty", "cut-off", "one", "large", "many", "bzip2"],
)
def test_what_is_none(tmp_path, data, words):
    with pytest.raises(MessageInvalid, match=words):
        unpack_credentials(data, str(tmp_path / "l"))
    assert not (tmp_path / "l").exists()
