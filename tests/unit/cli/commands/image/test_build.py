# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import re

import pytest

from ostrya.repo.refs import require_rev
from ostrya.repo.repository import open_repository
from support.image_world import KVER, ROOTFS, Member, link, missing, write_tar
from support.oci_images import Layout

REASON = missing("mke2fs", "debugfs")
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON or "none")


@pytest.fixture
def rootfs(tmp_path):
    path = write_tar(tmp_path / "rootfs.tar", ROOTFS)
    os.utime(path, (1700000000, 1700000000))
    return path


@pytest.fixture
def build(run, rootfs, tmp_path):
    def build_with(*options, output="disk"):
        words = ("--board=qemu-arm64", f"--rootfs={rootfs}", f"--output={tmp_path}/{output}")
        return run.ok("image", "build", *words, *options)

    return build_with


def test_it_says_what_it_did(build, tmp_path):
    said = build().out
    assert "  moved /etc to /usr/etc\n" in said
    assert "committed " in said
    assert f"wrote {tmp_path}/disk: " in said
    assert sorted(os.listdir(tmp_path)) == ["disk", "rootfs.tar"]


def test_the_same_comes_out_again(build, tmp_path):
    build()
    build(f"--repo={tmp_path}/repo", output="again")
    assert (tmp_path / "disk").read_bytes() == (tmp_path / "again").read_bytes()


def test_a_repository_keeps_the_release(build, tmp_path, schema):
    options = (f"--repo={tmp_path}/repo", "--ref=vendor/os", "--os-version=7", "--json")
    found = build(*options, "--remote=vendor=https://example.com/repo", "--no-verify").json()
    schema(found, "image-build")
    assert found["kernel"] == KVER
    assert [one["name"] for one in found["partitions"]] == ["boot", "root"]
    with open_repository(str(tmp_path / "repo")) as repo:
        assert require_rev(repo, "vendor/os") == found["commit"]
    assert not build(*options).json()["is_new"]


def test_boards_are_listed(run):
    said = run.ok("image", "build", "--list-boards").out
    assert "qemu-x86_64-systemd-boot " in said


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (("--board=x",), 60, "there is no board 'x'"),
        (("--rootfs=/nowhere",), 60, "there is no root file system /nowhere"),
        (("--size=much",), 2, "--size: 'much' is no size"),
        (("--size=20M",), 60, "and the disk has 20"),
        (("--remote=vendor",), 2, "--remote: 'vendor' is not NAME=URL"),
        (("--output=",), 2, "must be specified"),
    ],
)
def test_what_cannot_be_leaves_nothing(run, rootfs, tmp_path, options, status, words):
    given = ("--board=qemu-arm64", f"--rootfs={rootfs}", f"--output={tmp_path}/disk", *options)
    assert words in run.fails("image", "build", *given, status=status)
    assert os.listdir(tmp_path) == ["rootfs.tar"]


def test_a_hostile_archive_leaves_nothing(run, tmp_path):
    rootfs = write_tar(tmp_path / "rootfs.tar", {**ROOTFS, "../escaped": Member(b"x")})
    given = ("--board=qemu-arm64", f"--rootfs={rootfs}", f"--output={tmp_path}/disk")
    assert "../escaped" in run.fails("image", "build", *given, status=10)
    assert os.listdir(tmp_path) == ["rootfs.tar"]


def test_of_a_container_image(run, rootfs, tmp_path, schema):
    layout = Layout()
    source = layout.write(
        tmp_path / "image", layout.image(rootfs.read_bytes(), architecture="arm64")
    )
    words = ("--board=qemu-arm64", f"--rootfs=oci:{source}", f"--output={tmp_path}/disk", "--json")
    found = run.ok("image", "build", *words).json()
    schema(found, "image-build")
    moved = {"code": "etc.moved", "path": "/etc", "sentence": "moved /etc to /usr/etc"}
    assert moved in found["report"]
    failed = run("image", "build", "--board=qemu-x86_64", *words[1:])
    assert "the image is for linux/arm64, not for linux/amd64" in failed.err
    assert failed.status == 60


def test_a_commit_is_of_a_repository(run, tmp_path):
    words = ("--board=qemu-arm64", "--rootfs=ostree::os/stable", f"--output={tmp_path}/disk")
    assert "must name a repository" in run("image", "build", *words).err


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"../x": Member()}, "'..' is not a valid file name|\\.\\."),
        ({"l": link("/etc"), "l/passwd": Member()}, "Can't replace file with directory: l"),
        ({f"boot/vmlinuz-{KVER}": None}, "no kernel with its modules"),
        (
            {"boot/vmlinuz-5.0": Member(b"k"), "usr/lib/modules/5.0/modules.dep": Member()},
            "2 kernels: 5.0",
        ),
        ({name: None for name in ROOTFS if name.startswith("usr")}, "it has no /usr"),
    ],
    ids=["paths that lead out", "through a link", "no kernel", "two kernels", "no root fs"],
)
def test_what_is_refused_leaves_nothing(run, tmp_path, changes, words):
    members = {name: one for name, one in {**ROOTFS, **changes}.items() if one is not None}
    path = write_tar(tmp_path / "bad.tar", members)
    failed = run(
        "image", "build", "--board=qemu-arm64", f"--rootfs={path}", f"--output={tmp_path}/d"
    )
    assert failed.status in {10, 60}
    assert re.search(words, failed.err)
    assert sum(line.startswith("error: ") for line in failed.err.splitlines()) == 1
    assert "Traceback" not in failed.err
    assert os.listdir(tmp_path) == ["bad.tar"]


def test_a_release_that_fails_is_not_published(run, rootfs, tmp_path):
    repo = tmp_path / "repo"
    argv = ("--board=qemu-arm64", f"--rootfs={rootfs}", f"--output={tmp_path}/d", f"--repo={repo}")
    run.fails("image", "build", *argv, "--size=20M", status=60)
    assert run.ok("refs", f"--repo={repo}").out == ""
    run.ok("image", "build", *argv)
    assert run.ok("refs", f"--repo={repo}").out == "os/stable\n"


@pytest.mark.parametrize("option", ["--dry-run", "--no-cache", "--cache=x", "--profile=x"])
def test_what_is_for_recipes_is_not_passed_over(run, rootfs, tmp_path, option):
    argv = ("--board=qemu-arm64", f"--rootfs={rootfs}", f"--output={tmp_path}/d", option)
    said = run.fails("image", "build", *argv, status=2)
    assert f"{option.partition('=')[0]}: that is for a RECIPE" in said
    assert not (tmp_path / "d").exists()


def test_a_folder_that_is_not_there(run, rootfs, tmp_path):
    argv = ("--board=qemu-arm64", f"--rootfs={rootfs}", f"--output={tmp_path}/no/d")
    said = run.fails("image", "build", *argv, status=60)
    assert f"there is no folder {tmp_path}/no" in said
