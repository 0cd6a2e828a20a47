# SPDX-License-Identifier: Apache-2.0
"""Killed at any step of a change, a sysroot boots the old system or the new one, whole.

After each kill a judge that knows nothing of our code reads what a boot loader reads: every entry
names a kernel and a ramdisk that are whole, and leads to a deployment that is its commit to the
last byte, with a complete ``/etc``; what U-Boot and SYSLINUX read names the same. Then the command
is run again, and leaves just what a run leaves that nobody disturbed.

``make test`` stops each scene at a few steps, evenly spread; ``make crash-full`` at all of them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support import boot_judge, crashes, mounts, staged_machine, trees
from support.command_machines import Machine
from support.commands import OURS, clean_environment

pytestmark = [
    pytest.mark.crash, pytest.mark.peer, pytest.mark.root, pytest.mark.timeout(1800),
]  # fmt: skip

CALLS = crashes.PUBLISHING + crashes.REMOVING + crashes.MAKING
SAMPLE = 7
DEPLOY = ("deploy", "--os=test", "test/os")
OWN = {"etc/own", "etc/own/deep", "etc/own/deep/file", "etc/to"}


class Place:
    """A sysroot, the state it is put back to, and the judge of what becomes of it."""

    def __init__(self, top: Path, *, is_flat: bool = False) -> None:
        self.top = top
        self.machine = Machine(top)
        self.root = self.machine.root
        self.judge = boot_judge.Judge(self.root, top, is_flat)
        if is_flat:
            self.machine.set("sysroot.bootloader", "systemd-boot")
        self.state = top / "state"
        for name in ("run", "usr", "var"):
            (self.state / name).mkdir(parents=True)
        # Which deployment is running, where one is.
        self.running = self._saved = ""

    def admin(self, *words: str) -> list[str]:
        """A command of ours, on one processor, so that it makes no workers."""
        cpu = sorted(os.sched_getaffinity(0))[os.getpid() % len(os.sched_getaffinity(0))]
        env = ("OSTREE_SYSROOT_DEBUG=mutable-deployments", f"OSTREE_SYSROOT={self.root}")
        pinned = ["taskset", "--cpu-list", str(cpu)]
        return ["env", *env, *pinned, *OURS.argv("admin", *words)]

    def staged(self, *words: str) -> list[str]:
        """The same for what only a running system can do."""
        script = [sys.executable, staged_machine.__file__]
        return [*script, str(self.root), str(self.state), self.running, *words]

    def run(self, *argvs: list[str]) -> None:
        """Run commands to their ends."""
        for argv in argvs:
            done = subprocess.run(
                argv, env=clean_environment(), capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, (argv, done.stderr)

    def save(self) -> None:
        """Remember the state of now."""
        base = self.top / "base"
        base.mkdir()
        for name in ("sysroot", "state"):
            subprocess.run(["cp", "-a", self.top / name, base / name], check=True)
        self._saved = self.running

    def restore(self) -> None:
        """Put it back; what is mounted stays mounted."""
        base, self.running = self.top / "base", self._saved
        for name in ("sysroot/boot", "sysroot", "state"):
            for path in (self.top / name).iterdir():
                if path != self.root / "boot":
                    shutil.rmtree(
                        path
                    ) if path.is_dir() and not path.is_symlink() else path.unlink()
        for name in ("sysroot", "state"):
            subprocess.run(["cp", "-a", f"{base / name}/.", self.top / name], check=True)

    def left(self) -> list[str]:
        """What boots, and the names of everything that is there."""
        found = [f"{one.commit} {one.says} {one.origin}" for one in self.judge.look()]
        noted = [f"run/{name}" for name in sorted(os.listdir(self.state / "run"))]
        return [*found, *boot_judge.names_below(self.root), *noted]

    def commits(self) -> list[str]:
        """The commits that boot, the default first."""
        return [one.commit for one in self.judge.look()]

    def first_release(self, *kargs: str) -> str:
        """Release 1, deployed."""
        commit = self.machine.release("1")
        self.machine.deploy(*(kargs or ("--karg=root=LABEL=root", "--karg=quiet")))
        return commit

    def boot(self) -> None:
        """Let the default deployment be the running one."""
        self.running = self.judge.look()[0].path
        shutil.rmtree(self.state / "run")
        (self.state / "run").mkdir()

    def change_etc(self) -> None:
        """What an administrator changes in the default deployment."""
        etc = self.root / self.judge.look()[0].path / "etc"
        trees.write(etc / "own/deep/file", b"mine\n")
        (etc / "default").write_text("mine\n")
        (etc / "gone").unlink()
        (etc / "to").symlink_to("default")


@dataclass(frozen=True)
class Scene:
    """A sysroot before, and a command.

    Attributes:
        prepare: Makes what there is before the command.
        command: The command line.
        again: What is run after a kill; by default the command.
        is_flat: Whether boot entries come and go one by one.
        is_repeatable: Whether the command does the same once more where it was done already.
        has_own_boot: Whether ``/boot`` is a file system of its own.
    """

    prepare: Callable[[Place], None]
    command: Callable[[Place], list[str]]
    again: Callable[[Place], list[list[str]]] | None = None
    is_flat: bool = False
    is_repeatable: bool = False
    has_own_boot: bool = False


def two_releases(second: str = "2", kernel: str | None = None) -> Callable[[Place], None]:
    def prepare(place: Place) -> None:
        place.first_release()
        place.change_etc()
        place.machine.release(second, kernel)

    return prepare


def nothing_deployed(place: Place) -> None:
    place.machine.release("1")


def with_uboot(place: Place) -> None:
    boot = place.root / "boot"
    (boot / "loader.0").mkdir()
    (boot / "loader").symlink_to("loader.0")
    (boot / "loader/uEnv.txt").touch()
    two_releases("3")(place)


def with_syslinux(place: Place) -> None:
    boot = place.root / "boot"
    (boot / "loader.0").mkdir()
    (boot / "loader").symlink_to("loader.0")
    (boot / "syslinux").mkdir()
    (boot / "syslinux/syslinux.cfg").symlink_to("../loader/syslinux.cfg")
    (boot / "loader/syslinux.cfg").write_text("TIMEOUT 50\n\nLABEL Test\n\tKERNEL /memtest\n")
    two_releases()(place)


def two_deployed(place: Place) -> None:
    two_releases()(place)
    place.machine.deploy()


def with_leftovers(place: Place) -> None:
    """What kills and other tools may leave behind, of all kinds."""
    two_deployed(place)
    default = place.root / place.judge.look()[0].path
    subprocess.run(["cp", "-a", default, default.with_name(f"{'5c' * 32}.7")], check=True)
    default.with_name(f"{'5c' * 32}.7.origin").write_text("[origin]\nrefspec=x\n")
    backing = place.root / f"ostree/deploy/test/backing/{'5c' * 32}.7"
    (backing / "root-transient/work").mkdir(parents=True)
    now = (place.root / "boot/loader").readlink().name[-1]
    other = 1 - int(now)
    boot = place.root / "boot"
    shutil.copytree(boot / f"loader.{now}", boot / f"loader.{other}")
    trees.write(boot / f"ostree/test-{'3f' * 32}/vmlinuz-1", b"kernel\n")
    (boot / "loader.tmp").symlink_to(f"loader.{other}")
    ostree = place.root / "ostree"
    subprocess.run(["cp", "-a", ostree / f"boot.{now}.1", ostree / f"boot.{other}.0"], check=False)
    (ostree / f"boot.{other}").symlink_to(f"boot.{other}.0")
    trees.write(ostree / "repo/refs/heads/ostree/0/0/7", place.commits()[1].encode())
    for folder in ("boot", "boot/ostree", "boot/loader", "ostree/deploy/test/deploy"):
        (place.root / folder / "tmp.0123456789abcdef").write_text("half\n")


def with_remote(place: Place) -> None:
    vendor = place.top / "vendor"
    place.machine.ours("init", f"--repo={vendor}", "--mode=archive")
    place.first_release()
    ours, repo = place.machine.ours, place.machine.repo
    ours(repo, "remote", "add", "--no-gpg-verify", "vendor", f"file://{vendor}")
    place.machine.release("2")
    ours(f"--repo={vendor}", "pull-local", place.root / "ostree/repo", "test/os")
    # Here only release 1 is left, and it follows the remote's ref.
    ours(repo, "refs", "--delete", "test/os")
    ours("admin", "set-origin", "--index=0", "vendor", f"file://{vendor}", "test/os")
    ours("admin", "cleanup")
    place.change_etc()


def booted(place: Place) -> None:
    two_releases()(place)
    place.boot()


def with_staged(place: Place) -> None:
    booted(place)
    place.run(stage(place))


def with_another_staged(place: Place) -> None:
    with_staged(place)
    place.machine.release("3")


def deploy(place: Place) -> list[str]:
    return place.admin(*DEPLOY)


def undeploy_default(place: Place) -> list[str]:
    return place.admin("undeploy", "0")


def upgrade(place: Place) -> list[str]:
    return place.admin("upgrade", "--os=test")


def swap_default(place: Place) -> list[str]:
    return place.admin("set-default", "1")


def undeploy_again(place: Place) -> list[list[str]]:
    # It may be done but for what is left to be cleaned away.
    found, gone = place.commits(), json.loads((place.top / "before").read_text())[0]
    words = ("undeploy", str(found.index(gone))) if gone in found else ("cleanup",)
    return [place.admin(*words)]


def swap_again(place: Place) -> list[list[str]]:
    wanted = json.loads((place.top / "before").read_text())[1]
    cleanup = place.admin("cleanup")
    index = place.commits().index(wanted)
    return [cleanup] if index == 0 else [place.admin("set-default", str(index)), cleanup]


def stage(place: Place) -> list[str]:
    return place.staged("stage", "test/os")


def finalize_again(place: Place) -> list[list[str]]:
    """The service may be run once more; then power comes back."""
    place.run(place.staged("finalize"))
    before = json.loads((place.top / "before").read_text())
    is_done = place.commits() != before
    place.boot()
    if is_done:
        return [place.admin("cleanup")]
    return [stage(place), place.staged("finalize"), place.admin("cleanup")]


SCENES = {
    "deploy, the first": Scene(nothing_deployed, deploy, is_repeatable=True),
    "deploy, /etc merged": Scene(two_releases(), deploy, is_repeatable=True),
    "deploy, same kernel": Scene(
        lambda place: (two_deployed(place), place.machine.release("4", kernel="2"))[0],
        deploy,
        is_repeatable=True,
    ),
    "deploy, U-Boot": Scene(with_uboot, deploy, is_repeatable=True),
    "deploy, SYSLINUX": Scene(with_syslinux, deploy, is_repeatable=True),
    "deploy, entries one by one": Scene(
        two_releases(), deploy, is_flat=True, is_repeatable=True
    ),
    "deploy, /boot on its own": Scene(
        two_releases(), deploy, is_repeatable=True, has_own_boot=True
    ),
    "undeploy": Scene(two_deployed, undeploy_default, undeploy_again),
    "undeploy, entries one by one": Scene(
        two_deployed, undeploy_default, undeploy_again, is_flat=True
    ),
    "cleanup": Scene(with_leftovers, lambda place: place.admin("cleanup"), is_repeatable=True),
    "set-default": Scene(two_deployed, swap_default, swap_again),
    "set-default, entries one by one": Scene(two_deployed, swap_default, swap_again, is_flat=True),
    "upgrade": Scene(with_remote, upgrade, lambda place: [upgrade(place), place.admin("cleanup")]),
    "stage": Scene(booted, stage, is_repeatable=True),
    "stage in place of another": Scene(with_another_staged, stage, is_repeatable=True),
    "finalize": Scene(with_staged, lambda place: place.staged("finalize"), finalize_again),
}  # fmt: skip


@pytest.fixture
def make_place(tmp_path) -> Iterator[Callable[[Scene], Place]]:
    def make(scene: Scene) -> Place:
        if scene.has_own_boot:
            disk = mounts.mount("tmpfs", tmp_path / "disk", size=64 << 20)
            (tmp_path / "sysroot/boot").mkdir(parents=True)
            mounts.run("mount", "--bind", str(disk), str(tmp_path / "sysroot/boot"))
        place = Place(tmp_path, is_flat=scene.is_flat)
        scene.prepare(place)
        return place

    yield make
    mounts.unmount(tmp_path)


@pytest.mark.parametrize("name", SCENES)
def test_killed_at_any_step(make_place, name, crash_full, record_property):
    scene = SCENES[name]
    place = make_place(scene)
    place.save()
    place.judge.remember()
    before, log = place.commits(), place.top / "strace"
    (place.top / "before").write_text(json.dumps(before))
    command = scene.command(place)
    steps = crashes.find_steps(command, log, CALLS)
    place.judge.remember()
    place.judge.fsck()
    after = place.commits()
    check_merged(place, before)
    again = scene.again or (lambda _place: [command])
    wanted = place.left()
    place.run(*again(place))
    wanted_twice = place.left()
    if not scene.is_repeatable:
        wanted = wanted_twice
    reached = 0
    for step in steps if crash_full else crashes.sample_steps(steps, SAMPLE):
        place.restore()
        reached += crashes.run_and_kill(command, log, step)
        where = f"{name}, killed at {step}"
        found = judged(place, where)
        assert found[:1] in (before[:1], after[:1]), where
        assert set(found) <= {*before, *after}, where
        is_done = found == after != before
        place.run(*again(place))
        judged(place, f"{where}, and run again")
        check_same(place.left(), wanted_twice if is_done else wanted, where)
    assert reached, "no point was reached"
    record_property("told", f"{name}|{reached} kills|{len(steps)} steps")


def check_merged(place: Place, before: list[str]) -> None:
    """The new ``/etc`` has all defaults, and what was changed in the old one."""
    found = place.judge.look()
    new, old = found[0], found[-1]
    if new.commit in before or "etc/own/deep/file" not in old.etc:
        return
    defaults = boot_judge.listing(place.root / new.path / "usr/etc")
    paths = {f"etc/{path}" for path in defaults if path not in (".", "gone")}
    assert paths | OWN == new.etc.keys() - {"etc"}
    assert all(new.etc[path] == old.etc[path] for path in OWN | {"etc/default"})


def check_same(found: list[str], wanted: list[str], where: str) -> None:
    """Left is just what is wanted."""
    more, less = Counter(found) - Counter(wanted), Counter(wanted) - Counter(found)
    assert found == wanted, f"{where}: too much: {[*more]}, missing: {[*less]}"


def judged(place: Place, where: str) -> list[str]:
    """The commits that boot, if all is whole."""
    try:
        found = place.commits()
        place.judge.fsck()
    except (AssertionError, OSError) as exc:
        raise AssertionError(f"{where}: {exc}") from exc
    return found
