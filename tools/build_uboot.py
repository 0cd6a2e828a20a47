# SPDX-License-Identifier: Apache-2.0
"""A U-Boot for QEMU's 64-bit ARM machine with what Debian's has switched off, for tests.

It counts starts by itself (``bootcount``, in a redundant environment on the first partition) and
applies device tree overlays. It is built once, of Debian's source package, and kept in the cache
folder; nothing is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from debian_tree import CODENAME, cache_folder, sources_for
from filelock_once import locked

CROSS = "aarch64-linux-gnu-"
ENV_BYTES = 0x4000
ENV_FILES = ("uboot.env", "uboot-redund.env")
LIMIT = 3
# This version looks for disks only after it has read its environment, so it is read once more.
_CONFIG = f"""
CONFIG_OF_LIBFDT_OVERLAY=y
CONFIG_BOOTCOUNT_LIMIT=y
CONFIG_BOOTCOUNT_ENV=y
CONFIG_BOOTCOUNT_BOOTLIMIT={LIMIT}
# CONFIG_BOOTCOUNT_GENERIC is not set
# CONFIG_ENV_IS_IN_FLASH is not set
# CONFIG_ENV_IS_NOWHERE is not set
CONFIG_ENV_IS_IN_FAT=y
CONFIG_ENV_FAT_INTERFACE="virtio"
CONFIG_ENV_FAT_DEVICE_AND_PART="0:1"
CONFIG_ENV_FAT_FILE="{ENV_FILES[0]}"
CONFIG_SYS_REDUNDAND_ENVIRONMENT=y
CONFIG_ENV_FAT_FILE_REDUND="{ENV_FILES[1]}"
CONFIG_ENV_SIZE={ENV_BYTES:#x}
CONFIG_CMD_NVEDIT_LOAD=y
CONFIG_USE_PREBOOT=y
CONFIG_PREBOOT="virtio scan; env load"
"""
_NEEDED = {
    f"{CROSS}gcc": "gcc-aarch64-linux-gnu", "bison": "bison", "flex": "flex", "bc": "bc",
    "dpkg-source": "dpkg-dev", "apt-get": "apt",
}  # fmt: skip


def path() -> Path:
    """Where it is kept."""
    return cache_folder() / "u-boot-qemu-arm64.bin"


def missing() -> str:
    """Empty if it is here or can be built, else why not."""
    if path().exists():
        return ""
    for program, package in _NEEDED.items():
        if shutil.which(program) is None:
            return f"{program} is not installed, which is in Debian's {package}"
    if not Path("/usr/include/openssl/evp.h").exists():
        return "OpenSSL's headers are not installed, which are in Debian's libssl-dev"
    return "" if sources_for("rel1") else f"apt has no source of {CODENAME}"


def build() -> Path:
    """Build it, or find it.

    Raises:
        subprocess.CalledProcessError: Its source could not be had, or does not build.
    """
    target = path()
    with locked(target.with_suffix(".lock")):
        if not target.exists():
            work = target.with_suffix(".unfinished")
            shutil.rmtree(work, ignore_errors=True)
            _fetch(work)
            _compile(work / "source")
            (work / "source/u-boot.bin").rename(target)
            shutil.rmtree(work)
    return target


def _fetch(work: Path) -> None:
    for name in ("state/lists/partial", "cache/archives/partial"):
        (work / name).mkdir(parents=True)
    lines = [line.replace("deb ", "deb-src ", 1) for line in sources_for("rel1")]
    (work / "sources.list").write_text("".join(f"{line}\n" for line in lines))
    (work / "apt.conf").write_text(
        f'Dir::State "{work}/state";\nDir::State::status "/dev/null";\nDir::Cache "{work}/cache";\n'
        f'Dir::Etc::sourcelist "{work}/sources.list";\nDir::Etc::sourceparts "/dev/null";\n'
        'APT::Sandbox::User "root";\n'
    )
    apt = ["env", f"APT_CONFIG={work}/apt.conf", "apt-get", "-qq"]
    subprocess.run([*apt, "update"], check=True)
    subprocess.run([*apt, "source", "--download-only", "u-boot"], cwd=work, check=True)
    description = next(work.glob("u-boot_*.dsc"))
    argv = ["dpkg-source", "--no-check", "-x", str(description), str(work / "source")]
    subprocess.run(argv, check=True, capture_output=True)


def _compile(source: Path) -> None:
    make = ["make", "-s", f"-j{os.cpu_count() or 1}", f"CROSS_COMPILE={CROSS}"]
    subprocess.run([*make, "qemu_arm64_defconfig"], cwd=source, check=True)
    with (source / ".config").open("a") as file:
        file.write(_CONFIG)
    for goal in ("olddefconfig", "u-boot.bin"):
        subprocess.run([*make, goal], cwd=source, check=True, stdout=subprocess.DEVNULL)


def main() -> int:
    """Build it."""
    if reason := missing():
        print(f"cannot build a U-Boot: {reason}", file=sys.stderr)
        return 1
    print(build())
    return 0


if __name__ == "__main__":
    sys.exit(main())
