# SPDX-License-Identifier: Apache-2.0
"""Firmware of real boards, as Debian has it, unpacked: for tests, and to try a board.

``apt-get`` fetches packages of other architectures by lists of its own; nothing of this machine's
changes, and nothing is installed.

Usage: python tools/board_firmware.py
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from debian_tree import cache_folder, sources_for
from filelock_once import locked

PACKAGES = {
    "arm64": ("u-boot-rpi", "raspi-firmware", "grub-efi-arm64-bin"),
    "armhf": ("u-boot-omap",),
}
# Where firmware without its source is.
_COMPONENTS = "main non-free-firmware"


def fetch() -> Path:
    """Return the folder, made if it is not there.

    Raises:
        subprocess.CalledProcessError: The packages cannot be had.
    """
    target = cache_folder() / "board-firmware"
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked(target.with_suffix(".lock")):
        if target.exists():
            return target
        unfinished = target.with_suffix(".unfinished")
        subprocess.run(["rm", "-rf", unfinished], check=True)
        for arch, packages in PACKAGES.items():
            for package in _download(unfinished / "apt" / arch, arch, packages):
                subprocess.run(["dpkg-deb", "-x", package, unfinished], check=True)
        subprocess.run(["rm", "-rf", unfinished / "apt"], check=True)
        unfinished.rename(target)
    return target


def _download(top: Path, arch: str, packages: tuple[str, ...]) -> list[Path]:
    for name in ("lists/partial", "cache/archives/partial", "packages"):
        (top / name).mkdir(parents=True)
    lines = [line.replace(" main", f" {_COMPONENTS}") for line in sources_for("rel1")]
    (top / "sources.list").write_text("\n".join([*lines, ""]))
    argv = ["apt-get", "-q"]
    for option in (
        f"Dir::Etc::sourcelist={top}/sources.list", "Dir::Etc::sourceparts=/dev/null",
        f"Dir::State::lists={top}/lists", "Dir::State::status=/dev/null",
        f"Dir::Cache={top}/cache", f"APT::Architecture={arch}", f"APT::Architectures={arch}",
        "APT::Sandbox::User=root",
    ):  # fmt: skip
        argv += ["-o", option]
    subprocess.run([*argv, "update"], check=True, capture_output=True)
    subprocess.run(
        [*argv, "download", *packages], check=True, capture_output=True, cwd=top / "packages"
    )
    return sorted((top / "packages").iterdir())


def main() -> int:
    """Fetch it."""
    try:
        print(fetch())
    except subprocess.CalledProcessError as exc:
        print(f"Debian's packages cannot be had: {exc}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
