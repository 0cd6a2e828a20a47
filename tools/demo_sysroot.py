# SPDX-License-Identifier: Apache-2.0
"""The demo's last part: a system is installed in a directory, updated over HTTP, and rolled back.

The directory is what a device's disk would hold. Its kernel is a stand-in, since nothing boots
here; everything else is done as on a device, without root, with the user's own ids.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from demo_fleet import print_lines, repo_option, served

if TYPE_CHECKING:
    from demo import Demo

REF = "stable/demo/system"
PROGRAMS = 40
KERNEL = "usr/lib/modules/6.1.0-demo"
VARIABLES = {"OSTREE_SYSROOT": "", "OSTREE_SYSROOT_DEBUG": "mutable-deployments"}


def play(demo: Demo, release: Path) -> None:
    """All steps."""
    demo.say("A vendor's system: programs, settings, a kernel; release 1 is published")
    vendor = repo_option(demo, "vendor-os")
    demo.run(vendor, "init", "--mode=archive")
    publish(demo, vendor, make_system(demo, release, "1"), "1")
    with served(demo, "vendor-os") as url:
        demo.say("A disk to install it on, as a directory")
        disk = prepare(demo, demo.work / "disk")
        try:
            install(demo, disk, url)
            update(demo, disk, vendor, make_system(demo, release, "2"))
        finally:
            for name in VARIABLES:
                os.environ.pop(name, None)


def make_system(demo: Demo, release: Path, version: str) -> Path:
    """A small system with some of the release's programs and settings."""
    tree = demo.work / f"os-{version}"
    for name in ("usr/bin", "usr/etc", "usr/lib", KERNEL, "boot", "dev", "proc", "run", "sys"):
        (tree / name).mkdir(parents=True)
    for name in ("sysroot", "tmp", "var"):
        (tree / name).mkdir()
    (tree / "ostree").symlink_to("sysroot/ostree")
    for place, target in (("usr/bin", "usr/bin"), ("etc", "usr/etc")):
        for path in plain_files(release / place):
            shutil.copy(path, tree / target / path.name)
    title = f'NAME=Demo\nID=demo\nPRETTY_NAME="Demo OS {version}"\n'
    (tree / "usr/lib/os-release").write_text(title)
    (tree / "usr/etc/motd").write_text(f"Welcome to release {version}\n")
    (tree / "usr/etc/server.conf").write_text(f"port=80\nworkers={version}\n")
    (tree / KERNEL / "vmlinuz").write_text(f"a stand-in for kernel {version}\n")
    (tree / KERNEL / "initramfs.img").write_text(f"a stand-in for ramdisk {version}\n")
    return tree


def plain_files(folder: Path) -> list[Path]:
    """The first regular files in a directory, if there is one."""
    if not folder.is_dir():
        return []
    found = sorted(path for path in folder.iterdir() if path.is_file() and not path.is_symlink())
    return [path for path in found if os.access(path, os.R_OK)][:PROGRAMS]


def publish(demo: Demo, vendor: str, tree: Path, version: str) -> None:
    """Commit a release with the user's own ids, so that the user may deploy it."""
    demo.run(
        vendor, "commit", f"--branch={REF}", f"--subject=Release {version}",
        f"--add-metadata-string=version={version}",
        f"--owner-uid={os.getuid()}", f"--owner-gid={os.getgid()}",
        f"--tree=dir={demo.shown(tree)}",
        progress=True,
    )  # fmt: skip
    demo.run(vendor, "summary", "--update")


def prepare(demo: Demo, disk: Path) -> Path:
    """Make the directory a sysroot; what the user would type of the environment is shown."""
    disk.mkdir()
    os.environ.update(VARIABLES, OSTREE_SYSROOT=str(disk))
    for name, text in (
        ("OSTREE_SYSROOT", demo.shown(disk)),
        # Else deployments made by root could not be deleted with the folder.
        ("OSTREE_SYSROOT_DEBUG", VARIABLES["OSTREE_SYSROOT_DEBUG"]),
    ):
        demo.console.print(f"   [green]$[/green] export {name}={text}")
    demo.run("admin", "init-fs", "--modern", disk)
    demo.run("admin", "stateroot-init", "demo")
    return disk


def install(demo: Demo, disk: Path, url: str) -> None:
    """Pull release 1 and deploy it."""
    repo = f"--repo={demo.shown(disk / 'ostree/repo')}"
    demo.run(repo, "remote", "add", "local_repo", url, "--no-gpg-verify")
    print_lines(demo, demo.run(repo, "remote", "refs", "local_repo"))
    demo.run(repo, "pull", f"local_repo:{REF}", progress=True)
    words = ("--os=demo", "--karg=root=LABEL=root", "--karg=quiet")
    demo.run("admin", "deploy", *words, f"local_repo:{REF}", progress=True)
    show_status(demo)


def update(demo: Demo, disk: Path, vendor: str, tree: Path) -> None:
    """Change a setting, deploy release 2, look at both, and go back."""
    demo.say("On the device somebody edits a setting; the vendor publishes release 2")
    settings = Path(demo.run("admin", "--print-current-dir").strip()) / "etc"
    (settings / "server.conf").write_text("port=8080\nworkers=1\n")
    demo.console.print(f"   [dim]{demo.shown(settings / 'server.conf')} says port=8080 now[/dim]")
    print_lines(demo, demo.run("admin", "config-diff", "--os=demo"))
    publish(demo, vendor, tree, "2")
    demo.say("What would an update do? Then it is pulled, and deployed beside the old system")
    repo = f"--repo={demo.shown(disk / 'ostree/repo')}"
    demo.run(repo, "pull", f"local_repo:{REF}", progress=True)
    print_lines(demo, demo.run("admin", "etc-plan", "--os=demo", f"local_repo:{REF}"))
    demo.run("admin", "deploy", "--os=demo", f"local_repo:{REF}", progress=True)
    show_status(demo)
    demo.say("The edited setting came along; what nobody touched is the vendor's new one")
    settings = Path(demo.run("admin", "--print-current-dir").strip()) / "etc"
    for name in ("server.conf", "motd"):
        demo.console.print(f"   [dim]etc/{name}[/dim]")
        print_lines(demo, (settings / name).read_text())
    demo.say("What the boot loader reads: the greatest version is booted")
    for entry in sorted((disk / "boot/loader/entries").iterdir(), reverse=True):
        demo.console.print(f"   [dim]{demo.shown(entry)}[/dim]")
        print_lines(demo, entry.read_text())
    demo.say("Release 2 does not please: back to release 1")
    demo.run("admin", "rollback")
    show_status(demo)


def show_status(demo: Demo) -> None:
    """List deployments, and say which one is booted next."""
    print_lines(demo, demo.run("admin", "status"))
    status = json.loads(demo.run("admin", "status", "--json"))
    print_lines(demo, f'"next_boot": "{status["next_boot"]}"')
