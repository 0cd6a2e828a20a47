# SPDX-License-Identifier: Apache-2.0
"""The system that a device's Primary updates, at a glance: what runs, what comes next, what failed.

The sysroot is only read. Where it cannot be, that is said, and nothing else is wrong with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import OstryaError
from ostrya.named_tuple import NamedTuple
from ostrya.sysroot.boot_status import read_boot_status
from ostrya.sysroot.loading import load_sysroot
from ostrya.sysroot.staged import failure_reason
from ostrya.sysroot.status import read_status
from ostrya.uptane.client import installs
from ostrya.uptane.client.identity import SERIAL, fact_text
from ostrya.uptane.client.installer import known_as

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostrya.boot.kargs import KernelArguments
    from ostrya.sysroot.sysroot import Sysroot
    from ostrya.uptane.client.installs import Install
    from ostrya.uptane.client.storage import Storage


class SeenDeployment(NamedTuple):
    """A deployment.

    Attributes:
        stateroot: Of which system.
        checksum: Its commit.
        serial: Tells two of one commit apart.
        image: What it was installed as; empty if it was no update.
        version: What its commit says; empty for nothing.
        is_booted: Whether it runs.
        is_next: Whether it is booted next.
        mark: ``staged``, ``pending``, ``rollback``, ``finalization locked`` or nothing.
        remark: What is known of its trial, in words; mostly nothing.
    """

    stateroot: str
    checksum: str
    serial: int
    image: str = ""
    version: str = ""
    is_booted: bool = False
    is_next: bool = False
    mark: str = ""
    remark: str = ""


class SeenSystem(NamedTuple):
    """A sysroot.

    Attributes:
        path: Where.
        deployments: What it has, that which is booted next first.
        last_rollback: What was given up last, in words; empty for nothing.
        not_finalized: Why what was staged last did not become the default; empty for nothing.
        damage: What is wrong with it, in a sentence each.
        problem: Why it cannot be read; empty if it can.
    """

    path: str
    deployments: tuple[SeenDeployment, ...] = ()
    last_rollback: str = ""
    not_finalized: str = ""
    damage: tuple[str, ...] = ()
    problem: str = ""


def look_at_system(
    path: str,
    open_sysroot: Callable[[], Sysroot],
    running_kargs: Callable[[Sysroot], KernelArguments],
    storage: Storage | None,
) -> SeenSystem:
    """Return what there is to see of a sysroot.

    Args:
        path: Where it is, for people.
        open_sysroot: Opens it.
        running_kargs: Says what the running kernel was started with.
        storage: Knows what was installed; None where no client ever ran.
    """
    log: Sequence[Install] = ()
    if storage is not None:
        log = installs.install_log(storage, fact_text(storage, SERIAL))
    try:
        with open_sysroot() as sysroot:
            return _look(path, sysroot, running_kargs, log)
    except (OstryaError, OSError) as exc:
        words = exc.message if isinstance(exc, OstryaError) else f"{exc.filename}: {exc.strerror}"
        return SeenSystem(path, problem=words)


def _look(
    path: str,
    sysroot: Sysroot,
    running_kargs: Callable[[Sysroot], KernelArguments],
    log: Sequence[Install],
) -> SeenSystem:
    loaded = load_sysroot(sysroot)
    boot = read_boot_status(sysroot, loaded, running_kargs(sysroot))
    last = None if boot is None else boot.ledger.last
    found = []
    for one in read_status(sysroot, loaded):
        deployment = one.deployment
        known = known_as(log, {"sha256": str(deployment.checksum)})
        found.append(
            SeenDeployment(
                deployment.stateroot,
                str(deployment.checksum),
                deployment.name.serial,
                "" if known is None else known.name,
                one.version or "",
                deployment.booted,
                one.next_boot,
                one.mark,
                "" if boot is None else boot.remark(deployment),
            )
        )
    return SeenSystem(
        path,
        tuple(found),
        "" if last is None else f"{last.checksum}: {last.describe()}",
        failure_reason(sysroot) or "",
        () if boot is None else boot.damage,
    )
