# SPDX-License-Identifier: Apache-2.0
"""Our ramdisk, booted: what it makes of a deployment, and how it ends when it cannot."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import vm_tree
from ostrya.boot.initramfs import cpio
from ostrya.boot.initramfs.build import InitramfsOptions, build_initramfs
from ostrya.boot.initramfs.compress import Compression
from ostrya.formats.gvariant.decode import decode_variant
from support import partitions, qemu, vm_system
from support.commands import clean_environment
from support.qemu import FAST_KARGS, Disk, Guest, qemu_argv
from support.vm_system import UUID, Console, System, make_disk, make_system

pytestmark = [pytest.mark.vm, pytest.mark.xdist_group("vm")]
PARTUUID = "c0ffee00-1234-4abc-8def-0123456789ab"


class World:
    """A kernel, a ramdisk, and a disk that every test has a copy of."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        tree = vm_tree.build()
        self.kernel = vm_tree.kernel_image(tree)
        self.busybox = tree / "usr/bin/busybox"
        self.system: System = make_system(folder, self.busybox)
        self.disk = make_disk(self.system, folder / "disk.img")
        # Not compressed: quicker to make, and archives can follow it.
        self.ramdisk = build_initramfs(
            str(tree), InitramfsOptions(compression=Compression.NONE)
        ).data


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    for reason in (qemu.missing(), vm_tree.missing()):
        if reason:
            pytest.skip(reason)
    return World(tmp_path_factory.mktemp("ramdisk"))


@pytest.fixture
def disk(world, tmp_path) -> Path:
    """A disk to write to."""
    copy = tmp_path / "disk.img"
    subprocess.run(["cp", "--sparse=always", world.disk, copy], check=True)
    return copy


Boot = Callable[..., Guest]


@pytest.fixture
def boot(world, disk, tmp_path) -> Iterator[Boot]:
    """Start a guest."""
    guests = []

    def start(
        kargs: str = "", *, conf: str = "", disks=None, link: str = world.system.link
    ) -> Guest:
        ramdisk = world.ramdisk
        if conf:
            path = "usr/lib/ostree/prepare-root.conf"
            ramdisk += b"".join(cpio.encode_cpio([cpio.file(path, conf.encode())]))
        (tmp_path / "ramdisk").write_bytes(ramdisk)
        argv = qemu_argv(
            kernel=world.kernel, initrd=tmp_path / "ramdisk",
            append=f"console=ttyS0 loglevel=4 {FAST_KARGS} ostree={link} {kargs}", disks=disks or [Disk(disk)],
        )  # fmt: skip
        guests.append(Guest(argv))
        return guests[-1]

    yield start
    for guest in guests:
        guest.kill()


