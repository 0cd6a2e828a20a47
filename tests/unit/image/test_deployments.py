# SPDX-License-Identifier: Apache-2.0
import os

import pytest

from ostrya.image.deployments import Remote, StateFile, SystemOptions, make_system
from ostrya.repo.reader import load_commit
from ostrya.repo.refs import require_rev
from ostrya.repo.remotes import list_remotes, remote_url
from ostrya.sysroot.loading import load_sysroot
from ostrya.sysroot.rollback_settings import Protocol
from ostrya.sysroot.sysroot import Sysroot
from support.image_world import KVER

OPTIONS = SystemOptions(
    "system",
    "os/stable",
    ("root=LABEL=otaroot", "console=ttyS0"),
    (("sysroot", "bootloader", "uboot"), ("ostrya", "rollback", "uboot")),
    (),
    (Remote("vendor", "https://example.com/repo", (("gpg-verify", False),)),),
    1700000000,
)


@pytest.fixture
def system(repo, releases, tmp_path):
    top = tmp_path / "top"
    top.mkdir()
    commits = [release.checksum for release in releases]
    return top, commits, make_system(repo, commits, str(top), OPTIONS)


def test_the_newest_is_started_and_the_other_one_is_its_fallback(system):
    top, commits, _ = system
    with Sysroot(str(top)) as sysroot:
        loaded = load_sysroot(sysroot)
        assert [one.checksum for one in loaded.deployments] == commits[::-1]
        assert [one.stateroot for one in loaded.deployments] == ["system"] * 2
        assert str(loaded.deployments[0].command_line).startswith(
            "root=LABEL=otaroot console=ttyS0"
        )
        assert loaded.deployments[0].origin.refspec == "vendor:os/stable"
        assert sysroot.settings.rollback.protocol is Protocol.UBOOT
        assert sysroot.repo.mode == "bare"
        assert require_rev(sysroot.repo, "vendor:os/stable") == commits[1]
        assert list_remotes(sysroot.repo) == ["vendor"]
        assert remote_url(sysroot.repo, "vendor") == "https://example.com/repo"
    config = (top / "ostree/repo/config").read_text()
    assert "gpg-verify=false" in config
    assert "fsync" not in config
    text = (top / "boot/loader/uEnv.txt").read_text()
    assert "kernel_image2=/boot/ostree/system-" in text
    assert "dep_trial=1" in text


def test_what_is_there_besides(repo, releases, tmp_path):
    top = tmp_path / "top"
    top.mkdir()
    old, new = (release.checksum for release in releases)
    make_system(repo, [old], str(top), OPTIONS._replace(preloaded=(("os/next", new),)))
    with Sysroot(str(top)) as sysroot:
        assert [one.checksum for one in load_sysroot(sysroot).deployments] == [old]
        assert require_rev(sysroot.repo, "os/next") == new
        assert load_commit(sysroot.repo, new).metadata.lookup("version", "s") == "2"


def test_what_is_on_the_disk_alone(repo, releases, tmp_path):
    top = tmp_path / "top"
    top.mkdir()
    files = (StateFile("lib/secret", b"1"), StateFile("sota/import/key", b"2"))
    options = OPTIONS._replace(state_files=files)
    inodes = make_system(repo, [releases[0].checksum], str(top), options)
    var = "ostree/deploy/system/var"
    assert (top / var / "lib/secret").read_bytes() == b"1"
    for path, mode in (
        ("lib/secret", 0o100600), ("sota", 0o40700), ("sota/import", 0o40700),
        ("sota/import/key", 0o100600),
    ):  # fmt: skip
        found = inodes[f"{var}/{path}"]
        assert (found.uid, found.gid, found.mode) == (0, 0, mode)
    # Of what a release begins with nothing has changed.
    assert inodes[f"{var}/lib"].mode == 0o40755


def test_what_is_to_be_like_what_was_committed_is_told(system):
    top, commits, inodes = system
    path = f"ostree/deploy/system/deploy/{commits[1]}.0"
    assert inodes[path].immutable
    assert not inodes[f"{path}/usr"].immutable
    assert inodes[f"{path}/etc/shadow"][:3] == (0, 42, 0o100640)
    assert inodes[f"{path}/usr/etc/shadow"] == inodes[f"{path}/etc/shadow"]
    assert inodes[f"{path}/usr/bin/setuid"].mode == 0o104755
    assert inodes[f"{path}/usr/bin/capable"].xattrs[0][0] == b"security.capability"
    assert inodes["ostree/deploy/system/var/lib/thing/state"][:2] == (7, 8)
    assert inodes["ostree/deploy/system/var/rootdirs/home/user"][:3] == (1000, 1000, 0o40700)
    for name in inodes:
        assert os.path.lexists(top / name), name


def test_a_file_is_there_once(system):
    top, commits, _ = system
    file = top / f"ostree/deploy/system/deploy/{commits[1]}.0/usr/lib/modules/{KVER}/vmlinuz"
    kernels = [path for path in (top / "boot/ostree").glob("*/vmlinuz-*") if path.samefile(file)]
    # The object, both deployments, and where the loader finds it.
    assert file.stat().st_nlink == 4
    assert len(kernels) == 1


def test_no_time_is_that_of_the_build(system):
    top, _, _ = system
    times = {path.lstat().st_mtime for path in top.rglob("*")}
    assert times == {0, 1700000000}


def test_nothing_temporary_is_left(system):
    top, _, _ = system
    assert os.listdir(top / "ostree/repo/tmp") == []
    assert not (top / "ostree/repo/.lock").exists()
    assert not (top / "ostree/lock").exists()
