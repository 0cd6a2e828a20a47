# SPDX-License-Identifier: Apache-2.0
"""A Debian for devices with Ostrya in it, as a tar: what disks are built of in tests and demos.

``device-base.tar`` has the packages of Debian as they are; it is built once, by mmdebstrap, and
kept in the cache folder; that of another architecture needs qemu-user-static, by which the kernel
runs the packages' own scripts. ``make_device_tar`` puts Ostrya as it is now on top of it, and what
makes a root file system a device: DHCP, and root on the serial line without a password.
"""

from __future__ import annotations

import argparse
import getpass
import io
import os
import py_compile
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from debian_tree import CODENAME, NOT_ROOT, cache_folder, can_build, sources_for
from filelock_once import locked

# No other than these: pycurl and cryptography are Debian's own, and there is no compiled helper.
PACKAGES = (
    "systemd-sysv", "login", "udev", "dbus", "python3", "python3-pycurl", "python3-cryptography",
    "ca-certificates", "e2fsprogs", "kmod", "iproute2",
)  # fmt: skip
NATIVE = "amd64"
BASE = "device-base"
# How programs of other architectures are told, and what runs them.
_FOREIGN = {
    "arm64": (
        "qemu-aarch64",
        rb"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00",
        rb"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff",
    ),
    "armhf": (
        "qemu-arm",
        rb"\x7fELF\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x28\x00",
        rb"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff",
    ),
    "riscv64": (
        "qemu-riscv64",
        rb"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xf3\x00",
        rb"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff",
    ),
}
# Kernels for clouds, which have little beside what virtual machines need, are not of everything.
_KERNELS = {"armhf": "armmp", "riscv64": "riscv64"}
# Of what this machine's own Debian is not for, the first that was.
_SUITES = {"riscv64": "trixie"}
_BINFMT = Path("/proc/sys/fs/binfmt_misc")
_LEFT_OUT = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*")
SOURCE = Path(__file__).resolve().parent.parent / "src/ostrya"
_PACKAGE = "usr/lib/python3/dist-packages/ostrya"
# Debian's; another one's compiled modules would be of no use there.
_DEVICE_PYTHON, _DEVICE_TAG = (3, 11), "cpython-311"
_PROGRAM = """\
#!/usr/bin/python3
import sys

from ostrya.cli.start import run

sys.exit(run())
"""
_NETWORK = """\
[Match]
Name=e*

[Network]
DHCP=yes
"""
_AUTOLOGIN = """\
[Service]
ExecStart=
ExecStart=-/sbin/agetty --keep-baud --autologin root 115200 %I $TERM
"""
_MASKED = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
    "e2scrub_reap.service", "fstrim.timer", "systemd-binfmt.service", "systemd-update-utmp.service",
    "sys-kernel-debug.mount", "sys-kernel-tracing.mount", "getty@tty1.service",
)  # fmt: skip
_UNITS = "/lib/systemd/system"


def base_path(arch: str = NATIVE, name: str = BASE) -> Path:
    """Where the packages are kept."""
    return cache_folder() / f"{name}{'' if arch == NATIVE else f'-{arch}'}.tar"


def missing(arch: str = NATIVE, name: str = BASE) -> str:
    """Empty if the tar is here or can be made, else why not."""
    if base_path(arch, name).exists():
        return ""
    if arch != NATIVE and (reason := _cannot_emulate(arch)):
        return reason
    reason = can_build()
    return _missing_for_user() if reason == NOT_ROOT else reason


def _cannot_emulate(arch: str) -> str:
    """Have the kernel run programs of another architecture; say why it does not."""
    name, magic, mask = _FOREIGN[arch]
    emulator = shutil.which(f"{name}-static")
    if emulator is None:
        return f"{name}-static is not installed, which is in Debian's qemu-user-static"
    if (_BINFMT / name).exists():
        return ""
    try:
        if not (_BINFMT / "register").exists():
            argv = ["mount", "-t", "binfmt_misc", "binfmt_misc", str(_BINFMT)]
            subprocess.run(argv, check=True, capture_output=True)
        # F: opened now, so that it is there in every root.
        line = b":%s:M::%s:%s:%s:F" % (name.encode(), magic, mask, emulator.encode())
        (_BINFMT / "register").write_bytes(line)
    except (OSError, subprocess.CalledProcessError) as exc:
        return f"the kernel cannot be told of {emulator}: {exc}"
    return ""


def _missing_for_user() -> str:
    """Say what mmdebstrap lacks to work in a name space of users."""
    for program, package in (("mmdebstrap", "mmdebstrap"), ("newuidmap", "uidmap")):
        if shutil.which(program) is None:
            return f"{NOT_ROOT}, and {program} is not installed, which is in Debian's {package}"
    name = getpass.getuser()
    for path in (Path("/etc/subuid"), Path("/etc/subgid")):
        lines = path.read_text().splitlines() if path.exists() else []
        if not any(line.startswith(f"{name}:") for line in lines):
            return f"{NOT_ROOT}, and {path} gives {name} no numbers"
    return ""


