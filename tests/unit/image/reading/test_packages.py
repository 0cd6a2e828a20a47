# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.image.reading.packages import Package, paragraphs, read_packages

STATUS = b"""\
Package: bash
Status: install ok installed
Maintainer: Matthias Klose <doko@debian.org>
Architecture: amd64
Source: bash-source (5.2-1)
Version: 5.2-2
Homepage: http://tiswww.case.edu/php/chet/bash/bashtop.html
Description: shell
 with a description
 .
 Package: not this one

Package: gone
Status: deinstall ok config-files
Version: 1

Package: lib
Status: hold ok installed
Architecture: arm64
Version: 2:3~4

Package: ../evil
Status: install ok installed
Version: 1
"""
COPYRIGHT = b"""\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: somebody
License: GPL-3+

Files: other
License: Expat
 Permission is granted

License: GPL-3+
 text
"""


def reader(files):
    def read(path, max_bytes):
        data = files.get(path)
        assert data is None or len(data) <= max_bytes
        return data

    return read


@pytest.mark.parametrize("folder", ["/usr/lib/sysimage/dpkg", "/var/lib/dpkg"])
def test_dpkg(folder):
    files = {
        f"{folder}/status": STATUS,
        f"{folder}/info/bash.list": b"/.\n/bin\n/bin/bash\n",
        f"{folder}/info/lib:arm64.list": b"/.\n/lib\n",
        "/usr/share/doc/bash/copyright": COPYRIGHT,
    }
    bash, lib = read_packages(reader(files))
    assert bash == Package(
        "deb", "bash", "5.2-2", "amd64", "bash-source", "5.2-1", "Matthias Klose <doko@debian.org>",
        "http://tiswww.case.edu/php/chet/bash/bashtop.html", ("Expat", "GPL-3+"), 2,
    )  # fmt: skip
    assert lib == Package("deb", "lib", "2:3~4", "arm64", files=1)
    plain = read_packages(reader(files), details=False)
    assert [(one.licences, one.files) for one in plain] == [((), 0), ((), 0)]


def test_opkg():
    status = b"Package: busybox\nVersion: 1.36-r0\nStatus: install user installed\nArchitecture: cortexa7\n"
    files = {
        "/var/lib/opkg/status": status,
        "/var/lib/opkg/info/busybox.control": b"Package: busybox\nVersion: 0\nLicense: GPL-2.0-only & bzip2-1.0.6\n",
        "/var/lib/opkg/info/busybox.list": b"/bin/busybox\n/bin/sh\n",
    }
    (found,) = read_packages(reader(files))
    assert (found.kind, found.version, found.files) == ("opkg", "1.36-r0", 2)
    assert found.licences == ("GPL-2.0-only & bzip2-1.0.6",)


def test_apk():
    data = b"C:Q1\nP:musl\nV:1.2.4-r0\nA:x86_64\nL:MIT\nF:lib\nR:ld-musl.so\nR:libc.so\n\nP:zlib\nV:1.3\no:zlib-src\n"
    musl, zlib = read_packages(reader({"/lib/apk/db/installed": data}))
    assert (musl.name, musl.licences, musl.files) == ("musl", ("MIT",), 2)
    assert (zlib.version, zlib.source) == ("1.3", "zlib-src")


def test_a_manifest_of_names_and_versions():
    data = b"busybox 1.36\nbase-files all 3.0.14\n\nodd\n"
    one, other = read_packages(reader({"/usr/package.manifest": data}))
    assert one == Package("generic", "base-files", "3.0.14", "all")
    assert other == Package("generic", "busybox", "1.36")


def test_nothing_is_no_packages():
    assert read_packages(reader({})) == []


def test_paragraphs_of_what_is_no_control_file():
    assert list(paragraphs(b"\n\n \n lost line\n# comment: x\nA: 1\n 2\nno colon\n\nB:\n")) == [
        {"a": "1\n 2"}, {"b": ""},
    ]  # fmt: skip
