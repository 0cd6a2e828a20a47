# SPDX-License-Identifier: Apache-2.0
"""A small root file system as an archive, as an ordinary user gets it, and looks into disks made of it."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ostrya.image.filesystem import find_program

KVER = "6.1.0-test"


def missing(*programs: str) -> str:
    """Empty if these are here, or what is not."""
    names = [name for name in programs if shutil.which(find_program(name)) is None]
    return f"{', '.join(names)}: not installed" if names else ""


CAPABILITY = "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0"


class Member(NamedTuple):
    """A file, directory or link of an archive; a target makes it a link, no data a directory."""

    data: bytes | None = b""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    target: str = ""
    kind: bytes = b""
    xattr: str = ""


def link(target: str) -> Member:
    """A symbolic link."""
    return Member(mode=0o777, target=target, kind=tarfile.SYMTYPE)


def directory(mode: int = 0o755, uid: int = 0, gid: int = 0) -> Member:
    """A directory."""
    return Member(None, mode, uid, gid)


# As Debian has it: merged, the kernel in /boot, its modules in /usr/lib.
ROOTFS: Mapping[str, Member] = {
    "bin": link("usr/bin"),
    "sbin": link("usr/sbin"),
    "lib": link("usr/lib"),
    "usr/bin/tool": Member(b"#!/bin/sh\n", 0o755),
    "usr/bin/same": Member(b"#!/bin/sh\n", 0o755),
    "usr/bin/setuid": Member(b"program\n", 0o4755),
    "usr/bin/capable": Member(b"capable\n", 0o755, xattr=CAPABILITY),
    "usr/sbin/init": link("../bin/tool"),
    f"usr/lib/modules/{KVER}/modules.dep": Member(),
    "usr/lib/os-release": Member(b'ID=test\nPRETTY_NAME="Test OS"\n'),
    f"boot/vmlinuz-{KVER}": Member(b"kernel" * 1000, 0o600),
    f"boot/config-{KVER}": Member(b"CONFIG_RD_GZIP=y\n"),
    f"boot/initrd.img-{KVER}": Member(b"somebody else's"),
    "vmlinuz": link(f"boot/vmlinuz-{KVER}"),
    "etc": directory(),
    "etc/machine-id": Member(b"f" * 32 + b"\n"),
    "etc/os-release": link("../usr/lib/os-release"),
    "etc/shadow": Member(b"root:*:1::::::\n", 0o640, gid=42),
    "etc/fstab": Member(b"# static\n/dev/sda1 / ext4 defaults 0 1\n/dev/sda2 /data ext4 defaults 0 2\n"),
    "etc/ssh/ssh_host_rsa_key": Member(b"secret", 0o600),
    "home": directory(),
    "home/user": directory(0o700, 1000, 1000),
    "home/user/file": Member(b"mine\n", 0o600, 1000, 1000),
    "root": directory(0o700),
    "root/.profile": Member(b"# profile\n"),
    "opt": directory(),
    "usr/local/bin": directory(),
    "var/lib/dpkg/status": Member(b"Package: x\n"),
    "var/lib/thing/state": Member(b"begins\n", uid=7, gid=8),
    "var/log/messages": Member(b"of the build\n"),
    "var/tmp": directory(0o1777),
    "tmp": directory(0o1777),
    "tmp/left": Member(b"over"),
    "dev/null": Member(kind=tarfile.CHRTYPE),
    "run/fifo": Member(kind=tarfile.FIFOTYPE),
    "var/lib/pipe": Member(kind=tarfile.FIFOTYPE),
}  # fmt: skip


UNIT = b"[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"


def recipe_rootfs() -> dict[str, Member]:
    """The same with what recipes change: accounts, units, zones."""
    units = "usr/lib/systemd/system"
    more = {
        "etc/passwd": Member(b"root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/usr/sbin/nologin\n"),
        "etc/group": Member(b"root:x:0:\ndaemon:x:1:\nsudo:x:27:\nshadow:x:42:\n"),
        "etc/gshadow": Member(b"root:*::\nsudo:*::\n", 0o640, gid=42),
        "etc/shadow": Member(b"root:*:19000:0:99999:7:::\n", 0o640, gid=42),
        "etc/skel/.profile": Member(b"# mine\n"),
        "etc/hosts": Member(b"127.0.0.1\tlocalhost\n127.0.1.1\told\n"),
        "etc/hostname": Member(b"old\n"),
        "etc/timezone": Member(b"Etc/UTC\n"),
        "etc/default/locale": Member(b""),
        "usr/bin/ostrya": Member(b"#!/bin/sh\n", 0o755),
        "usr/bin/sh": Member(b"#!\n", 0o755),
        "usr/share/zoneinfo/Europe/Berlin": Member(b"TZif"),
        "usr/lib/locale/de_DE.utf8": directory(),
        f"{units}/ssh.service": Member(UNIT + b"Alias=sshd.service\n"),
        f"{units}/getty@.service": Member(
            b"[Install]\nWantedBy=getty.target\nDefaultInstance=tty1\n"
        ),
        f"{units}/static.service": Member(b"[Service]\nExecStart=/bin/true\n"),
        f"{units}/apt-daily.timer": Member(b"[Install]\nWantedBy=timers.target\n"),
        f"{units}/systemd-networkd.service": Member(UNIT + b"Also=systemd-networkd.socket\n"),
        f"{units}/systemd-networkd.socket": Member(b"[Install]\nWantedBy=sockets.target\n"),
        f"{units}/wpa_supplicant@.service": Member(UNIT),
        "etc/systemd/system/timers.target.wants/apt-daily.timer": link(f"/{units}/apt-daily.timer"),
    }
    return {**ROOTFS, **more}


NEWEST = 1_700_000_000


def write_tar(path: Path, members: Mapping[str, Member]) -> Path:
    """Write an archive; directories that are left out are made by whoever reads it."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for name, member in members.items():
            info = tarfile.TarInfo(name)
            info.type = member.kind or (tarfile.DIRTYPE if member.data is None else tarfile.REGTYPE)
            info.mode, info.uid, info.gid = member.mode, member.uid, member.gid
            info.linkname, info.mtime = member.target, NEWEST
            if member.xattr:
                info.pax_headers = {"SCHILY.xattr.security.capability": member.xattr}
            data = member.data or b""
            info.size = len(data) if info.isreg() else 0
            tar.addfile(info, io.BytesIO(data))
    return path


