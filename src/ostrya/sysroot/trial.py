# SPDX-License-Identifier: Apache-2.0
"""What of a sysroot's deployments is on trial, and what it falls back to.

A deployment gets its identity when it is first written for the boot loader; it stays in its boot
entry, in a field that libostree keeps too:

::

    ostrya-id 3f9c01a2b4d5.0-7f3a

The default is on trial until the ledger has its identity. Its fallback is the running deployment,
or else one that was found good, or else the next one that was not found bad; that the loader has it
as its second entry is all that is said about it. Where there is none, nothing is on trial.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya.boot.bls import Entry
from ostrya.boot.trial import Record, Trial, is_identity, make_identity
from ostrya.named_tuple import NamedTuple
from ostrya.sysroot.ledger import Ledger, read_ledger
from ostrya.sysroot.rollback_settings import Protocol
from ostrya.sysroot.trial_state import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.sysroot.deployment import Deployment
    from ostrya.sysroot.loading import Loaded
    from ostrya.sysroot.sysroot import Sysroot

FIELD = "ostrya-id"
_NONCE_BYTES = 2


class TrialPlan(NamedTuple):
    """What the boot loader is told.

    Attributes:
        trial: What is on trial.
        fallback: Place of the fallback among the deployments; None if there is none.
    """

    trial: Trial
    fallback: int | None

    def order(self, count: int) -> list[int]:
        """Return the places of deployments as the loader has them: default, fallback, others."""
        first = [0] if count else []
        if self.fallback is not None:
            first.append(self.fallback)
        return first + [at for at in range(count) if at not in first]


def identity_of(deployment: Deployment | None) -> str:
    """Return the identity of a deployment; empty if it has none."""
    if deployment is None or deployment.entry is None:
        return ""
    found = deployment.entry.fields.get(FIELD, "")
    return found if is_identity(found) else ""


def with_identities(
    sysroot: Sysroot, loaded: Loaded, deployments: Sequence[Deployment]
) -> list[Deployment]:
    """Give an identity to deployments that are new, where there is automatic rollback."""
    if not sysroot.settings.rollback.is_on:
        return list(deployments)
    return [
        one if any(map(one.is_same, loaded.deployments)) else _with_identity(sysroot, one)
        for one in deployments
    ]


def _with_identity(sysroot: Sysroot, deployment: Deployment) -> Deployment:
    entry = deployment.entry or Entry({})
    name = deployment.name
    nonce = sysroot.options.nonce or os.urandom(_NONCE_BYTES).hex()
    identity = make_identity(name.checksum, name.serial, nonce)
    return deployment._replace(
        entry=Entry({**entry.fields, FIELD: identity}, entry.overlay_initrds)
    )


def plan_trial(
    sysroot: Sysroot, deployments: Sequence[Deployment], ledger: Ledger | None = None
) -> TrialPlan | None:
    """Say what is on trial once these are the deployments; None without automatic rollback.

    Args:
        sysroot: Where.
        deployments: The default first.
        ledger: What is remembered; None to read it.

    Raises:
        OSError: The ledger cannot be read.
    """
    settings = sysroot.settings.rollback
    if not settings.is_on or not deployments:
        return None
    ledger = read_ledger(sysroot) if ledger is None else ledger
    identity = identity_of(deployments[0])
    at = _find_fallback(deployments, ledger)
    fallback = None if at is None else identity_of(deployments[at])
    on_trial = bool(identity) and at is not None and identity not in ledger.good
    return TrialPlan(Trial(identity, fallback, on_trial, settings.tries), at)


def _find_fallback(deployments: Sequence[Deployment], ledger: Ledger) -> int | None:
    default = deployments[0]
    others = [at for at, one in enumerate(deployments) if at and one.stateroot == default.stateroot]
    for is_fit in (
        lambda one: one.booted,
        lambda one: identity_of(one) in ledger.good,
        lambda one: ledger.find_bad(one.checksum) is None,
    ):
        found = next((at for at in others if is_fit(deployments[at])), None)
        if found is not None:
            return found
    return None


def entry_tries(sysroot: Sysroot, plan: TrialPlan | None) -> int | None:
    """Say how often the name of the default's entry lets it be tried.

    Returns:
        0 where it is not on trial; None where names of entries have no part in that.
    """
    if plan is None or sysroot.settings.rollback.protocol is not Protocol.SYSTEMD_BOOT:
        return None
    return plan.trial.most if plan.trial.on_trial else 0


def begin_trial(
    sysroot: Sysroot,
    loaded: Loaded,
    deployments: Sequence[Deployment],
    plan: TrialPlan | None,
) -> None:
    """Make the record fit a default that is to be another one, before it is.

    Only two things can be in the way: a verdict against that very deployment, which somebody wants
    again; and a loader that counts by itself has to be told to.

    Raises:
        TrialStateMissing: The record is not where it should be.
        OSError: It cannot be read or written.
    """
    if plan is None or sysroot.running.root is None or not loaded.deployments:
        # What is put on a disk elsewhere has a loader that was never started.
        return
    if loaded.deployments[0].is_same(deployments[0]):
        return
    trial = plan.trial
    with open_store(sysroot, trial.identity) as store:
        if store is None:
            return
        if sysroot.settings.rollback.protocol is Protocol.UBOOT_CLASSIC:
            if trial.on_trial:
                store.write(Record(trial.identity))
            return
        record = store.read().record
        if record.identity == trial.identity and record.end.is_bad:
            store.write(Record())
