# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import shutil

import pytest

from ostrya.boot.backends.grub2_trial import STATE_FILE as GRUB_FILE
from ostrya.boot.backends.uboot_trial import FORMAT, FORMAT_VARIABLE, STATE_BYTES, STATE_FILES
from ostrya.boot.grubenv import encode_grubenv
from ostrya.boot.trial import End, Record, Why
from ostrya.boot.uboot_env import encode_environment
from ostrya.sysroot.trial import identity_of
from support import disk_images
from support.blklog import copy_sparse
from support.disk_images import edit_root, make_disk
from support.disk_judge import GRUB, SYSTEMD_BOOT, UBOOT, Judge, NotBootable, find_parts
from support.machines import Machine

MODULES = "usr/lib/modules/6.1.0-test"


class World:
    """A disk with two deployments, the default on trial."""

    def __init__(self, top, loader):
        self.loader, self.image = loader, top / "disk.img"
        self._machine = machine = Machine(top)
        machine.configure("sysroot", bootloader=loader)
        machine.configure("ostrya", rollback=loader, rollback_state="state")
        (machine.root / "state").mkdir()
        self.first = machine.deploy(machine.commit("1"), kargs="root=LABEL=otaroot quiet")
        self.second = machine.deploy(machine.commit("2"))
        machine.close()
        self.fat = top / "fat"
        if loader == SYSTEMD_BOOT:
            (machine.root / "boot").rename(self.fat)
            (machine.root / "boot").mkdir()
        else:
            (self.fat / "ostrya").mkdir(parents=True)
        self.build()

    def build(self, record=Record()):  # noqa: B008
        variables = record.to_variables()
        if self.loader == UBOOT:
            data = encode_environment({FORMAT_VARIABLE: FORMAT, **variables}, STATE_BYTES)
            for name in STATE_FILES:
                (self.fat / name).write_bytes(data)
        elif self.loader == GRUB:
            (self.fat / GRUB_FILE).write_bytes(encode_grubenv(variables))
        make_disk(self._machine.root, self.fat, self.image)


@pytest.fixture(scope="module", params=[UBOOT, GRUB, SYSTEMD_BOOT])
def made(request, tmp_path_factory):
    if reason := disk_images.missing():
        pytest.skip(reason)
    return World(tmp_path_factory.mktemp(request.param), request.param)


def with_loaders(*loaders):
    return pytest.mark.parametrize("made", loaders, indirect=True, scope="module")


@pytest.fixture
def world(made, tmp_path):
    """The same, to be changed."""
    copy = object.__new__(World)
    copy.__dict__.update(made.__dict__)
    copy.image, copy.fat = tmp_path / "disk.img", tmp_path / "fat"
    shutil.copytree(made.fat, copy.fat)
    copy_sparse(made.image, copy.image)
    (tmp_path / "work").mkdir()
    copy.judge = Judge(made.loader, tmp_path / "work")
    copy.judge.learn(made.image)
    return copy


def test_partitions(world):
    assert [tuple(part) for part in find_parts(world.image)] == [
        ("fat", disk_images.FAT_AT, disk_images.FAT_BYTES),
        ("ext4", disk_images.ROOT_AT, disk_images.ROOT_BYTES),
    ]


def test_a_whole_disk(world):
    found = world.judge.judge(world.image)
    assert found.raw == found.replayed
    started = found.raw
    assert (started.commit, started.fallback) == (world.second.checksum, False)
    assert started.commits == (world.second.checksum, world.first.checksum)
    assert started.path == f"/{world.second.path}"
    assert started.why == (Why.USUAL if world.loader == SYSTEMD_BOOT else Why.TRIAL)


def test_tried_too_often(world):
    if world.loader == SYSTEMD_BOOT:
        entries = world.fat / "loader/entries"
        entry = next(path for path in entries.iterdir() if "+3" in path.name)
        entry.rename(entries / entry.name.replace("+3", "+0-3"))
        world.build()
    else:
        world.build(Record(identity_of(world.second), 3))
    started = world.judge.judge(world.image).raw
    assert (started.commit, started.fallback, started.why) == (
        world.first.checksum,
        True,
        Why.TRIES,
    )
    assert started.commits == (world.second.checksum, world.first.checksum)


