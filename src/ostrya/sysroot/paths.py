# SPDX-License-Identifier: Apache-2.0
"""Where everything below a sysroot is, relative to it. Pure.

::

    ostree/repo
    ostree/lock
    ostree/boot.0 -> boot.0.1
    ostree/boot.0.1/os/3f…/0 -> ../../../deploy/os/deploy/5c….0
    ostree/deploy/os/var
    ostree/deploy/os/deploy/5c….0/
    ostree/deploy/os/deploy/5c….0.origin
    ostree/deploy/os/backing/5c….0/
    boot/loader -> loader.0
    boot/loader.0/entries/ostree-1.conf
    boot/ostree/os-3f…/vmlinuz-6.1.0
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ostrya.errors import SysrootError
from ostrya.formats.checksum import Checksum
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from typing import Self

REPO = "ostree/repo"
LOCK = "ostree/lock"
DEPLOY = "ostree/deploy"
BOOT = "boot"
LOADER = "boot/loader"
KERNELS = "boot/ostree"
NEW_LOADER = "boot/loader.tmp"
FLAT_ENTRIES = "boot/loader/entries"
OVERLAY_INITRDS = "boot/ostree/initramfs-overlays"
_NO_STATEROOT = re.compile(r"\.\.?|.*[/\s\0\"].*|", re.DOTALL)
_DEPLOYMENT = re.compile(r"([0-9a-f]{64})\.(0|[1-9][0-9]{0,8})")


class DeploymentName(NamedTuple):
    """The name of a deployment within its stateroot.

    Attributes:
        checksum: Of its commit.
        serial: Tells deployments of one commit apart.
    """

    checksum: Checksum
    serial: int

    @classmethod
    def parse(cls, name: str) -> Self | None:
        """Read the name of a directory; None for one that is no deployment's."""
        found = _DEPLOYMENT.fullmatch(name)
        return None if found is None else cls(Checksum(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.checksum}.{self.serial}"


def check_stateroot(name: str) -> str:
    """Return the name of a stateroot if it can be one: it stands in paths and in kernel arguments.

    Raises:
        SysrootError: It cannot.
    """
    if _NO_STATEROOT.fullmatch(name):
        raise SysrootError(
            f"Invalid stateroot name '{name}'",
            hint="it cannot be empty, or hold slashes, spaces or quotes",
        )
    return name


def stateroot_dir(stateroot: str) -> str:
    """Return the directory of a stateroot."""
    return f"{DEPLOY}/{stateroot}"


def var_dir(stateroot: str) -> str:
    """Return the ``/var`` that all deployments of a stateroot share."""
    return f"{DEPLOY}/{stateroot}/var"


def deployments_dir(stateroot: str) -> str:
    """Return the directory that holds the deployments of a stateroot."""
    return f"{DEPLOY}/{stateroot}/deploy"


def deployment_dir(stateroot: str, name: DeploymentName) -> str:
    """Return the root directory of a deployment."""
    return f"{deployments_dir(stateroot)}/{name}"


def origin_file(stateroot: str, name: DeploymentName) -> str:
    """Return the file that says where a deployment came from."""
    return f"{deployment_dir(stateroot, name)}.origin"


def backing_dir(stateroot: str, name: DeploymentName) -> str:
    """Return the directory of what a deployment needs beside its root."""
    return f"{DEPLOY}/{stateroot}/backing/{name}"


def boot_links(bootversion: int) -> str:
    """Return the link to the set of links that boot entries lead through."""
    return f"ostree/boot.{bootversion}"


def boot_links_dir(bootversion: int, subbootversion: int) -> str:
    """Return one of the two directories that `boot_links` can lead to."""
    return f"ostree/boot.{bootversion}.{subbootversion}"


def loader_dir(bootversion: int) -> str:
    """Return one of the two directories that ``boot/loader`` can lead to."""
    return f"{LOADER}.{bootversion}"


def entries_dir(bootversion: int) -> str:
    """Return the directory of the boot entries there."""
    return f"{loader_dir(bootversion)}/entries"


def kernel_dir(stateroot: str, bootcsum: str) -> str:
    """Return the directory of a kernel and what belongs to it."""
    return f"{KERNELS}/{stateroot}-{bootcsum}"
