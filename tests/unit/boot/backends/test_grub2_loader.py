# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya._linux.process import run
from ostrya.boot.backends import grub2_loader
from ostrya.boot.backends.grub2_loader import Grub2
from ostrya.errors import BootloaderError, CommandFailed

EFI = "boot/efi/EFI"


def write_script(disk, text: str) -> str:
    """Make a program that GRUB's configuration is written by."""
    path = disk.make("bin/generator", f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("files", "is_active", "is_atomic"),
    [
        ({}, False, True),
        ({"boot/grub/grub.cfg": ""}, True, True),
        ({"boot/grub2/grub.cfg": "", f"{EFI}/debian/grub.cfg": ""}, True, True),
        ({f"{EFI}/debian/grub.cfg": ""}, True, False),
        ({f"{EFI}/BOOT/grub.cfg": "", f"{EFI}/debian/shim.efi": ""}, False, True),
        ({EFI: ""}, False, True),
        ({"boot/grub/grub.cfg": "", "boot/bootupd-state.json": '{"static-configs": {}}'}, False, True),
        ({"boot/grub/grub.cfg": "", "boot/bootupd-state.json": '{"static-configs": null}'}, True, True),
        ({"boot/grub/grub.cfg": "", "boot/bootupd-state.json": "[]"}, True, True),
        ({"boot/grub/grub.cfg": "", "boot/bootupd-state.json": "damaged"}, True, True),
    ],
)  # fmt: skip
def test_where_it_is(disk, files, is_active, is_atomic):
    for path, text in files.items():
        disk.make(path, text)
    loader = Grub2()
    assert (loader.is_active(disk.context()), loader.is_atomic) == (is_active, is_atomic)


def test_a_link_that_leads_nowhere_yet(disk):
    (disk.top / "boot/grub2").mkdir()
    (disk.top / "boot/grub2/grub.cfg").symlink_to("../loader/grub.cfg")
    assert Grub2().is_active(disk.context())


def test_written_by_ourselves(disk):
    disk.make("boot/grub/grub.cfg")
    Grub2().write_config(disk.context(), 1, disk.write(1))
    text = (disk.top / "boot/loader.1/grub.cfg").read_text()
    # /boot is on the file system of everything else.
    assert "\tlinux /boot/ostree/os-" in text
    assert "search" not in text
    assert text.count("menuentry") == 2


def test_the_prefix_of_paths(disk):
    boots = disk.write(0)
    for context, prefix in (
        (disk.context(environ={"OSTREE_BOOT_PARTITION": "/x"}), "/x"),
        (disk.context(environ={"OSTREE_BOOT_PARTITION": ""}), ""),
        (disk.context(prefix=""), ""),
    ):
        Grub2().write_config(context, 0, boots)
        text = (disk.top / "boot/loader.0/grub.cfg").read_text()
        assert f"\tlinux {prefix}/ostree/os-" in text


def test_on_efi(disk):
    config = disk.make(f"{EFI}/debian/grub.cfg", "old")
    loader = Grub2()
    loader.write_config(disk.context(), 1, disk.write(1))
    assert not loader.is_atomic
    assert config.read_text() == "old"
    # Power fails here; later somebody asks again.
    loader = Grub2()
    loader.after_swap(disk.context(), 0)
    assert config.read_text() == "old"
    loader.after_swap(disk.context(), 1)
    assert "search --no-floppy --file --set=root /boot/ostree/os-" in config.read_text()
    assert (disk.top / f"{EFI}/debian/grub.cfg.old").read_text() == "old"
    assert sorted(path.name for path in config.parent.iterdir()) == ["grub.cfg", "grub.cfg.old"]
    loader.after_swap(disk.context(), 1)


def test_what_got_no_name_on_efi_is_deleted(disk):
    """Power failed while it was written; others' files stay."""
    config = disk.make(f"{EFI}/debian/grub.cfg", "old")
    for name in ("tmp.0123456789abcdef", "tmp.mine", "grubx64.efi"):
        disk.make(f"{EFI}/debian/{name}")
    Grub2().after_swap(disk.context(), 0)
    names = sorted(path.name for path in config.parent.iterdir())
    assert names == ["grub.cfg", "grubx64.efi", "tmp.mine"]


def test_nothing_is_left_to_do_before_the_first_deployment(disk):
    disk.make("boot/grub/grub.cfg")
    Grub2().after_swap(disk.context(is_flat=True, prefix=""), 0)


def test_where_boot_has_no_links(disk):
    disk.make("boot/grub/grub.cfg")
    context = disk.context(is_flat=True, prefix="")
    loader = Grub2()
    loader.write_config(context, 0, disk.write(0, is_flat=True))
    config = disk.top / "boot/loader/grub.cfg"
    assert not config.exists()
    loader.after_swap(context, 0)
    assert "\tlinux /ostree/os-" in config.read_text()
    assert not loader.is_atomic


def test_a_program_of_the_users(disk):
    script = write_script(disk, 'echo "$1 $_OSTREE_GRUB2_BOOTVERSION $X" >> "$2"')
    context = disk.context(environ={"OSTREE_GRUB2_EXEC": script, "X": "mine"})
    boots = disk.write(1)
    for _ in range(2):
        Grub2().write_config(context, 1, boots)
    assert (disk.top / "boot/loader.1/grub.cfg").read_text() == "-o 1 mine\n"


