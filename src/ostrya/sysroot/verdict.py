# SPDX-License-Identifier: Apache-2.0
"""A trial's end: the running deployment is good, or one is bad.

The ledger is written first, the loader's record second: a power cut between them leaves a trial
that goes on, and ends the same way at the next start.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import open_dir, read_file
from ostrya._linux.trace import trace
from ostrya.boot.bls import Tries
from ostrya.boot.trace_points import Point
from ostrya.boot.trial import End, Record
from ostrya.errors import SysrootError
from ostrya.named_tuple import NamedTuple
from ostrya.sysroot import paths
from ostrya.sysroot.errors import NotBooted
from ostrya.sysroot.ledger import BadRelease, Complaint, read_ledger, write_ledger
from ostrya.sysroot.rollback_settings import Protocol
from ostrya.sysroot.trial import identity_of, plan_trial
from ostrya.sysroot.trial_state import open_store

if TYPE_CHECKING:
    from ostrya.sysroot.deployment import Deployment
    from ostrya.sysroot.loading import Loaded
    from ostrya.sysroot.sysroot import Sysroot

_OFF = "automatic rollback is off"
_MAX_ENTRY_BYTES = 1 << 20
_HINT = "`ostrya.rollback` in the system repository's config turns it on"


class Verdict(NamedTuple):
    """What is said against a deployment.

    Attributes:
        end: What the loader is told.
        detail: A sentence for people; may be empty.
        time: When, in seconds since 1970.
    """

    end: End
    detail: str = ""
    time: int = 0


def is_on_trial(sysroot: Sysroot, loaded: Loaded) -> bool:
    """Say whether the running deployment is on trial.

    Raises:
        OSError: Something cannot be read.
    """
    booted = loaded.booted
    if booted is None or not booted.is_same(loaded.deployments[0]):
        return False
    plan = plan_trial(sysroot, loaded.deployments)
    return plan is not None and plan.trial.on_trial


def mark_good(sysroot: Sysroot, loaded: Loaded) -> bool:
    """Say that the running deployment is good; its trial is over. Return whether that is news.

    Args:
        sysroot: Where; it is locked.
        loaded: What it has.

    Raises:
        NotBooted: Nothing of this sysroot is running.
        SysrootError: There is no automatic rollback.
        OSError: Something could not be written; the trial goes on.
    """
    booted = _require_booted(sysroot, loaded)
    identity = identity_of(booted)
    if not identity:
        # It came from another tool, and was never on trial.
        return False
    ledger = read_ledger(sysroot)
    was_on_trial = is_on_trial(sysroot, loaded)
    trace(Point.GOOD_BEGUN)
    if identity not in ledger.good or ledger.find_bad(booted.checksum) is not None:
        write_ledger(sysroot, ledger.with_good(identity, booted.checksum))
    trace(Point.GOOD_REMEMBERED)
    if not booted.is_same(loaded.deployments[0]):
        return False
    _name_entry(sysroot, booted, None)
    is_news = was_on_trial
    with open_store(sysroot, identity) as store:
        if store is not None:
            stored = store.read()
            is_news |= stored.record.identity == identity and stored.record.end is not End.OK
            if is_news or stored.damage:
                store.write(Record(identity, 0, End.OK, stored.record.once))
    trace(Point.GOOD_DONE)
    return is_news


def mark_bad(sysroot: Sysroot, loaded: Loaded, deployment: Deployment, verdict: Verdict) -> None:
    """Say that a deployment is bad; the loader does not start it any more if it is the default.

    Args:
        sysroot: Where; it is locked.
        loaded: What it has.
        deployment: Which one.
        verdict: Why.

    Raises:
        SysrootError: There is no automatic rollback, or nothing to fall back to.
        OSError: Something could not be written.
    """
    if not sysroot.settings.rollback.is_on:
        raise SysrootError(_OFF, hint=_HINT)
    identity = identity_of(deployment)
    is_default = deployment.is_same(loaded.deployments[0])
    plan = plan_trial(sysroot, loaded.deployments)
    if is_default and (plan is None or plan.fallback is None):
        raise SysrootError(f"there is nothing to fall back to from {deployment.name}")
    if is_default and not identity:
        raise SysrootError(
            f"deployment {deployment.name} has no identity that the boot loader knows",
            hint="boot another one: ostrya admin set-default",
        )
    found = BadRelease(
        deployment.checksum, identity, verdict.end.value, verdict.detail, verdict.time
    )
    trace(Point.BAD_BEGUN)
    write_ledger(sysroot, read_ledger(sysroot).with_bad(found))
    trace(Point.BAD_REMEMBERED)
    if not is_default:
        return
    name = deployment.entry_name
    if name is not None and name.tries is not None:
        _name_entry(sysroot, deployment, Tries(0, (name.tries.done or 0) + name.tries.left))
    with open_store(sysroot, identity) as store:
        if store is not None:
            store.write(Record(identity, 0, verdict.end))
    trace(Point.BAD_DONE)


def note_complaint(sysroot: Sysroot, loaded: Loaded, detail: str) -> None:
    """Remember what fails in the running deployment's trial, which goes on.

    Args:
        sysroot: Where; it is locked.
        loaded: What it has.
        detail: What fails, in a sentence.

    Raises:
        OSError: It could not be written.
    """
    identity = identity_of(loaded.booted)
    ledger = read_ledger(sysroot)
    if identity and ledger.words_of(identity) != detail:
        write_ledger(sysroot, ledger._replace(complaint=Complaint(identity, detail)))


def start_once(sysroot: Sysroot, loaded: Loaded, deployment: Deployment) -> None:
    """Let the next start be of a deployment, and the one after that as it would have been.

    Raises:
        SysrootError: The loader cannot, or does not know that deployment.
        OSError: It could not be written.
    """
    settings = sysroot.settings.rollback
    if settings.protocol not in (Protocol.UBOOT, Protocol.GRUB):
        raise SysrootError(
            f"a start of one deployment only is not what {settings.protocol} rollback can do",
            hint="`bootctl set-oneshot` does it for systemd-boot",
        )
    identity = identity_of(deployment)
    plan = plan_trial(sysroot, loaded.deployments)
    known = () if plan is None else (plan.trial.identity, plan.trial.fallback)
    if not identity or identity not in known:
        raise SysrootError(
            f"the boot loader does not know deployment {deployment.name} by its identity",
            hint="it knows the default and what that falls back to",
        )
    with open_store(sysroot, identity_of(loaded.deployments[0])) as store:
        if store is not None:
            store.write(store.read().record._replace(once=identity))


def _require_booted(sysroot: Sysroot, loaded: Loaded) -> Deployment:
    if not sysroot.settings.rollback.is_on:
        raise SysrootError(_OFF, hint=_HINT)
    if loaded.booted is None:
        raise NotBooted("no deployment of this sysroot is running")
    return loaded.booted


def _name_entry(sysroot: Sysroot, deployment: Deployment, tries: Tries | None) -> None:
    """Change the counters in the name of an entry; systemd-boot reads nothing else."""
    old = deployment.entry_name
    if sysroot.settings.rollback.protocol is not Protocol.SYSTEMD_BOOT:
        return
    if old is None or old.tries == tries:
        return
    fd = open_dir(paths.FLAT_ENTRIES, dir_fd=sysroot.dir_fd, follow=True)
    try:
        # Not renamed: on VFAT a name that is new is that of an empty file for a moment.
        data = read_file(str(old), dir_fd=fd, max_bytes=_MAX_ENTRY_BYTES)
        replace_file(str(old._replace(tries=tries)), data, dir_fd=fd)
        os.unlink(str(old), dir_fd=fd)
        os.fsync(fd)
    finally:
        os.close(fd)
