# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostrya.errors import CommandFailed
from ostrya.uptane.client.device_data.packages import (
    installed_packages,
    parse_list,
    parse_status,
)

STATUS = b"""Package: zlib1g
Status: install ok installed
Version: 1:1.2.13

Package: gone
Status: deinstall ok config-files
Version: 1

Package: base-files
Status: install ok installed
Description: x
 Version: 99
Version: 12.4
"""


def test_a_list_counts_where_it_is_there(tmp_path):
    (tmp_path / "list").write_text("# made with the image\nb 2\na 1 x86\n\nshort\nb 2\n")
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").write_bytes(STATUS)
    found = installed_packages(str(tmp_path / "list"), str(tmp_path))
    assert found == [("a", "1"), ("b", "2")]
    found = installed_packages(str(tmp_path / "none"), str(tmp_path))
    assert found == [("base-files", "12.4"), ("zlib1g", "1:1.2.13")]


def test_opkg(tmp_path):
    (tmp_path / "usr/lib/opkg").mkdir(parents=True)
    (tmp_path / "usr/lib/opkg/status").write_bytes(b"Package: busybox\nVersion: 1.36\n")
    assert installed_packages("", str(tmp_path)) == [("busybox", "1.36")]


def test_nothing_says_it(tmp_path):
    assert installed_packages("", str(tmp_path)) == []


@pytest.mark.parametrize(("script", "found"), [("echo bash 5-1", [("bash", "5-1")]), ("", [])])
def test_rpm(tmp_path, monkeypatch, script, found):
    (tmp_path / "root/var/lib/rpm").mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/rpm").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "bin/rpm").chmod(0o755)
    assert installed_packages("", str(tmp_path / "root")) == found


def test_an_rpm_that_fails_is_said(tmp_path, monkeypatch):
    (tmp_path / "root/var/lib/rpm").mkdir(parents=True)
    (tmp_path / "rpm").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "rpm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(CommandFailed):
        installed_packages("", str(tmp_path / "root"))
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    assert installed_packages("", str(tmp_path / "root")) == []


@given(st.binary())
def test_anything_is_read(data):
    for name, version in [*parse_list(data), *parse_status(data)]:
        assert name
        assert version
