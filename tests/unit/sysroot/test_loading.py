# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from pathlib import Path

import pytest

from ostrya.boot.errors import EntryInvalid
from ostrya.errors import BootloaderError, SysrootError
from ostrya.sysroot.deployment import Unlocked
from ostrya.sysroot.loading import Loaded, load_sysroot
from ostrya.sysroot.sysroot import Running, Sysroot

CSUM = "3f" * 32
COMMITS = ("5c" * 32, "6c" * 32)


class Disk:
    """A sysroot with two deployments that share a kernel."""

    def __init__(self, top: Path) -> None:
        self.top = top
        (top / "boot/loader.1/entries").mkdir(parents=True)
        (top / "boot/loader").symlink_to("loader.1")
        self.links = top / f"ostree/boot.1.0/os/{CSUM}"
        self.links.mkdir(parents=True)
        (top / "ostree/boot.1").symlink_to("boot.1.0")
        for serial, commit in enumerate(COMMITS):
            self.deployment(commit).mkdir(parents=True)
            (self.links / str(serial)).symlink_to(f"../../../deploy/os/deploy/{commit}.0")
            self.entry(2 - serial).write_text(
                f"title T\nversion {2 - serial}\nlinux /x\n"
                f"options a ostree=/ostree/boot.1/os/{CSUM}/{serial}\n"
            )

    def deployment(self, commit: str) -> Path:
        return self.top / f"ostree/deploy/os/deploy/{commit}.0"

    def entry(self, version: int) -> Path:
        return self.top / f"boot/loader.1/entries/ostree-{version}.conf"

    def load(self, running: Running | None = None) -> Loaded:
        running = running or Running(run_dir=str(self.top / "run"))
        with Sysroot(str(self.top), running) as sysroot:
            return load_sysroot(sysroot)


@pytest.fixture
def disk(tmp_path) -> Disk:
    return Disk(tmp_path)


def test_what_there_is(disk):
    loaded = disk.load()
    assert (loaded.bootversion, loaded.subbootversion) == (1, 0)
    assert [found.checksum for found in loaded.deployments] == list(COMMITS)
    assert [found.bootserial for found in loaded.deployments] == [0, 1]
    assert {found.bootcsum for found in loaded.deployments} == {CSUM}
    assert loaded.deployments[0].origin is None
    assert loaded.booted is None


def test_order_is_that_of_the_versions(disk):
    text = disk.entry(2).read_text().replace("version 2", "version 10")
    disk.entry(2).write_text(disk.entry(1).read_text().replace("version 1", "version 9"))
    disk.entry(1).write_text(text)
    assert [found.checksum for found in disk.load().deployments] == list(COMMITS)


def test_files_of_others(disk):
    entries = disk.entry(1).parent
    (entries / "windows.conf").write_text("title W\n")
    (entries / "ostree-9.conf~").write_text("damaged")
    (entries / "ostree-9.conf").mkdir()
    assert len(disk.load().deployments) == 2


def test_an_empty_disk(tmp_path):
    with Sysroot(str(tmp_path)) as sysroot:
        assert load_sysroot(sysroot) == Loaded(0, 0, ())


def test_which_is_running(disk):
    found = disk.deployment(COMMITS[1]).stat()
    loaded = disk.load(Running((found.st_dev, found.st_ino), "/nowhere"))
    assert loaded.booted is not None
    assert loaded.booted.checksum == COMMITS[1]
    with pytest.raises(SysrootError, match="no boot entry leads to"):
        disk.load(Running((0, 0), "/nowhere"))


def test_origins_and_unlocking(disk):
    origin = Path(f"{disk.deployment(COMMITS[0])}.origin")
    origin.write_text("[origin]\nrefspec=v:os\nunlocked=hotfix\n")
    first, second = disk.load().deployments
    assert first.origin is not None
    assert first.origin.refspec == "v:os"
    assert (first.unlocked, second.unlocked) == (Unlocked.HOTFIX, Unlocked.NONE)
    notes = disk.top / f"run/deployment-state/{COMMITS[1]}.0"
    notes.mkdir(parents=True)
    (notes / "unlocked-transient").touch()
    assert disk.load().deployments[1].unlocked is Unlocked.TRANSIENT
    (notes / "unlocked-development").touch()
    assert disk.load().deployments[1].unlocked is Unlocked.DEVELOPMENT


def damage_loader(disk: Disk) -> None:
    (disk.top / "boot/loader").unlink()
    (disk.top / "boot/loader").symlink_to("loader.2")


def damage_loader_kind(disk: Disk) -> None:
    (disk.top / "boot/loader").unlink()
    (disk.top / "boot/loader").mkdir()


def damage_links(disk: Disk) -> None:
    (disk.top / "ostree/boot.1").unlink()
    (disk.top / "ostree/boot.1").symlink_to("boot.1.0/../boot.1.0")


def damage_argument(disk: Disk) -> None:
    disk.entry(1).write_text("title T\nversion 1\noptions a\n")


def damage_text(disk: Disk) -> None:
    disk.entry(1).write_bytes(b"title \xff\n")


def damage_overlay(disk: Disk) -> None:
    with disk.entry(1).open("a") as stream:
        stream.write("initrd /y\ninitrd /z.img\n")


@pytest.mark.parametrize(
    ("damage", "kind", "words"),
    [
        (damage_loader, BootloaderError, "Invalid target 'loader.2' in boot/loader"),
        (damage_loader_kind, BootloaderError, "Not a symbolic link: boot/loader"),
        (damage_links, BootloaderError, "Invalid target .* in ostree/boot.1"),
        (damage_argument, EntryInvalid, "No ostree= kernel argument found"),
        (damage_text, EntryInvalid, "Parsing ostree-1.conf"),
        (damage_overlay, EntryInvalid, "Malformed overlay initrd filename: z.img"),
    ],
)
def test_damage(disk, damage, kind, words):
    damage(disk)
    with pytest.raises(kind, match=words):
        disk.load()


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (None, "No such file"),
        ("../../../deploy/os/deploy/other", "Invalid deployment name 'other'"),
        (f"../../../deploy/os/deploy/{'7c' * 32}.0", "No such file"),
    ],
)
def test_links_to_what_is_no_deployment(disk, target, words):
    (disk.links / "1").unlink()
    if target is not None:
        (disk.links / "1").symlink_to(target)
    place = f"Parsing deployment /ostree/boot.1/os/{CSUM}/1 in stateroot 'os': "
    with pytest.raises(SysrootError, match=f"{place}{words}"):
        disk.load()


def test_damaged_origins(disk):
    origin = Path(f"{disk.deployment(COMMITS[0])}.origin")
    for data in (b"damaged", b"\xff", b"#" * (1 << 20) + b"\n"):
        origin.write_bytes(data)
        with pytest.raises(SysrootError, match="in stateroot 'os': "):
            disk.load()
    assert os.path.exists(origin)
