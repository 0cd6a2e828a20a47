# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.errors import CommandFailed
from ostrya.uptane.client.device_data import packages as module
from ostrya.uptane.client.device_data.packages import (
    installed_packages,
    parse_list,
    parse_status,
)

STATUS = b"""\
Package: libc6
Status: install ok installed
Version: 2.36-9
Description: words
 Version: not this

Package: gone
Status: deinstall ok config-files
Version: 1

Package: bash
Version: 5.2
Status: hold ok installed
"""


def test_dpkg_and_opkg():
    assert list(parse_status(STATUS)) == [("libc6", "2.36-9"), ("bash", "5.2")]
    assert list(parse_status(b"")) == []
    assert list(parse_status(b"\xff: \n\nPackage:\nVersion: 1\n")) == []


def test_lists():
    data = b"# a comment here\nbase-files 1.0 more\r\nlonely\n\n\xffx 2\n"
    assert list(parse_list(data)) == [("base-files", "1.0"), ("\ufffdx", "2")]


def test_a_list_in_a_file_counts(tmp_path):
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").write_bytes(STATUS)
    assert installed_packages(str(tmp_path / "none"), str(tmp_path)) == [
        ("bash", "5.2"), ("libc6", "2.36-9"),
    ]  # fmt: skip
    (tmp_path / "package.manifest").write_bytes(b"b 2\na 1\nb 2\n")
    assert installed_packages(str(tmp_path / "package.manifest"), str(tmp_path)) == [
        ("a", "1"), ("b", "2"),
    ]  # fmt: skip


def test_opkgs_folder(tmp_path):
    (tmp_path / "var/lib/opkg").mkdir(parents=True)
    (tmp_path / "var/lib/opkg/status").write_bytes(
        b"Package: a\nVersion: 1\nStatus: x ok installed\n"
    )
    assert installed_packages("", str(tmp_path)) == [("a", "1")]


def test_a_system_without_packages(tmp_path):
    assert installed_packages("", str(tmp_path)) == []


def test_rpm(tmp_path, monkeypatch):
    (tmp_path / "usr/share/rpm").mkdir(parents=True)
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    assert installed_packages("", str(tmp_path)) == []
    monkeypatch.setattr(module.shutil, "which", lambda _: "/usr/bin/rpm")
    program = tmp_path / "rpm"
    program.write_text("#!/bin/sh\necho 'bash 5.2-1'\n")
    program.chmod(0o755)
    monkeypatch.setattr(module, "_RPM", (str(program),))
    assert installed_packages("", str(tmp_path)) == [("bash", "5.2-1")]
    program.write_text("#!/bin/sh\necho no >&2; exit 3\n")
    with pytest.raises(CommandFailed):
        installed_packages("", str(tmp_path))
