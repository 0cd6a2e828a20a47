# SPDX-License-Identifier: Apache-2.0
"""Sysroots and commands that change them, to be disturbed in all ways."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from support import boot_judge, mounts, staged_machine, trees
from support.command_machines import Machine
from support.commands import OURS, clean_environment

# Two of them fit into a small /boot, and a third one only if one of them goes.
LARGE_KERNEL, SMALL_BOOT = 5 << 20, 16 << 20
DEPLOY = ("deploy", "--os=test", "test/os")
OWN = {"etc/own", "etc/own/deep", "etc/own/deep/file", "etc/to"}


class Place:
    """A sysroot, the state it is put back to, and the judge of what becomes of it."""

    def __init__(self, top: Path, *, is_flat: bool = False, boot_bytes: int = 0) -> None:
        self.top = top
        if boot_bytes:
            self._mount_boot(boot_bytes)
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
        self.before: list[str] = []
        self.left_before: list[str] = []

    def _mount_boot(self, size: int) -> None:
        disk = mounts.mount("tmpfs", self.top / "boot-disk", size=size)
        boot = self.top / "sysroot/boot"
        boot.mkdir(parents=True)
        mounts.run("mount", "--bind", str(disk), str(boot))

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
        self._saved, self.before, self.left_before = self.running, self.commits(), self.left()
        self.judge.remember()

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
        # What has no name yet in /run goes with the next boot.
        names = sorted(os.listdir(self.state / "run"))
        noted = [f"run/{name}" for name in names if not name.startswith("tmp.")]
        return [*found, *boot_judge.names_below(self.root), *noted]

    def commits(self) -> list[str]:
        """The commits that boot, the default first."""
        return [one.commit for one in self.judge.look()]

    def default(self) -> tuple[str, ...]:
        """What the default entry says, and of which commit it is."""
        found = self.judge.look()
        return (found[0].commit, *found[0].says) if found else ()

    def deployments(self) -> list[str]:
        """The commits as our commands count them: for two entries of one, the first counts."""
        return list(dict.fromkeys(self.commits()))

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
        boot_bytes: How large ``/boot`` is where it is a file system of its own, else 0.
    """

    prepare: Callable[[Place], None]
    command: Callable[[Place], list[str]]
    again: Callable[[Place], list[list[str]]] | None = None
    is_flat: bool = False
    is_repeatable: bool = False
    boot_bytes: int = 0


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


def with_grub(place: Place) -> None:
    boot = place.root / "boot"
    (boot / "grub").mkdir()
    (boot / "grub/grub.cfg").symlink_to("../loader/grub.cfg")
    two_releases()(place)


def with_grub_on_efi(place: Place) -> None:
    trees.write(place.root / "boot/efi/EFI/debian/grub.cfg", b"the installer's\n")
    two_releases()(place)
    # So that what GRUB reads has a copy of what it read before.
    place.machine.deploy("--karg-append=extra")
    place.machine.release("4")


def two_deployed(place: Place) -> None:
    two_releases()(place)
    place.machine.deploy()


def all_with_one_kernel(place: Place) -> None:
    """So that nothing changes but where links lead to."""
    two_releases("2", kernel="1")(place)
    place.machine.deploy()
    place.machine.release("4", kernel="1")


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


def no_room_for_three(place: Place) -> None:
    for version in ("1", "2"):
        place.machine.release(version, kernel_bytes=LARGE_KERNEL)
        place.machine.deploy()
    place.machine.release("3", kernel_bytes=LARGE_KERNEL)


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
    found, gone = place.deployments(), place.before[0]
    words = ("undeploy", str(found.index(gone))) if gone in found else ("cleanup",)
    return [place.admin(*words)]


def deploy_otherwise(place: Place) -> list[str]:
    return place.admin(*DEPLOY, "--karg=console=ttyS0")


def swap_again(place: Place) -> list[list[str]]:
    wanted = place.before[1]
    cleanup = place.admin("cleanup")
    index = place.deployments().index(wanted)
    return [cleanup] if index == 0 else [place.admin("set-default", str(index)), cleanup]


def stage(place: Place) -> list[str]:
    return place.staged("stage", "test/os")


def finalize_again(place: Place) -> list[list[str]]:
    """The service may be run once more; then power comes back."""
    place.run(place.staged("finalize"))
    is_done = place.commits() != place.before
    place.boot()
    if is_done:
        return [place.admin("cleanup")]
    return [stage(place), place.staged("finalize"), place.admin("cleanup")]