def build_base(arch: str = NATIVE, packages: tuple[str, ...] = PACKAGES, name: str = BASE) -> Path:
    """Make the tar of a kernel and packages, or find it.

    Raises:
        subprocess.CalledProcessError: mmdebstrap failed; its log is beside the cache.
    """
    target = base_path(arch, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked(target.with_suffix(".lock")):
        if target.exists():
            return target
        unfinished, log = target.with_suffix(".unfinished"), target.with_suffix(".log")
        mode = "root" if os.geteuid() == 0 else "unshare"
        # The busybox of a ramdisk is that of this machine, where the tree has none of its own.
        foreign = () if arch == NATIVE else ("busybox-static",)
        kernel = _KERNELS.get(arch, f"cloud-{arch}")
        suite = _SUITES.get(arch, CODENAME)
        sources = [line.replace(f" {CODENAME} ", f" {suite} ") for line in sources_for("rel1")]
        argv = [
            "mmdebstrap", f"--mode={mode}", "--format=tar", "--variant=essential",
            f"--architectures={arch}",
            f"--include={','.join((f'linux-image-{kernel}', *packages, *foreign))}",
            *(f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT),
            suite, str(unfinished), "-",
        ]  # fmt: skip
        print(f"building a Debian for devices, some minutes; log in {log}", flush=True)
        with log.open("w") as stream:
            subprocess.run(
                argv, input="\n".join(sources) + "\n", text=True, check=True,
                stdout=stream, stderr=subprocess.STDOUT,
                # The ramdisk is ours; Debian's takes many minutes where every program is emulated.
                env={**os.environ, "INITRD": "No"},
            )  # fmt: skip
        unfinished.rename(target)
    return target


def make_device_tar(
    target: Path, *, version: str = "1", files: dict[str, str] | None = None, arch: str = NATIVE
) -> Path:
    """Make the tar of a release.

    Args:
        target: Where it is written.
        version: What the release is called, in ``/usr/share/release`` and ``os-release``.
        files: Others to be in it: path, content; one that begins with ``#!`` is executable, ``->``
            at the beginning makes a link.
        arch: As Debian calls it.
    """
    shutil.copyfile(build_base(arch), target)
    with tarfile.open(target, "a", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(SOURCE.rglob("*")):
            relative = path.relative_to(SOURCE)
            is_wanted = path.is_file() and path.suffix not in {".pyc", ".so"}
            if is_wanted and "__pycache__" not in relative.parts:
                _add(tar, f"{_PACKAGE}/{relative}", path.read_bytes(), executable=False)
                if path.suffix == ".py" and sys.version_info[:2] == _DEVICE_PYTHON:
                    name = f"{relative.parent}/__pycache__/{path.stem}.{_DEVICE_TAG}.pyc"
                    code = _compiled(path, f"/{_PACKAGE}/{relative}")
                    _add(tar, f"{_PACKAGE}/{name}", code, executable=False)
    add_files(target, _device_files(version) | (files or {}))
    return target


def add_files(target: Path, files: dict[str, str]) -> None:
    """Put files into a tar; see `make_device_tar`."""
    with tarfile.open(target, "a", format=tarfile.PAX_FORMAT) as tar:
        for name, text in files.items():
            if text.startswith("->"):
                _link(tar, name, text[2:])
            else:
                _add(tar, name, text.encode(), executable=text.startswith("#!"))


def _compiled(path: Path, shown: str) -> bytes:
    """Compile a module, as installing a package would: a device has a read-only ``/usr``."""
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    with tempfile.TemporaryDirectory() as folder:
        target = f"{folder}/code"
        py_compile.compile(str(path), target, dfile=shown, doraise=True, invalidation_mode=mode)
        return Path(target).read_bytes()


def release_files(version: str) -> dict[str, str]:
    """What says which release it is: path, content."""
    return {
        "usr/share/release": f"{version}\n",
        "usr/lib/os-release": f'PRETTY_NAME="Device {version}"\nID=device\nVERSION_ID={version}\n',
    }


def _device_files(version: str) -> dict[str, str]:
    units = "etc/systemd/system"
    return {
        "usr/bin/ostrya": _PROGRAM,
        "usr/bin/ostree": "->ostrya",
        **release_files(version),
        "etc/hostname": "device\n",
        "etc/fstab": "",
        "etc/systemd/network/80-dhcp.network": _NETWORK,
        **{
            f"{units}/{wanting}.wants/{unit}": f"->{_UNITS}/{unit}"
            for wanting, unit in (
                ("multi-user.target", "systemd-networkd.service"),
                ("sockets.target", "systemd-networkd.socket"),
            )
        },
        # What only takes time in a machine that is gone soon.
        **{f"{units}/{unit}": "->/dev/null" for unit in _MASKED},
        f"{units}/serial-getty@.service.d/autologin.conf": _AUTOLOGIN,
    }


def _add(tar: tarfile.TarFile, name: str, data: bytes, *, executable: bool) -> None:
    info = tarfile.TarInfo(f"./{name}")
    info.size, info.mode = len(data), 0o755 if executable else 0o644
    tar.addfile(info, io.BytesIO(data))


def _link(tar: tarfile.TarFile, name: str, target: str) -> None:
    info = tarfile.TarInfo(f"./{name}")
    info.type, info.linkname, info.mode = tarfile.SYMTYPE, target, 0o777
    tar.addfile(info)


def main() -> int:
    """Make the tar."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--version", default="1")
    parser.add_argument("--arch", default=NATIVE, choices=(NATIVE, *_FOREIGN))
    args = parser.parse_args()
    if reason := missing(args.arch):
        print(f"cannot build a Debian for devices: {reason}", file=sys.stderr)
        return 1
    made = make_device_tar(args.output, version=args.version, arch=args.arch)
    print(made, os.path.getsize(made))
    return 0


if __name__ == "__main__":
    sys.exit(main())
