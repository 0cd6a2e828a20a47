# SPDX-License-Identifier: Apache-2.0
"""Install the Debian packages that tests need, or say what will be skipped for want of them.

As root on Debian: installs what is missing, with one ``apt-get update`` if the lists are too old.
Otherwise: names the missing packages and what each is for. Always ends with status 0 unless an
installation that was tried has failed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

LIST = Path(__file__).resolve().parent / "debian-packages.txt"


def wanted(lists: list[Path]) -> dict[str, str]:
    """Package name to what it is for."""
    packages = {}
    for line in "\n".join(path.read_text() for path in lists).splitlines():
        name, _, reason = line.partition("#")
        if name.strip():
            packages[name.strip()] = reason.strip()
    return packages


def installed(name: str) -> bool:
    """Whether dpkg has the package fully installed."""
    argv = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", name]
    probe = subprocess.run(argv, capture_output=True, text=True, check=False)
    return probe.returncode == 0 and probe.stdout.strip() == "installed"


def apt_get(*args: str) -> bool:
    """Run apt-get without questions; whether it went well."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    argv = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=600", *args]
    return subprocess.run(argv, env=env, check=False, stdin=subprocess.DEVNULL).returncode == 0


def install(names: list[str]) -> bool:
    """Install packages, refreshing the lists once if the first try fails."""
    argv = ["install", "--yes", "--no-install-recommends", *names]
    return apt_get(*argv) or (apt_get("update") and apt_get(*argv))


def main() -> int:
    """Look, then install or explain; arguments are further lists."""
    packages = wanted([LIST, *map(Path, sys.argv[1:])])
    if shutil.which("dpkg-query") is None:
        print("not a Debian system: tests skip where what they need of these is absent:")
        print("  " + " ".join(packages))
        return 0
    missing = [name for name in packages if not installed(name)]
    if not missing:
        return 0
    if os.geteuid() != 0:
        print("not root, so these Debian packages are not installed; what needs them is skipped:")
        for name in missing:
            print(f"  {name:<20} {packages[name]}")
        return 0
    print(f"installing {' '.join(missing)}", flush=True)
    if not install(missing):
        print(f"apt-get could not install {' '.join(missing)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
