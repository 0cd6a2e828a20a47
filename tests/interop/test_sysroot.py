# SPDX-License-Identifier: Apache-2.0
"""Sysroots that Debian's ostree made, read by ours."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from ostrya._linux.dirfd import open_dir
from ostrya.boot.backends.syslinux import make_syslinux
from ostrya.boot.backends.uboot import TREES_OWN, make_uenv
from ostrya.boot.bls import BootLink
from ostrya.boot.entry import Bootable, Place, entry_name, make_entry
from ostrya.boot.kernel import find_kernel
from ostrya.boot.os_release import parse_os_release, system_title
from ostrya.sysroot.deployment import Unlocked
from ostrya.sysroot.etc_merge import merge_etc
from ostrya.sysroot.loading import load_sysroot
from ostrya.sysroot.sysroot import Sysroot
from support import os_tree
from support.commands import OURS, PEER, Command

pytestmark = pytest.mark.peer


class Machine:
    """A sysroot in a directory, and a repository beside it with releases of one system."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.root = top / "sysroot"
        self.root.mkdir()
        env = {"OSTREE_SYSROOT_DEBUG": "mutable-deployments", "OSTREE_SYSROOT": str(self.root)}
        self.peer = Command(PEER.path, "peer", env=env)
        self.peer("admin", "init-fs", self.root)
        self.peer("admin", "os-init", "test")
        self.repo = f"--repo={self.root / 'ostree/repo'}"

    def release(self, version: str, without: tuple[str, ...] = ()) -> str:
        """Commit a release, without some of its defaults; its checksum."""
        tree = os_tree.make(self.top / f"tree-{version}", version, without)
        metadata = f"--add-metadata-string=version={version}"
        return self.peer(self.repo, "commit", "-b", "test/os", metadata, f"--tree=dir={tree}")

    def deploy(self, *words: str) -> None:
        """Let the peer deploy the newest release."""
        self.peer("admin", "deploy", "--os=test", "--karg=root=LABEL=root", *words, "test/os")


@pytest.fixture
def machine(tmp_path) -> Machine:
    if os.geteuid() != 0:
        pytest.skip("only root deploys into a bare repository")
    return Machine(tmp_path)


def test_nothing_is_deployed_yet(machine):
    with Sysroot(str(machine.root)) as sysroot:
        assert load_sysroot(sysroot) == (0, 0, (), None)


def test_what_the_peer_deploys(machine):
    first = machine.release("1")
    machine.deploy("--karg=quiet")
    second = machine.release("2")
    machine.deploy()
    machine.peer("admin", "pin", "1")
    with Sysroot(str(machine.root)) as sysroot:
        loaded = load_sysroot(sysroot)
        new, old = loaded.deployments
        assert (new.checksum, old.checksum) == (second, first)
        assert (new.stateroot, new.name.serial) == ("test", 0)
        assert str(old.kargs) == "root=LABEL=root quiet"
        assert (new.pinned, old.pinned) == (False, True)
        assert new.origin is not None
        assert new.origin.refspec == "test/os"
        assert new.unlocked is Unlocked.NONE
        assert loaded.booted is None
        assert new.entry is not None
        assert new.entry.fields["title"] == "Test OS 2 (ostree:0)"
        assert os.readlink(machine.root / f"ostree/boot.{loaded.bootversion}") == (
            f"boot.{loaded.bootversion}.{loaded.subbootversion}"
        )
        assert (machine.root / new.path / "usr/bin/tool").exists()
        for found in loaded.deployments:
            fd = open_dir(str(machine.root / found.path))
            try:
                assert find_kernel(fd).bootcsum == found.bootcsum
            finally:
                os.close(fd)
        # A release with the same kernel only renews the links.
        machine.deploy()
        again = load_sysroot(sysroot)
        assert again.deployments[0].name.serial == 1


def test_the_same_deployment_twice(machine):
    machine.release("1")
    machine.deploy()
    machine.deploy("--retain")
    with Sysroot(str(machine.root)) as sysroot:
        one, two = load_sysroot(sysroot).deployments
    assert one.bootcsum == two.bootcsum
    assert {one.bootserial, two.bootserial} == {0, 1}
    assert not one.is_same(two)


def test_both_write_the_same_entries(machine):
    machine.release("1")
    machine.deploy("--karg=quiet", "--karg=console=ttyS0")
    machine.release("3")
    machine.deploy("--karg-append=extra")
    with Sysroot(str(machine.root)) as sysroot:
        loaded = load_sysroot(sysroot)
    assert len(loaded.deployments) == 2
    folder = machine.root / f"boot/loader.{loaded.bootversion}/entries"
    for at, found in enumerate(loaded.deployments):
        assert found.entry is not None
        root = machine.root / found.path
        fd = open_dir(str(root))
        try:
            kernel = find_kernel(fd)
        finally:
            os.close(fd)
        values = parse_os_release((root / "etc/os-release").read_text())
        version = machine.peer(machine.repo, "show", "--print-metadata-key=version", found.checksum)
        what = Bootable(
            system_title(values, version.strip("'")),
            BootLink(loaded.bootversion, "test", found.bootcsum, found.bootserial),
            kernel,
            found.entry.kargs,
            found.path,
        )
        place = Place(at, len(loaded.deployments))
        name = entry_name(place, stateroot="test")
        assert (folder / str(name)).read_text() == make_entry(what, place).to_text()


