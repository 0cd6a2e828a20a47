# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.accounts import Accounts
from ostrya.image.convert import ConvertOptions, convert
from ostrya.image.errors import ConversionError, SourceError
from ostrya.image.policies import AccountPolicy, LinkPolicy, LinkRule, VarPolicy, VarRule
from ostrya.image.sources import take_in
from ostrya.tree.commit import write_tree
from support.image_world import KVER, ROOTFS, Member, directory, link, write_tar
from support.kernel_modules import make_module

MODULES = f"usr/lib/modules/{KVER}"
OPTIONS = ConvertOptions(
    ("LABEL=boot /boot vfat defaults 0 0",), lambda _editor, kver: f"ramdisk {kver}".encode()
)


@pytest.fixture
def take(tx, tmp_path):
    def take_changed(**changes):
        members = {
            **ROOTFS,
            **{name.replace("__", "/"): member for name, member in changes.items()},
        }
        members = {name: member for name, member in members.items() if member is not None}
        return take_in(tx, str(write_tar(tmp_path / "x.tar", members))).editor

    return take_changed


@pytest.fixture
def converted(take):
    editor = take()
    return editor, convert(editor, OPTIONS)


def test_the_kernel_and_a_ramdisk_are_where_they_belong(converted):
    editor, result = converted
    assert result.kver == KVER
    assert editor.read(f"{MODULES}/vmlinuz").startswith(b"kernel")
    assert editor.read(f"{MODULES}/initramfs.img") == f"ramdisk {KVER}".encode()
    assert editor.read(f"{MODULES}/config") == b"CONFIG_RD_GZIP=y\n"
    assert editor.names("boot") == []
    assert editor.find("vmlinuz") is None


def test_etc_is_in_usr(converted):
    editor, _ = converted
    assert editor.find("etc") is None
    assert editor.header("usr/etc/shadow")[:3] == (0, 42, 0o100640)


def test_the_root_has_what_a_deployment_needs(converted):
    editor, _ = converted
    assert editor.link_target("ostree") == "sysroot/ostree"
    for name in ("boot", "dev", "proc", "run", "sys", "sysroot", "tmp"):
        assert editor.names(name) == []
        assert editor.find_dir(name) is not None


def test_what_people_write_is_in_var(converted):
    editor, _ = converted
    links = {
        name: editor.link_target(name)
        for name in ("home", "root", "opt", "srv", "mnt", "usr/local")
    }
    assert links == {
        "home": "var/rootdirs/home",
        "root": "var/roothome",
        "opt": "var/rootdirs/opt",
        "srv": "var/rootdirs/srv",
        "mnt": "var/rootdirs/mnt",
        "usr/local": "../var/usrlocal",
    }
    assert editor.header("var/rootdirs/home/user/file").uid == 1000
    assert editor.read("var/roothome/.profile") == b"# profile\n"
    assert editor.names("var/usrlocal") == ["bin"]
    lines = editor.read("usr/lib/tmpfiles.d/ostrya-image.conf").decode().splitlines()
    assert lines[0] == "d /var/rootdirs 0755 root root -"
    assert "d /var/roothome 0700 root root -" in lines


def test_an_opt_with_something_in_it_belongs_to_the_release(take):
    editor = take(opt__vendor__program=Member(b"x", 0o755))
    result = convert(editor, OPTIONS)
    assert editor.read("opt/vendor/program") == b"x"
    assert "kept /opt in the release" in result.decisions


def test_the_list_of_packages_belongs_to_the_release(converted):
    editor, _ = converted
    assert editor.read("usr/lib/sysimage/dpkg/status") == b"Package: x\n"
    assert editor.link_target("var/lib/dpkg") == "../../usr/lib/sysimage/dpkg"


def test_state_of_the_machine_that_built_it_is_gone(converted):
    editor, result = converted
    assert editor.read("usr/etc/machine-id") == b""
    assert editor.names("usr/etc/ssh") == []
    assert editor.names("var/log") == []
    assert editor.read("var/lib/thing/state") == b"begins\n"
    assert "dropped /etc/ssh/ssh_host_rsa_key" in result.decisions