@with_loaders(UBOOT, GRUB)
def test_found_bad_and_found_good(world):
    for end, commit, why in ((End.HEALTH, world.first, Why.BAD), (End.OK, world.second, Why.USUAL)):
        world.build(Record(identity_of(world.second), 0, end))
        started = world.judge.judge(world.image).raw
        assert (started.commit, started.why) == (commit.checksum, why)
        assert started.record.end is end


def refused(world, words):
    with pytest.raises(NotBootable, match=words):
        world.judge.judge(world.image)


@pytest.mark.parametrize("at", ["first", "second"])
@pytest.mark.parametrize(("name", "what"), [("vmlinuz", "kernel"), ("initramfs.img", "ramdisk")])
def test_other_bytes(world, at, name, what, tmp_path):
    """What the tree has is not what the loader loads, of the default or of its fallback."""
    tree = f"/{getattr(world, at).path}"
    (tmp_path / "other").write_text("other")
    path = f"{tree}/{MODULES}/{name}"
    edit_root(world.image, f"rm {path}", f"write {tmp_path}/other {path}")
    world.judge.known.clear()
    refused(world, f"is not the {what} of {tree}")


@pytest.mark.parametrize("name", ["vmlinuz-6.1.0-test", "initramfs-6.1.0-test.img"])
def test_what_the_loader_loads_is_not_there(world, name):
    folder = f"ostree/test-{world.first.bootcsum}"
    if world.loader == SYSTEMD_BOOT:
        (world.fat / folder / name).unlink()
        world.build()
    else:
        edit_root(world.image, f"rm /boot/{folder}/{name}")
    refused(world, name)


@pytest.mark.parametrize(
    ("commands", "words"),
    [
        (("rm /{0}.origin",), "origin is not there"),
        (("rm /{0}/usr/bin/tool",), "is not whole: .*'/usr/bin/tool'"),
        (("rm /{0}/etc/same",), "is not whole: .*'/etc/same'"),
        (("sif /{0}/usr/bin/tool mode 0100644",), "is not whole: .*'/usr/bin/tool'"),
        (("symlink /{0}/usr/bin/more tool",), "is not whole: .*'/usr/bin/more'"),
        (("rm /ostree/boot.{1}",), "boot.. is not there"),
        (("rm /ostree/boot.{1}", "symlink /ostree/boot.{1} boot.9"), "boot.9 is not there"),
        (("clri /{0}/usr/bin/tool",), "damaged|e2fsck -p"),
    ],
)
def test_what_is_not_whole(world, commands, words):
    link = world.second.entry.fields["options"].split("ostree=/ostree/boot.")[1][0]
    edit_root(world.image, *(command.format(world.second.path, link) for command in commands))
    refused(world, words)


@with_loaders(UBOOT, GRUB)
@pytest.mark.parametrize("what", ["link", "file"])
def test_the_loaders_file(world, what):
    folder = os.readlink(world._machine.root / "boot/loader")
    name = "uEnv.txt" if world.loader == UBOOT else "grub.cfg"
    edit_root(world.image, "rm /boot/loader" if what == "link" else f"rm /boot/{folder}/{name}")
    refused(world, "loader is not there" if what == "link" else f"{name} is not there")


@with_loaders(SYSTEMD_BOOT)
def test_entries(world):
    shutil.rmtree(world.fat / "loader/entries")
    world.build()
    refused(world, "no boot entries")


@with_loaders(UBOOT, GRUB)
def test_copies_of_the_record(world):
    world.build(Record(identity_of(world.second), 0, End.OK))
    files = STATE_FILES if world.loader == UBOOT else (GRUB_FILE,)
    for at, name in enumerate(files):
        (world.fat / name).write_bytes(b"torn" + (world.fat / name).read_bytes()[4:])
        make_disk(world._machine.root, world.fat, world.image)
        if at == len(files) - 1:
            refused(world, "both copies of the record are lost|no environment block")
        else:
            assert world.judge.judge(world.image).raw.why == Why.USUAL


def test_no_root(tmp_path):
    (tmp_path / "zeros").write_bytes(bytes(1 << 20))
    with pytest.raises(NotBootable, match="no ext4"):
        Judge(UBOOT, tmp_path).judge(tmp_path / "zeros")


def test_a_larger_fat(tmp_path):
    with (tmp_path / "fat").open("wb") as stream:
        stream.truncate(40 << 20)
    disk_images.run("mkfs.vfat", "-F", "32", "-s", "1", tmp_path / "fat")
    assert [part.kind for part in find_parts(tmp_path / "fat")] == ["fat"]
