# SPDX-License-Identifier: Apache-2.0
"""What a sysroot's deployments are, for people and programs to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import OstryaError
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.named_tuple import NamedTuple
from ostrya.repo.reader import has_object, load_commit
from ostrya.sysroot.order import Neighbours, neighbours

if TYPE_CHECKING:
    from ostrya.sysroot.deployment import Deployment
    from ostrya.sysroot.loading import Loaded
    from ostrya.sysroot.sysroot import Sysroot


class DeploymentStatus(NamedTuple):
    """One deployment.

    Attributes:
        deployment: It.
        at: Its place.
        next_boot: Whether it is booted next.
        pending: Whether it is the first before the running one.
        rollback: Whether it is the first behind the running one.
        version: The version that its commit says it is.
        source_title: Where its commit says it came from.
    """

    deployment: Deployment
    at: int
    next_boot: bool
    pending: bool
    rollback: bool
    version: str | None
    source_title: str | None

    @property
    def mark(self) -> str:
        """What is said of it behind its name."""
        one = self.deployment
        if one.locked:
            return "finalization locked"
        if one.staged:
            return "staged"
        return "pending" if self.pending else "rollback" if self.rollback else ""

    @property
    def refspec(self) -> str | None:
        """What its upgrades follow."""
        origin = self.deployment.origin
        return None if origin is None else origin.refspec

    def as_json(self) -> dict[str, object]:
        """Return it as libostree has it, and whether it is booted next."""
        one = self.deployment
        shown: dict[str, object] = {
            "checksum": one.checksum,
            "stateroot": one.stateroot,
            "refspec": self.refspec,
            "serial": one.name.serial,
            "index": self.at,
            "booted": one.booted,
            "next-boot": self.next_boot,
            "pending": self.pending,
            "rollback": self.rollback,
            "finalization-locked": one.locked,
            "soft-reboot-target": one.soft_reboot,
            "staged": one.staged,
            "pinned": one.pinned,
            "unlocked": one.unlocked.value,
        }
        if self.version is not None:
            shown["version"] = self.version
        if self.source_title is not None:
            shown["source-title"] = self.source_title
        return shown


def read_status(sysroot: Sysroot, loaded: Loaded) -> list[DeploymentStatus]:
    """Return what there is to say of each deployment, in their order."""
    booted = loaded.booted
    around = Neighbours(None, None) if booted is None else neighbours(loaded, booted.stateroot)
    # One that is locked waits for longer than the next boot.
    first = next((one for one in loaded.all if not one.locked), None)
    return [
        DeploymentStatus(
            one,
            index,
            one is first,
            one is around.pending,
            one is around.rollback,
            *_describe_commit(sysroot, one),
        )
        for index, one in enumerate(loaded.all)
    ]


def _describe_commit(sysroot: Sysroot, deployment: Deployment) -> tuple[str | None, str | None]:
    name = ObjectName(deployment.checksum, ObjectType.COMMIT)
    if not has_object(sysroot.repo, name):
        return None, None
    try:
        metadata = load_commit(sysroot.repo, deployment.checksum).metadata
    except OstryaError:
        # A damaged commit can be booted all the same.
        return None, None
    return metadata.lookup("version", "s"), metadata.lookup("ostree.source-title", "s")