def test_the_root_leaves_fstab_and_what_the_board_has_enters(converted):
    editor, result = converted
    assert editor.read("usr/etc/fstab").decode() == (
        "# static\n/dev/sda2 /data ext4 defaults 0 2\nLABEL=boot /boot vfat defaults 0 0\n"
    )
    assert "dropped from /etc/fstab: /dev/sda1 / ext4 defaults 0 1" in result.decisions


def test_units_are_installed_and_what_is_there_stays(take):
    unit = "usr/lib/systemd/system/ostree-remount.service"
    editor = take(**{unit: Member(b"the distribution's")})
    convert(editor, OPTIONS)
    assert editor.read(unit) == b"the distribution's"
    assert editor.is_file("usr/lib/systemd/system-generators/ostree-system-generator")
    wants = "usr/lib/systemd/system/local-fs.target.wants/ostree-remount.service"
    assert editor.link_target(wants) == "../ostree-remount.service"


def test_an_unmerged_usr_is_merged(take):
    editor = take(
        bin=directory(),
        bin__cat=Member(b"cat", 0o755),
        bin__tool=link("/usr/bin/tool"),
        sbin=directory(),
    )
    convert(editor, OPTIONS)
    assert editor.link_target("bin") == "usr/bin"
    assert editor.link_target("sbin") == "usr/sbin"
    assert editor.read("usr/bin/cat") == b"cat"
    assert editor.read("usr/bin/tool") == b"#!/bin/sh\n"


def test_conflicts_of_a_merge_are_all_told(take):
    editor = take(
        bin=directory(), bin__tool=Member(b"a"), lib=directory(), lib__os_release=Member(b"b"),
        **{"lib/os-release": Member(b"b")},
    )  # fmt: skip
    with pytest.raises(SourceError, match=r"/usr/bin/tool, /usr/lib/os-release"):
        convert(editor, OPTIONS)


def test_a_kernel_that_is_in_its_place_stays_there(take):
    editor = take(**{f"{MODULES}/vmlinuz": Member(b"in place"), f"boot/vmlinuz-{KVER}": None})
    convert(editor, OPTIONS)
    assert editor.read(f"{MODULES}/vmlinuz") == b"in place"


def test_a_kernel_without_a_version_in_its_name(take):
    editor = take(**{"boot/Image": Member(b"image"), f"boot/vmlinuz-{KVER}": None})
    assert convert(editor, OPTIONS).kver == KVER
    assert editor.read(f"{MODULES}/vmlinuz") == b"image"


def test_a_ramdisk_of_the_tree_is_kept_if_none_is_built(take):
    editor = take(**{f"{MODULES}/initramfs.img": Member(b"own")})
    convert(editor, ConvertOptions())
    assert editor.read(f"{MODULES}/initramfs.img") == b"own"
    with pytest.raises(SourceError, match=r"initramfs\.img"):
        convert(take(), ConvertOptions())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({f"boot/vmlinuz-{KVER}": None}, "no kernel with its modules"),
        (
            {"usr/lib/modules/5.0/modules.dep": Member(), "boot/vmlinuz-5.0": Member(b"k")},
            "2 kernels: 5.0, 6.1.0-test",
        ),
        ({"usr/etc/x": Member(b"x")}, "in both /etc and /usr/etc"),
        ({name: None for name in ROOTFS if name.startswith("etc")}, "it has no /etc"),
        ({name: None for name in ROOTFS if name.startswith("usr")}, "it has no /usr"),
    ],
    ids=["no kernel", "two kernels", "two etc", "no etc", "no usr"],
)
def test_what_is_no_root_file_system_is_refused(take, changes, words):
    with pytest.raises(SourceError, match=words):
        convert(take(**changes), OPTIONS)


def test_compiled_python_is_valid_in_a_deployment(take):
    bound = b"\xa7\r\r\n" + bytes(4) + b"timesize" + b"code"
    editor = take(
        **{
            "usr__lib__python3__x.pyc": Member(bound),
            "usr__lib__python3__y.pyc": Member(b"no code"),
        }
    )
    result = convert(editor, OPTIONS)
    assert editor.read("usr/lib/python3/x.pyc") == b"\xa7\r\r\n\x01" + bytes(11) + b"code"
    assert editor.read("usr/lib/python3/y.pyc") == b"no code"
    assert "unbound 1 files of compiled Python from the time of their source" in result.decisions


