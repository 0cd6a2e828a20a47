# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.steps.databases import (
    link_databases,
    list_packages,
    move_databases,
    parse_apk,
    parse_status,
)

STATUS = """\
Package: b
Status: install ok installed
Version: 1:2.0-1
Description: b
 Version: not this

Package: gone
Status: deinstall ok config-files
Version: 1

Package: a
Version: 3
Status: hold ok installed
"""


def test_dpkg():
    assert list(parse_status(STATUS)) == [("b", "1:2.0-1"), ("a", "3")]


def test_apk():
    assert list(parse_apk("P:musl\nV:1.2-r3\nA:x\n\nP:odd\n")) == [("musl", "1.2-r3")]


@pytest.mark.parametrize("kind", ["dpkg", "opkg"])
def test_they_go_to_the_release_and_are_listed(editor, report, kind):
    editor.write(f"var/lib/{kind}/status", STATUS.encode())
    wanted = move_databases(editor, report)
    assert editor.find(f"var/lib/{kind}") is None
    link_databases(editor, wanted)
    assert editor.link_target(f"var/lib/{kind}") == f"../../usr/lib/sysimage/{kind}"
    list_packages(editor, report)
    assert editor.read("usr/package.manifest") == b"a 3\nb 1:2.0-1\n"
    assert [one.code for one in report.decisions] == ["packages.moved", "packages.listed"]


def test_a_list_that_is_there_stays(editor, report):
    editor.write("usr/package.manifest", b"ours\n")
    editor.write("usr/lib/sysimage/dpkg/status", STATUS.encode())
    list_packages(editor, report)
    assert editor.read("usr/package.manifest") == b"ours\n"


def test_no_packages_no_list(editor, report):
    editor.make_dir("usr")
    list_packages(editor, report)
    assert editor.find("usr/package.manifest") is None


def test_images_without_a_package_manager(editor, report):
    folder = "usr/lib/sysimage/dpkg/status.d"
    editor.write(f"{folder}/base", b"Package: base\nVersion: 1\n")
    editor.write(f"{folder}/base.md5sums", b"0000  usr/x\n")
    list_packages(editor, report)
    assert editor.read("usr/package.manifest") == b"base 1\n"


def test_two_databases_are_in_the_way(editor, report):
    editor.write("var/lib/rpm/x", b"one")
    editor.write("usr/lib/sysimage/rpm/x", b"other")
    assert move_databases(editor, report) == []
    assert report.conflicts[0].path == "/usr/lib/sysimage/rpm/x"