@pytest.mark.parametrize("loader", ["uEnv.txt", "syslinux.cfg"])
def test_both_write_the_same_for_loaders(machine, loader):
    boot = machine.root / "boot"
    (boot / "loader.0").mkdir()
    (boot / "loader").symlink_to("loader.0")
    (boot / "loader/uEnv.txt" if loader == "uEnv.txt" else boot / "loader/syslinux.cfg").touch()
    if loader == "syslinux.cfg":
        (boot / "syslinux").mkdir()
        (boot / "syslinux/syslinux.cfg").symlink_to("../loader/syslinux.cfg")
        (boot / "loader/syslinux.cfg").write_text(
            "PROMPT 1\n\n\nTIMEOUT 50\n\nLABEL Test\n\tKERNEL /memtest\n\tAPPEND x\n\n"
        )
    before = (boot / "loader" / loader).read_text()
    machine.release("1")
    machine.deploy()
    for version in ("2", "3"):
        machine.release(version)
        machine.deploy("--retain")
        with Sysroot(str(machine.root)) as sysroot:
            deployments = load_sysroot(sysroot).deployments
        entries = [found.entry for found in deployments if found.entry is not None]
        if loader == "uEnv.txt":
            own = machine.root / deployments[0].path / TREES_OWN
            text = make_uenv(entries, own.read_text() if own.exists() else None)
            assert text.count("kernel_image") == int(version)
        else:
            text = make_syslinux(before, entries)
            assert text.count("(ostree:") == int(version) + 1
        before = (boot / "loader" / loader).read_text()
        assert text == before


def test_both_merge_etc_alike(machine, tmp_path):
    machine.release("1")
    machine.deploy()
    with Sysroot(str(machine.root)) as sysroot:
        old = machine.root / load_sysroot(sysroot).deployments[0].path
    change_etc(old / "etc")
    machine.release("2", without=("dropped", "gone"))
    machine.deploy()
    with Sysroot(str(machine.root)) as sysroot:
        new = machine.root / load_sysroot(sysroot).deployments[0].path
    ours = tmp_path / "ours"
    shutil.copytree(new / "usr/etc", ours, symlinks=True)
    with ExitStack() as stack:
        fds = [open_dir(str(path)) for path in (old / "usr/etc", old / "etc", ours)]
        for fd in fds:
            stack.callback(os.close, fd)
        counts = merge_etc(*fds)
    assert counts.modified > 3
    assert listing(ours) == listing(new / "etc")


def change_etc(etc: Path) -> None:
    """Change files of all kinds in all ways."""
    (etc / "default").write_text("mine\n")
    (etc / "dir").chmod(0o750)
    (etc / "dir/file").chmod(0o600)
    (etc / "same").unlink()
    (etc / "same").mkdir()
    (etc / "same/deep").write_text("deep\n")
    (etc / "dropped/x").write_text("mine\n")
    (etc / "dropped/y").unlink()
    (etc / "link").unlink()
    (etc / "link").symlink_to("elsewhere")
    (etc / "gone").unlink()
    (etc / "own/a/b").mkdir(parents=True)
    (etc / "own/a/b/c").write_text("mine\n")
    (etc / "own/a").chmod(0o700)
    os.chown(etc / "owner", 3, 4)
    os.mkfifo(etc / "pipe")
    (etc / "os-release").chmod(0o4755)


def listing(top: Path) -> dict[str, tuple[object, ...]]:
    """All paths with kind, mode, owner and content."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(top.rglob("*")):
        info = path.lstat()
        if path.is_symlink():
            content: object = os.readlink(path)
        else:
            content = path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(top))] = (oct(info.st_mode), info.st_uid, info.st_gid, content)
    return found


def test_an_argument_of_the_peers_with_an_open_quote(machine):
    first = machine.release("1")
    machine.deploy('--karg=a="b')
    with Sysroot(str(machine.root)) as sysroot:
        (only,) = load_sysroot(sysroot).deployments
        assert only.checksum == first
        assert [str(one) for one in only.kargs] == ["root=LABEL=root", 'a="b']
    # It stays readable for both.
    second = machine.release("2")
    ours = Command(OURS.path, "ours", env=machine.peer.env)
    ours("admin", "deploy", "--os=test", "test/os")
    for tool in (ours, machine.peer):
        said = tool("admin", "status")
        assert [second in said, first in said] == [True, True]
