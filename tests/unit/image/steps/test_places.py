# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.errors import SourceError
from ostrya.image.policies import LinkPolicy
from ostrya.image.steps.fragment import Wanted
from ostrya.image.steps.places import (
    install_units,
    link_to_var,
    make_empty,
    move_etc,
    write_fragment,
    write_fstab,
)

WANTED = [Wanted("d", "/var/rootdirs")]


def test_etc_is_moved_once(rootfs, report):
    move_etc(rootfs, report)
    move_etc(rootfs, report)
    assert rootfs.find("etc") is None
    assert rootfs.header("usr/etc/shadow")[:3] == (0, 42, 0o100640)
    assert [one.code for one in report.decisions] == ["etc.moved"]


def test_two_of_them_or_none(editor, report):
    with pytest.raises(SourceError, match="no /etc"):
        move_etc(editor, report)
    editor.write("etc/x", b"")
    editor.write("usr/etc/x", b"")
    move_etc(editor, report)
    assert report.conflicts[0].code == "etc.conflict"


@pytest.mark.parametrize(
    ("policy", "is_link"), [(None, False), (LinkPolicy.KEEP, False), (LinkPolicy.LINK, True)]
)
def test_an_opt_with_something_in_it(editor, report, policy, is_link):
    editor.write("opt/vendor/x", b"x")
    link_to_var(editor, report, {} if policy is None else {"/opt": policy})
    assert (editor.link_target("opt") == "var/rootdirs/opt") is is_link
    assert editor.read("var/rootdirs/opt/vendor/x" if is_link else "opt/vendor/x") == b"x"


def test_a_home_that_is_kept_is_there(editor, report):
    wanted = link_to_var(editor, report, {"/home": LinkPolicy.KEEP})
    assert editor.names("home") == []
    assert editor.link_target("home") is None
    assert "/var/rootdirs/home" not in [one.path for one in wanted]


def test_links_that_are_there_lead_where_they_did(editor, report):
    editor.link("home", "/data/home")
    wanted = link_to_var(editor, report, {})
    assert editor.link_target("home") == "/data/home"
    assert [one.path for one in wanted][:2] == ["/var/rootdirs", "/var/rootdirs/media"]


def test_what_is_at_the_other_end_already_is_in_the_way(editor, report):
    editor.write("home/x", b"one")
    editor.write("var/rootdirs/home/x", b"other")
    link_to_var(editor, report, {})
    assert "/home cannot be moved" in report.conflicts[0].sentence


def test_what_others_fill_is_empty(rootfs):
    make_empty(rootfs)
    assert rootfs.link_target("ostree") == "sysroot/ostree"
    assert [rootfs.names(name) for name in ("boot", "tmp", "sysroot")] == [[], [], []]


def test_systems_without_systemd_get_a_script(editor, report):
    editor.write("usr/etc/init.d/rcS", b"")
    editor.make_dir("usr/etc/rcS.d")
    write_fragment(editor, report, WANTED)
    assert editor.link_target("usr/etc/rcS.d/S20ostrya-image") == "../init.d/ostrya-image"
    header = editor.header("usr/etc/init.d/ostrya-image")
    assert header.mode == 0o100755
    assert b"directory /var/rootdirs 0755\n" in editor.read("usr/etc/init.d/ostrya-image")


def test_busybox_runs_it_by_its_name(editor, report):
    editor.write("usr/etc/init.d/rcS", b"")
    write_fragment(editor, report, WANTED)
    assert editor.link_target("usr/etc/init.d/S02ostrya-image") == "ostrya-image"


def test_systemd_gets_no_script(editor, report):
    editor.write("usr/etc/init.d/rcS", b"")
    editor.write("usr/lib/systemd/systemd", b"", 0o755)
    write_fragment(editor, report, WANTED)
    assert editor.names("usr/etc/init.d") == ["rcS"]
    assert editor.read("usr/lib/tmpfiles.d/ostrya-image.conf").startswith(b"d /var/rootdirs")


def test_fstab_has_no_root_and_every_line_once(editor, report):
    editor.write("usr/etc/fstab", b"# \xff\n/dev/sda1 / ext4 defaults 0 1\nx /x ext4 a 0 0\n")
    for _ in range(2):
        write_fstab(editor, report, ("y /y vfat a 0 0",))
        assert editor.read("usr/etc/fstab") == b"# \xff\nx /x ext4 a 0 0\ny /y vfat a 0 0\n"
    assert [one.code for one in report.decisions] == ["fstab.dropped", "fstab.added"]


def test_units_that_are_there_stay(editor, report):
    path = "usr/lib/systemd/system/ostree-remount.service"
    editor.write(path, b"theirs")
    install_units(editor, report)
    assert editor.read(path) == b"theirs"
    count = len(report.decisions)
    install_units(editor, report)
    assert len(report.decisions) == count == 1
