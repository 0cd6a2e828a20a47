# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import stat

from ostrya.uptane.client.tls_files import (
    CA,
    CERT,
    KEY,
    PIN,
    TlsFiles,
    remove_tls_files,
    tls_facts,
    write_tls_files,
)

ALL = {CA: b"ca", CERT: b"cert", KEY: b"key"}


def test_files_are_for_nobody_else(tmp_path):
    folder = tmp_path / "sota/tls"
    previous = os.umask(0)
    try:
        found = write_tls_files({**ALL, PIN: b"1234"}, str(folder))
    finally:
        os.umask(previous)
    assert found == TlsFiles(*(f"{folder}/{one}.pem" for one in ("ca", "cert", "key")))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()} == {0o600}
    assert (folder / "key.pem").read_bytes() == b"key"


def test_written_again_only_where_they_differ(tmp_path):
    write_tls_files(ALL, str(tmp_path))
    before = {one.name: one.stat().st_ino for one in tmp_path.iterdir()}
    write_tls_files({**ALL, CERT: b"another"}, str(tmp_path))
    after = {one.name: one.stat().st_ino for one in tmp_path.iterdir()}
    assert {name for name in after if after[name] != before[name]} == {"cert.pem"}
    # And where others could read one.
    (tmp_path / "key.pem").chmod(0o644)
    write_tls_files(ALL, str(tmp_path))
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600


def test_a_link_is_not_followed(tmp_path):
    folder = tmp_path / "tls"
    folder.mkdir()
    (tmp_path / "other").write_bytes(b"key")
    (folder / "key.pem").symlink_to(tmp_path / "other")
    write_tls_files(ALL, str(folder))
    assert not (folder / "key.pem").is_symlink()
    assert (tmp_path / "other").read_bytes() == b"key"


def test_what_is_missing_has_no_path(tmp_path):
    assert write_tls_files({CA: b"ca"}, str(tmp_path)) == TlsFiles(f"{tmp_path}/ca.pem")


def test_taken_away(tmp_path):
    write_tls_files(ALL, str(tmp_path))
    remove_tls_files(str(tmp_path))
    remove_tls_files(str(tmp_path / "none"))
    assert list(tmp_path.iterdir()) == []


def test_facts(storage):
    storage.set_facts({CERT: b"cert", "more": b"x"})
    assert tls_facts(storage) == {CERT: b"cert"}