SCENES = {
    "deploy, the first": Scene(nothing_deployed, deploy, is_repeatable=True),
    "deploy, /etc merged": Scene(two_releases(), deploy, is_repeatable=True),
    "deploy, same kernel": Scene(
        all_with_one_kernel,
        deploy,
        is_repeatable=True,
    ),
    "deploy, other arguments": Scene(
        two_releases(kernel="1"), deploy_otherwise, is_repeatable=True, boot_bytes=SMALL_BOOT
    ),
    "deploy, U-Boot": Scene(with_uboot, deploy, is_repeatable=True),
    "deploy, SYSLINUX": Scene(with_syslinux, deploy, is_repeatable=True),
    "deploy, GRUB": Scene(with_grub, deploy, is_repeatable=True),
    "deploy, GRUB on EFI": Scene(with_grub_on_efi, deploy, is_repeatable=True),
    "deploy, entries one by one": Scene(
        two_releases(), deploy, is_flat=True, is_repeatable=True
    ),
    "deploy, /boot on its own": Scene(
        two_releases(), deploy, is_repeatable=True, boot_bytes=64 << 20
    ),
    "deploy, --early-prune": Scene(
        no_room_for_three,
        lambda place: place.admin(*DEPLOY, "--early-prune"),
        is_repeatable=True,
        boot_bytes=SMALL_BOOT,
    ),
    "undeploy": Scene(two_deployed, undeploy_default, undeploy_again),
    "undeploy, entries one by one": Scene(
        two_deployed, undeploy_default, undeploy_again, is_flat=True
    ),
    "cleanup": Scene(with_leftovers, lambda place: place.admin("cleanup"), is_repeatable=True),
    "set-default": Scene(two_deployed, swap_default, swap_again),
    "set-default, entries one by one": Scene(two_deployed, swap_default, swap_again, is_flat=True),
    "upgrade": Scene(with_remote, upgrade, lambda place: [upgrade(place), place.admin("cleanup")], boot_bytes=64 << 20),
    "stage": Scene(booted, stage, is_repeatable=True, boot_bytes=64 << 20),
    "stage in place of another": Scene(with_another_staged, stage, is_repeatable=True),
    "finalize": Scene(with_staged, lambda place: place.staged("finalize"), finalize_again),
}  # fmt: skip


def check_tidy(left: list[str]) -> None:
    """There is one directory for each entry, and for one that is staged; and nothing half done."""
    entries = sum("/entries/" in name for name in left)
    staged = left.count("run/staged-deployment")
    for pattern in (r"ostree/deploy/test/deploy/[^/]*/", r"ostree/deploy/test/deploy/.*\.origin"):
        found = [name for name in left if re.fullmatch(pattern, name)]
        assert len(found) == entries + staged, found
    assert not [name for name in left if "tmp" in name and "/var/" not in name]


class Trial:
    """A scene, played once without disturbance, to be played again with one.

    Attributes:
        place: Where.
        command: The command line.
        after: The commits that boot once it is done, the default first.
    """

    def __init__(
        self, place: Place, scene: Scene, play: Callable[[list[str]], object] | None = None
    ) -> None:
        """Prepare, and play it.

        Args:
            place: Where; nothing is there yet.
            scene: What.
            play: Runs the command the first time.
        """
        self.place = place
        scene.prepare(place)
        place.save()
        self.command = scene.command(place)
        self._old_default = place.default()
        self._again = scene.again or (lambda _place: [self.command])
        (play or place.run)(self.command)
        place.judge.remember()
        place.judge.fsck()
        self.after = place.commits()
        self._default = place.default()
        self._check_merged()
        wanted = place.left()
        place.run(*self._again(place))
        self._wanted_twice = place.left()
        self._wanted = wanted if scene.is_repeatable else self._wanted_twice
        for left in (self._wanted, self._wanted_twice):
            check_tidy(left)

    @property
    def switches(self) -> bool:
        """Whether there is a step that makes another system the default."""
        return self._default != self._old_default

    def check(self, where: str) -> bool:
        """All that boots is whole; the default is the old or the new one. Whether it is done."""
        found = self._judged(where)
        before = self.place.before
        assert found[:1] in (before[:1], self.after[:1]), where
        assert set(found) <= {*before, *self.after}, where
        return self.place.default() == self._default != self._old_default

    def finish(self, where: str, *, is_done: bool) -> None:
        """Run it again; then there is what is there when nobody disturbs it."""
        self.place.run(*self._again(self.place))
        self._judged(f"{where}, and run again")
        self.place.judge.check_esp()
        found, wanted = self.place.left(), self._wanted_twice if is_done else self._wanted
        more, less = Counter(found) - Counter(wanted), Counter(wanted) - Counter(found)
        assert found == wanted, f"{where}: too much: {[*more]}, missing: {[*less]}"

    def _judged(self, where: str) -> list[str]:
        try:
            found = self.place.commits()
            self.place.judge.fsck()
        except (AssertionError, OSError) as exc:
            raise AssertionError(f"{where}: {exc}") from exc
        return found

    def _check_merged(self) -> None:
        """The new ``/etc`` has all defaults, and what was changed in the old one."""
        found = self.place.judge.look()
        new, old = found[0], found[-1]
        if new.commit in self.place.before or "etc/own/deep/file" not in old.etc:
            return
        defaults = boot_judge.listing(self.place.root / new.path / "usr/etc")
        paths = {f"etc/{path}" for path in defaults if path not in (".", "gone")}
        assert paths | OWN == new.etc.keys() - {"etc"}
        assert all(new.etc[path] == old.etc[path] for path in OWN | {"etc/default"})