def test_a_program_is_told_of_efi(disk):
    disk.make(f"{EFI}/debian/grub.cfg")
    script = write_script(disk, 'echo "$_OSTREE_GRUB2_IS_EFI" > "$2"')
    Grub2().write_config(disk.context(environ={"OSTREE_GRUB2_EXEC": script}), 1, disk.write(1))
    assert (disk.top / f"{EFI}/debian/grub.cfg.new").read_text() == "1\n"


@pytest.mark.parametrize("debug", ["", "1"])
def test_programs_that_fail(disk, debug, capfd):
    boots = disk.write(1)
    environ = {"OSTREE_GRUB2_EXEC": write_script(disk, "echo words; echo trouble >&2; exit 3")}
    with pytest.raises(CommandFailed, match="failed with status 3"):
        Grub2().write_config(
            disk.context(environ=environ | {"OSTREE_DEBUG_GRUB2": debug}), 1, boots
        )
    assert capfd.readouterr().out == ("words\n" if debug else "")
    environ["OSTREE_GRUB2_EXEC"] = write_script(disk, ":")
    with pytest.raises(BootloaderError, match=r"wrote no boot/loader\.1/grub\.cfg"):
        Grub2().write_config(disk.context(environ=environ), 1, boots)


def put_mkconfig(root, text: str) -> None:
    (root / "etc/grub.d").mkdir(parents=True)
    (root / "etc/grub.d/15_ostree").touch()
    (root / "usr/sbin").mkdir(parents=True)
    (root / "usr/sbin/grub-mkconfig").write_text(f"#!/bin/sh\n{text}\n")
    (root / "usr/sbin/grub-mkconfig").chmod(0o755)


@pytest.mark.parametrize("text", ["linux /k ostree=/ostree/boot.1/os/3f/0", "blscfg"])
def test_mkconfig_of_the_running_system(disk, monkeypatch, text):
    put_mkconfig(disk.top, f'echo "{text}" > "$2"')
    found = f"{disk.top}/usr/sbin/grub-mkconfig"
    monkeypatch.setattr(grub2_loader, "_find_mkconfig", lambda _root: found)
    Grub2().write_config(disk.context(is_running=True), 1, disk.write(1))
    assert (disk.top / "boot/loader.1/grub.cfg").read_text() == f"{text}\n"


def test_mkconfig_that_knows_of_no_deployments(disk):
    put_mkconfig(disk.top, 'echo linux /vmlinuz > "$2"')
    environ = {"OSTREE_GRUB2_EXEC": f"{disk.top}/usr/sbin/grub-mkconfig"}
    context = disk.context(is_running=True, environ=environ)
    with pytest.raises(BootloaderError, match="left deployments out") as caught:
        Grub2().write_config(context, 1, disk.write(1))
    assert "15_ostree" in caught.value.hint
    Grub2().write_config(context, 1, ())


def test_which_mkconfig(tmp_path):
    find = grub2_loader._find_mkconfig
    assert find(str(tmp_path)) is None
    put_mkconfig(tmp_path, ":")
    assert find(str(tmp_path)) == "/usr/sbin/grub-mkconfig"
    (tmp_path / "etc/grub.d/15_ostree").unlink()
    assert find(str(tmp_path)) is None


def test_mkconfig_of_the_tree(disk, monkeypatch):
    boots = disk.write(1)
    tree = disk.top / boots[0].root
    put_mkconfig(tree, ":")
    commands = []

    def run_outside(argv, *, variables):
        commands.append(argv)
        disk.make("boot/loader.1/grub.cfg", "blscfg")
        return run(["true"])

    monkeypatch.setattr(grub2_loader, "run", run_outside)
    monkeypatch.setattr(grub2_loader.os, "geteuid", lambda: 0)
    monkeypatch.setattr(grub2_loader, "BWRAP", "/bin/true")
    monkeypatch.setattr(grub2_loader, "root_argv", lambda *words: ["/bin/true", str(words)])
    Grub2().write_config(disk.context(), 1, boots)
    ((*_, words, _option, target),) = commands
    assert words == str((str(tree), str(disk.top), ["/usr/sbin/grub-mkconfig"]))
    assert target == "/boot/loader.1/grub.cfg"
    # Who is not root writes it without.
    monkeypatch.setattr(grub2_loader.os, "geteuid", lambda: 1000)
    Grub2().write_config(disk.context(), 1, boots)
    assert len(commands) == 1


def test_on_efi_the_file_itself_is_synced_after_it_has_its_name(disk, monkeypatch):
    """VFAT writes size and place of a file with the file, not with its directory."""
    config = disk.make(f"{EFI}/debian/grub.cfg", "old")
    Grub2().write_config(disk.context(), 1, disk.write(1))
    synced = []
    real = os.fsync

    def fsync(fd):
        synced.append(os.readlink(f"/proc/self/fd/{fd}"))
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    Grub2().after_swap(disk.context(), 1)
    assert synced[-2:] == [str(config), str(config.parent)]
    assert not config.with_name("grub.cfg.new").exists()
