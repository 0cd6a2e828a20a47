# SPDX-License-Identifier: Apache-2.0
import os

import pytest

from ostrya.image.customize.places import Owner
from ostrya.image.errors import SourceError
from ostrya.image.live_tree import LiveTree

ME = Owner(os.geteuid(), os.getegid())


@pytest.fixture
def tree(tmp_path):
    return LiveTree(str(tmp_path))


def test_files(tree, tmp_path):
    tree.write("/etc/x", "one\n", ME._replace(mode=0o600))
    assert tree.read_text("/etc/x") == "one\n"
    assert (tmp_path / "etc/x").stat().st_mode & 0o777 == 0o600
    tree.write("/etc/x", "two\n")
    assert (tmp_path / "etc/x").stat().st_mode & 0o777 == 0o600
    tree.append_lines("/etc/x", ["three"])
    assert tree.read("/etc/x") == b"two\nthree\n"
    assert tree.read_text("/etc/nowhere") == ""
    assert tree.names("/etc") == ["x"]
    with pytest.raises(SourceError, match="/etc/x is too large"):
        tree.read("/etc/x", max_bytes=3)
    assert tree.remove("/etc/x")
    assert not tree.remove("/etc/x")


def test_links_and_directories(tree, tmp_path):
    tree.make_dir("/var/home/me", ME._replace(mode=0o700))
    assert (tmp_path / "var/home/me").stat().st_mode & 0o777 == 0o700
    tree.link("/home", "var/home", ME)
    assert tree.link_target("/home") == "var/home"
    assert tree.real("/home/me") == "var/home/me"
    tree.write("/home/me/file", "x", ME)
    assert tree.is_file("/var/home/me/file")
    tree.link("/home", "elsewhere", ME)
    assert tree.exists("/home")
    assert not tree.is_dir("/home")
    assert tree.link_target("/var") is None