class InDisk(NamedTuple):
    """What debugfs says of a file."""

    mode: int
    uid: int
    gid: int
    links: int
    flags: int
    text: str


def look(image: Path, path: str) -> InDisk:
    """Look at a file in an ext4, which may begin anywhere in a file: ``disk?offset=N``."""
    text = debugfs(image, f'stat "{path}"')
    found = re.search(
        r"Mode:\s+(\d+)\s+Flags: (\S+)[\s\S]*User:\s+(\d+)\s+Group:\s+(\d+)[\s\S]*Links: (\d+)",
        text,
    )
    assert found is not None, text
    return InDisk(
        int(found[1], 8), int(found[3]), int(found[4]), int(found[5]), int(found[2], 16), text
    )


def debugfs(image: Path | str, command: str) -> str:
    """Ask debugfs something."""
    argv = ["/usr/sbin/debugfs", "-R", command, str(image)]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def read_back(image: Path, path: str) -> str:
    """The text of a file in an ext4."""
    return debugfs(image, f'cat "{path}"')


def carve(disk: Path, target: Path, offset: int, size: int) -> Path:
    """Copy a partition out of a disk."""
    with disk.open("rb") as source, target.open("wb") as copy:
        source.seek(offset)
        while size > 0 and (data := source.read(min(size, 1 << 20))):
            copy.write(data)
            size -= len(data)
    return target
