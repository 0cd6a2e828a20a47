# SPDX-License-Identifier: Apache-2.0
"""After the loader has fallen back: the running deployment becomes the default again.

It is done once, early in a start of the fallback. Until it is done the loader falls back at every
start, so that nothing is lost if power fails; and once it is done, the loader's verdict is about a
deployment that is not the default any more, and says nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya._linux.trace import trace
from ostrya.boot.trace_points import Point
from ostrya.boot.trial import PICK, End, Record, Why
from ostrya.sysroot.boot_damage import boot_damage
from ostrya.sysroot.ledger import BadRelease, read_ledger, write_ledger
from ostrya.sysroot.rollback_settings import Protocol
from ostrya.sysroot.trial import identity_of
from ostrya.sysroot.trial_state import open_store
from ostrya.sysroot.write_deployments import write_deployments

if TYPE_CHECKING:
    from ostrya.boot.kargs import KernelArguments
    from ostrya.sysroot.deployment import Deployment
    from ostrya.sysroot.loading import Loaded
    from ostrya.sysroot.sysroot import Sysroot

_UNWRITABLE = "unwritable"


def settle(
    sysroot: Sysroot, loaded: Loaded, running_kargs: KernelArguments, now: int
) -> BadRelease | None:
    """Make what is running the default, if the loader fell back to it; return what was bad.

    Args:
        sysroot: Where; it is locked.
        loaded: What it has.
        running_kargs: The kernel's command line.
        now: In seconds since 1970.

    Returns:
        None if the default is running, or somebody chose what is.

    Raises:
        SysrootError: The record is not where it should be.
        OSError: Something could not be written; the loader goes on falling back.
    """
    booted = loaded.booted
    if not sysroot.settings.rollback.is_on or booted is None or booted is loaded.deployments[0]:
        return None
    default = loaded.deployments[0]
    why = _why_not(sysroot, default, running_kargs)
    if why is None:
        return None
    ledger = read_ledger(sysroot)
    known = ledger.find_bad(default.checksum)
    identity = identity_of(default)
    bad = BadRelease(default.checksum, identity, why, ledger.words_of(identity), now)
    if known is not None and known.identity == identity:
        # It called itself bad, and knows best why.
        bad = known
    if identity_of(booted):
        ledger = ledger.with_good(identity_of(booted), booted.checksum)
    trace(Point.SETTLE_BEGUN)
    write_ledger(sysroot, ledger.with_bad(bad))
    trace(Point.SETTLE_REMEMBERED)
    others = [one for one in loaded.deployments if one is not booted]
    if sysroot.settings.rollback.protocol is Protocol.UBOOT_CLASSIC:
        # Its loader knows no identities: as long as it falls back, there is nothing to fall to.
        others = [one for one in others if one is not default]
    write_deployments(sysroot, loaded, [booted, *others], prune=False)
    if sysroot.settings.rollback.protocol is Protocol.UBOOT_CLASSIC:
        with open_store(sysroot, identity_of(booted)) as store:
            if store is not None:
                store.write(Record(identity_of(booted), 0, End.OK))
    trace(Point.SETTLE_DONE)
    return bad


def _why_not(sysroot: Sysroot, default: Deployment, kargs: KernelArguments) -> str | None:
    """Say in a word why the default is not running; None if nothing is known against it."""
    if kargs.last_value(PICK) == Why.UNWRITABLE:
        return _UNWRITABLE
    if sysroot.settings.rollback.protocol is Protocol.SYSTEMD_BOOT:
        return _why_not_by_name(sysroot, default)
    identity = identity_of(default)
    if not identity:
        return None
    with open_store(sysroot, identity) as store:
        record = Record() if store is None else store.read().record
    return record.end if record.identity == identity and record.end.is_bad else None


def _why_not_by_name(sysroot: Sysroot, default: Deployment) -> str | None:
    """Say the same where names of boot entries count starts."""
    tries = None if default.entry_name is None else default.entry_name.tries
    if tries is None:
        return None
    if tries.left == 0:
        return End.TRIES
    # systemd-boot passes over an entry whose kernel is not there, and does not count that.
    return End.LOAD if boot_damage(sysroot, default) else None
