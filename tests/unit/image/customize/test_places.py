# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.customize.places import Owner
from ostrya.image.errors import SourceError


def test_paths_lead_to_where_things_are(places):
    assert places.real("/etc/passwd") == "usr/etc/passwd"
    assert places.real("/home/user/file") == "var/rootdirs/home/user/file"
    assert places.real("/bin/tool") == "usr/bin/tool"
    assert places.real("/usr/local/bin") == "var/usrlocal/bin"
    assert places.place("/home") == "home"
    assert places.place("/etc/os-release") == "usr/etc/os-release"


@pytest.mark.parametrize("path", ["/run/x", "/tmp/x", "/boot/x", "/sysroot/x", "/ostree/x"])
def test_what_is_no_part_of_a_release_is_refused(places, path):
    with pytest.raises(SourceError, match=f"{path}: what is put there is not part of a release"):
        places.write(path, "x")


def test_a_file_that_is_there_keeps_its_owner_and_mode(places):
    places.write("/etc/shadow", "x\n")
    assert places.editor.header("usr/etc/shadow")[:3] == (0, 42, 0o100640)
    assert places.read_text("/etc/shadow") == "x\n"
    places.write("/etc/shadow", "y\n", Owner(5, 6, 0o600))
    assert places.editor.header("usr/etc/shadow")[:3] == (5, 6, 0o100600)


def test_files_and_directories_do_not_replace_one_another(places):
    with pytest.raises(SourceError, match="/etc: there is a directory"):
        places.write("/etc", "x")
    with pytest.raises(SourceError, match="/etc/passwd: there is a file"):
        places.make_dir("/etc/passwd")


def test_lines_are_added_behind_what_is_there(places):
    places.write("/etc/x", "a")
    places.append_lines("/etc/x", ["b", "c"])
    assert places.read_text("/etc/x") == "a\nb\nc\n"
    places.append_lines("/etc/y", ["d"])
    assert places.read_text("/etc/y") == "d\n"


def test_links(places):
    places.link("/etc/mtab", "/proc/self/mounts")
    assert places.link_target("/etc/mtab") == "/proc/self/mounts"
    assert places.exists("/etc/mtab")
    assert places.remove("/etc/mtab")
    assert not places.exists("/etc/mtab")
