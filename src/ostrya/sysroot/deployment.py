# SPDX-License-Identifier: Apache-2.0
"""One deployment: a commit as a directory, and how it is booted. Pure."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from ostrya.boot.kargs import KernelArguments
from ostrya.named_tuple import NamedTuple
from ostrya.sysroot import paths

if TYPE_CHECKING:
    from ostrya.boot.bls import Entry, EntryName
    from ostrya.formats.checksum import Checksum
    from ostrya.sysroot.origin import Origin
    from ostrya.sysroot.paths import DeploymentName


class Unlocked(Enum):
    """Whether, and for how long, ``/usr`` of a deployment can be written to."""

    NONE = "none"
    DEVELOPMENT = "development"
    HOTFIX = "hotfix"
    TRANSIENT = "transient"


class Deployment(NamedTuple):
    """One deployment.

    Attributes:
        stateroot: Which system it is of.
        name: Its commit and its serial.
        bootcsum: The checksum of its kernel and what belongs to that.
        bootserial: Tells deployments with the same kernel apart.
        entry: What the boot loader is told; None for one that is not written yet.
        origin: Where it came from; None if nothing is known.
        unlocked: Whether its ``/usr`` can be written to.
        booted: Whether it is running.
        staged: Whether it is waiting for a shutdown.
        locked: Whether a staged one has to wait until it is let go.
        entry_name: The name of the file that has the entry; None for one that is not written yet.
        soft_reboot: Whether the next soft reboot goes there.
    """

    stateroot: str
    name: DeploymentName
    bootcsum: str
    bootserial: int = -1
    entry: Entry | None = None
    origin: Origin | None = None
    unlocked: Unlocked = Unlocked.NONE
    booted: bool = False
    staged: bool = False
    locked: bool = False
    entry_name: EntryName | None = None
    soft_reboot: bool = False

    @property
    def checksum(self) -> Checksum:
        """Its commit."""
        return self.name.checksum

    @property
    def path(self) -> str:
        """Its root directory, relative to the sysroot."""
        return paths.deployment_dir(self.stateroot, self.name)

    @property
    def pinned(self) -> bool:
        """Whether it is never cleaned away."""
        return self.origin is not None and self.origin.pinned

    @property
    def kargs(self) -> KernelArguments | None:
        """The kernel's arguments without ``ostree=``, which is renewed at every change."""
        return None if self.entry is None else self.entry.kargs.without("ostree")

    @property
    def command_line(self) -> KernelArguments:
        """The kernel's arguments as they stand in its entry, where ``ostree=`` has its place."""
        return KernelArguments() if self.entry is None else self.entry.kargs

    @property
    def overlay_initrds(self) -> tuple[str, ...]:
        """Checksums of the further ramdisks that it is booted with."""
        if self.entry is None:
            return ()
        found = (path.rpartition("/")[2] for path in self.entry.overlay_initrds)
        return tuple(name.removesuffix(".img") for name in found)

    def is_same(self, other: Deployment) -> bool:
        """Say whether both are the same directory."""
        return (self.stateroot, self.name) == (other.stateroot, other.name)