def debugfs(image: Path, *commands: str) -> str:
    environment = clean_environment() | {"PATH": f"/usr/sbin:/sbin:{os.environ['PATH']}"}
    argv = ["debugfs", "-w", "-f", "-", str(image)]
    done = subprocess.run(
        argv, input="\n".join(commands), capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout + done.stderr


def writable(console: Console) -> set[str]:
    """Which places can be written to."""
    line = "for d in / /usr /etc /var /boot /sysroot; do touch $d/.w 2>/dev/null && echo W$d; done; true"
    return {word[1:] for word in console.run(line).split() if word.startswith("W/")}


def note(console: Console):
    """What /run/ostree-booted says."""
    text = console.run("hexdump -v -e '1/1 \"%02x\"' /run/ostree-booted; echo")
    return decode_variant("a{sv}", bytes.fromhex(text.split()[-1]), byteorder="little")


def power_off(console: Console) -> None:
    console.guest.send("sync; poweroff -f")
    console.guest.wait()


def test_a_deployment_is_put_together(boot, world, disk):
    guest = boot("quiet ostrya.pick=2 single -- last")
    console = Console(guest)
    # The kernel hands on what it does not know.
    assert console.arguments == "single last"
    assert "ostrya:" not in guest.transcript
    assert writable(console) == {"/", "/etc", "/var", "/boot", "/sysroot"}
    assert "ostrya: root is /dev/vda" in console.run("dmesg")
    assert console.run("cat /etc/default; cat /var/kept") == "of the tree\nin /var"
    assert (
        console.run("readlink /boot/loader; ls -d /sysroot/ostree") == "loader.1\n/sysroot/ostree"
    )
    device, inode = note(console).lookup("backing-root-device-inode", "(tt)")
    assert (
        console.run(
            f"stat -c '%d %i' /sysroot/{world.system.deployment.relative_to(world.system.top)}"
        )
        == f"{device} {inode}"
    )
    assert (
        console.run("cat /proc/sys/kernel/panic /proc/sys/kernel/printk_devkmsg") == "10\nratelimit"
    )
    # Nothing of the ramdisk is left over, and process 1 is the deployment's.
    places = [line.split()[1] for line in console.run("cat /proc/mounts").splitlines()]
    assert sorted(places) == [
        "/",
        "/boot",
        "/dev",
        "/etc",
        "/proc",
        "/run",
        "/sys",
        "/sysroot",
        "/usr",
        "/var",
    ]
    console.run("echo changed > /etc/default; echo new > /var/new")
    power_off(console)
    assert "new" in debugfs(disk, "cat /ostree/deploy/os/var/new")


@pytest.mark.peer
def test_what_stock_ostree_deployed_boots(boot, world, tmp_path):
    (tmp_path / "peer").mkdir()
    system = make_system(tmp_path / "peer", world.busybox, command=vm_system.PEER_DEPLOYS)
    image = make_disk(system, tmp_path / "peer.img")
    console = Console(boot("quiet root=LABEL=otaroot", disks=[Disk(image)], link=system.link))
    assert writable(console) == {"/", "/etc", "/var", "/boot", "/sysroot"}
    assert console.run("cat /etc/default") == "of the tree"


def test_settings_and_a_root_by_uuid(boot):
    conf = "[sysroot]\nreadonly=true\n[etc]\ntransient=true\n"
    guest = boot(f"root=UUID={UUID} rootfstype=ext4 rootflags=noatime rw rootwait", conf=conf)
    console = Console(guest)
    assert "ostrya: root is /dev/vda" in guest.transcript
    assert writable(console) == {"/", "/etc", "/var", "/boot"}
    assert "/dev/vda /sysroot ext4 ro,noatime" in console.run("cat /proc/mounts")
    found = note(console)
    assert found.lookup("sysroot-ro", "b") is True
    assert found.lookup("transient-etc", "s") == "/run/ostree/transient-etc"
    # Merged or not, /etc begins as the tree has it, and so it ends.
    assert console.run("rm /etc/default; ls /usr/etc/default") == "/usr/etc/default"


def test_a_transient_root_on_an_old_partition_table(boot, disk, tmp_path, world):
    image = partitions.wrap_mbr(disk, tmp_path / "mbr.img", signature=bytes.fromhex("efbeadde"))
    guest = boot(
        "root=PARTUUID=deadbeef-01 rootfstype=ext4",
        conf="[root]\ntransient=true\n", disks=[Disk(image, "scsi")],
    )  # fmt: skip
    console = Console(guest)
    assert "ostrya: root is /dev/sda1" in guest.transcript
    assert writable(console) == {"/", "/usr", "/etc", "/var", "/boot", "/sysroot"}
    assert note(console).lookup("root.transient", "b") is True
    upper = f"/sysroot/ostree/deploy/os/backing/{world.system.commit}.0/root-transient/upper"
    assert console.run(f"ls -d {upper}/usr/.w") == f"{upper}/usr/.w"


def test_pivot_root_and_a_gpt(boot, disk, tmp_path):
    image = partitions.wrap_gpt(disk, tmp_path / "gpt.img", partuuid=PARTUUID, name="system")
    guest = boot(f"root=PARTUUID={PARTUUID.upper()} ostrya.pivot", disks=[Disk(image)])
    console = Console(guest)
    assert "ostrya: root is /dev/vda2" in guest.transcript
    assert writable(console) == {"/", "/etc", "/var", "/boot", "/sysroot"}
    assert console.run("ls -A /run/initramfs") == ""
    places = [line.split()[1] for line in console.run("cat /proc/mounts").splitlines()]
    assert sorted(places) == [
        "/",
        "/boot",
        "/dev",
        "/etc",
        "/proc",
        "/run",
        "/sys",
        "/sysroot",
        "/usr",
        "/var",
    ]
    assert console.run("cat /proc/1/comm; ls /run").split() == [
        "init",
        "initramfs",
        "ostree-booted",
    ]


def test_a_hotfix_and_a_root_by_partition_label(boot, disk, tmp_path, world):
    top = f"/ostree/deploy/os/deploy/{world.system.commit}.0"
    debugfs(disk, f"mkdir {top}/.usr-ovl-upper", f"mkdir {top}/.usr-ovl-work")
    image = partitions.wrap_gpt(disk, tmp_path / "gpt.img", partuuid=PARTUUID, name="system")
    guest = boot("root=/dev/ram0 ostree_root=PARTLABEL=system", disks=[Disk(image)])
    console = Console(guest)
    assert "ostrya: /usr is a hotfix" in guest.transcript
    assert "/usr" in writable(console)
    assert console.run(f"ls -A /sysroot{top}/.usr-ovl-upper") == ".w"


def test_a_root_that_is_an_image(boot, world, tmp_path):
    conf = "[composefs]\nenabled=yes\n"
    (tmp_path / "c").mkdir()
    system = make_system(tmp_path / "c", world.busybox, conf)
    assert (system.deployment / ".ostree.cfs").is_file()
    image = make_disk(system, tmp_path / "c.img")
    guest = boot("rootfstype=ext4", conf=conf, disks=[Disk(image)], link=system.link)
    console = Console(guest)
    assert writable(console) == {"/etc", "/var", "/boot"}
    assert console.run("grep ' / ' /proc/mounts").startswith("overlay / overlay ro")
    found = note(console)
    assert found.lookup("composefs", "b") is True
    # What is booted is told by the directory, which is not the root.
    path = f"/sysroot/{system.deployment.relative_to(system.top)}"
    device, inode = found.lookup("backing-root-device-inode", "(tt)")
    assert console.run(f"stat -c '%d %i' {path}") == f"{device} {inode}"
    assert console.run("readlink /run/systemd/volatile-root") == "/dev/vda"
    assert (
        "write" in console.run("echo > /usr/x", status=None) or "Read-only" in console.guest.tail()
    )


def test_what_fsck_repairs_is_said_and_booted(boot, disk):
    debugfs(disk, "ssv state 2", "ssv free_blocks_count 5", "ssv free_inodes_count 1")
    console = Console(boot("root=/dev/vda"))
    assert "ostrya: fsck.ext4 repaired /dev/vda" in console.guest.transcript
    power_off(console)


def test_a_disk_that_stays_read_only(boot, disk):
    console = Console(boot("root=/dev/vda ro fsck.mode=skip"))
    assert writable(console) == set()
    assert "repaired" not in console.guest.transcript


FAILURES = {
    "no deployment": ("quiet", "ostree={link}: its deployment is missing"),
    "no device": ("quiet root=LABEL=elsewhere ostrya.root_timeout=1", "root=LABEL=elsewhere: no such device after 1 s"),
    "beyond repair": ("quiet root=/dev/vda", "fsck.ext4 /dev/vda: exit status 4"),
    "no init": ("quiet init=/usr/none", "/usr/none: no such program"),
}  # fmt: skip


@pytest.mark.parametrize("what", FAILURES)
def test_it_says_why_and_restarts(boot, world, disk, what):
    kargs, reason = FAILURES[what]
    top = f"/ostree/deploy/os/deploy/{world.system.commit}.0"
    if what == "no deployment":
        debugfs(disk, f"ln {top} /ostree/elsewhere", f"unlink {top}")
    elif what == "beyond repair":
        # The root directory is of no kind: that is never repaired unasked.
        debugfs(disk, "sif / mode 0", "ssv state 2")
    guest = boot(kargs)
    guest.expect("^ostrya: " + reason.format(link=world.system.link).replace(".", r"\."), 60)
    if what == "no deployment":
        # -no-reboot: the emulator ends where the machine would start again.
        assert guest.wait(30) == 0
        assert "GUEST" not in guest.transcript


def test_a_shell_for_those_who_ask(boot):
    guest = boot("quiet ostrya.debug", link="/none")
    guest.expect("^ostrya: ostree=/none: there is no such link")
    guest.expect("ostrya.debug: a shell")
    guest.send("echo here-$$ in $(ls -d /sysroot/ostree)")
    guest.expect(r"^here-\d+ in /sysroot/ostree$")
    guest.send("exit")
    assert guest.wait(30) == 0