class TestPolicies:
    def test_what_is_in_var(self, take):
        editor = take()
        options = OPTIONS._replace(var=(VarRule("/var", VarPolicy.FACTORY),))
        result = convert(editor, options)
        assert editor.read("usr/share/factory/var/lib/thing/state") == b"begins\n"
        assert editor.header("usr/share/factory/var/lib/thing/state").uid == 7
        assert list(editor.files_below("var")) == ["var/lib/dpkg"]
        lines = editor.read("usr/lib/tmpfiles.d/ostrya-image.conf").decode().splitlines()
        assert "C /var/lib" in lines
        assert "C /var/roothome" in lines
        assert "var.factory" in {one.code for one in result.report}

    def test_the_newest_kernel(self, take):
        changes = {"usr/lib/modules/5.0/modules.dep": Member(), "boot/vmlinuz-5.0": Member(b"k")}
        editor = take(**changes)
        assert convert(editor, OPTIONS._replace(kernel="newest")).kver == KVER
        assert editor.names("usr/lib/modules") == [KVER]

    def test_a_home_that_stays(self, take):
        editor = take()
        convert(editor, OPTIONS._replace(links=(LinkRule("/home", LinkPolicy.KEEP),)))
        assert editor.header("home/user/file").uid == 1000

    def test_users_that_have_other_numbers(self, take):
        editor = take(etc__passwd=Member(b"user:x:1000:1000::/home/user:/bin/sh\n"))
        options = OPTIONS._replace(before=Accounts({"user": 1001}, {}))
        with pytest.raises(ConversionError, match="user user has 1000; it had 1001"):
            convert(editor, options)
        editor = take(etc__passwd=Member(b"user:x:1000:1000::/home/user:/bin/sh\n"))
        convert(editor, options._replace(accounts=AccountPolicy.KEEP_OLD))
        assert editor.header("var/rootdirs/home/user/file").uid == 1001

    def test_boards_keep_files_of_boot(self, take):
        editor = take(boot__MLO=Member(b"first"), **{"boot/a.dtb": Member(b"tree")})
        convert(editor, OPTIONS._replace(boot_files=("MLO",)))
        assert editor.read("usr/lib/ostrya/boot/MLO") == b"first"
        assert editor.read(f"{MODULES}/dtb/a.dtb") == b"tree"


def test_conflicts_of_all_steps_are_told_at_once(take):
    editor = take(
        bin=directory(), bin__tool=Member(b"other"),
        **{f"boot/vmlinuz-{KVER}": None, "usr/etc/x": Member(), "var/rootdirs/home/user/file": Member()},
    )  # fmt: skip
    options = OPTIONS._replace(
        before=Accounts({"user": 1}, {}), var=(VarRule("/var/lib", VarPolicy.FAIL),)
    )
    with pytest.raises(ConversionError) as caught:
        convert(editor, options)
    assert [problem[:28] for problem in caught.value.problems] == [
        "/usr cannot be merged: other",
        "there is something in both /",
        "the root file system has no ",
        "/home cannot be moved to /va",
        "there is something in /var/l",
    ]


def test_a_release_stays_what_it_is(converted, tx):
    editor, _ = converted
    before = write_tree(tx, editor.root)
    again = convert(editor, OPTIONS)
    assert write_tree(tx, editor.root) == before
    assert {one.code for one in again.report} == {"kernel.bare", "ramdisk.built", "var.seed"}


def test_packages_are_listed(take):
    status = b"Package: x\nStatus: install ok installed\nVersion: 1\n"
    editor = take(**{"var/lib/dpkg/status": Member(status)})
    convert(editor, OPTIONS)
    assert editor.read("usr/package.manifest") == b"x 1\n"


def test_indexes_of_modules_are_made(take):
    changes = {f"{MODULES}/modules.dep": None, f"{MODULES}/kernel/x.ko": Member(make_module())}
    editor = take(**changes)
    convert(editor, OPTIONS)
    assert editor.read(f"{MODULES}/modules.dep") == b"kernel/x.ko:\n"
