# SPDX-License-Identifier: Apache-2.0
"""A deployment of a directory as the root of a program, so that libostree takes it for booted.

libostree compares the root folder with each deployment, and asks for ``/run/ostree-booted``. Both
are so in a mount namespace in which the deployment is the root. Programs and libraries are the
host's: its ``/usr`` lies over the deployment's.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}
"""What a tree needs at its top for the host's programs to run on it."""
_SCRIPT = """\
set -e
root=$1 sysroot=$2 cwd=$3 tops=$4; shift 4
# The folder itself, so that it is a place that can become the root.
mount --bind "$root" "$root"
cd "$root"
for top in $tops; do
    mkdir -p "$root$top"
    mount --rbind "$top" "$root$top"
done
for top in /usr /dev /proc; do mount --rbind "$top" "$root$top"; done
mount -t tmpfs none "$root/run"
touch "$root/run/ostree-booted"
# Not with what is mounted above: there, deployments are seen as they are.
mount --bind "$sysroot" "$root/sysroot"
mount --bind "$sysroot/boot" "$root/boot"
mount --bind "$sysroot/ostree/deploy/demo/var" "$root/var"
mkdir -p "$root/var/tmp"
exec chroot "$root" /usr/bin/env --chdir="$cwd" -- "$@"
"""


def booted(sysroot: Path, deployment: Path, seen: Sequence[Path], argv: Sequence[str]) -> list[str]:
    """Return what runs a program in a deployment, as if that were what the machine booted.

    Args:
        sysroot: Where deployments are.
        deployment: The one that runs.
        seen: Folders of the host that the program needs; the first is where it starts.
        argv: The program and its arguments.
    """
    tops = sorted({f"/{path.resolve().parts[1]}" for path in seen})
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    return [
        "unshare", "--mount", "--propagation=private", *user, "sh", "-c", _SCRIPT, "booted",
        str(deployment), str(sysroot), str(seen[0]), " ".join(tops), *argv,
    ]  # fmt: skip
