# SPDX-License-Identifier: Apache-2.0
"""What there is to say of automatic rollback, for people and programs alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.boot.trial import PICK, Record, Trial
from ostrya.errors import OstryaError
from ostrya.named_tuple import NamedTuple
from ostrya.sysroot.boot_damage import boot_damage
from ostrya.sysroot.ledger import Ledger, read_ledger
from ostrya.sysroot.rollback_settings import Protocol
from ostrya.sysroot.trial import identity_of, plan_trial
from ostrya.sysroot.trial_state import open_store

if TYPE_CHECKING:
    from ostrya.boot.kargs import KernelArguments
    from ostrya.sysroot.deployment import Deployment
    from ostrya.sysroot.loading import Loaded
    from ostrya.sysroot.sysroot import Sysroot


class BootStatus(NamedTuple):
    """What there is to say.

    Attributes:
        protocol: Whose part the boot loader's is.
        trial: What is on trial.
        default: The deployment that is started next.
        fallback: What it falls back to; None if there is nothing.
        record: What the loader has noted.
        pick: Why the loader started what is running, in its own word; empty if it did not say.
        ledger: What is remembered.
        damage: What is wrong, in a sentence each.
    """

    protocol: Protocol
    trial: Trial
    default: Deployment | None
    fallback: Deployment | None
    record: Record
    pick: str
    ledger: Ledger
    damage: tuple[str, ...]

    @property
    def tries(self) -> int:
        """How often the default was started in its trial."""
        return self.record.tries if self.record.identity == self.trial.identity else 0

    def remark(self, deployment: Deployment) -> str:
        """Return what is said of a deployment behind its name; mostly nothing."""
        bad = self.ledger.find_bad(deployment.checksum)
        identity = identity_of(deployment)
        if bad is not None and bad.identity == identity:
            return f"failed: {bad.describe()}"
        if self.trial.on_trial and identity == self.trial.identity:
            words = self.ledger.words_of(identity)
            said = f", the last failed: {words}" if words else ""
            return f"on trial, {self.tries} of {self.trial.most} starts{said}"
        return ""

    def as_json(self) -> dict[str, object]:
        """Return it for people's programs."""
        last = self.ledger.last
        return {
            "protocol": self.protocol.value,
            "default": None if self.default is None else str(self.default.name),
            "fallback": None if self.fallback is None else str(self.fallback.name),
            "on-trial": self.trial.on_trial,
            "tries": self.tries,
            "most-tries": self.trial.most,
            "pick": self.pick,
            "failed": [one.as_json() for one in self.ledger.bad],
            "last-rollback": None if last is None else last.as_json(),
            "damage": list(self.damage),
        }


def read_boot_status(
    sysroot: Sysroot, loaded: Loaded, running_kargs: KernelArguments
) -> BootStatus | None:
    """Read it; None where there is no automatic rollback.

    Raises:
        OSError: Something cannot be read.
    """
    settings = sysroot.settings.rollback
    ledger = read_ledger(sysroot)
    plan = plan_trial(sysroot, loaded.deployments, ledger)
    if not settings.is_on:
        return None
    record, damage = _read_record(sysroot, loaded)
    fallback = None if plan is None or plan.fallback is None else loaded.deployments[plan.fallback]
    if fallback is not None:
        damage += tuple(
            f"fallback {fallback.name}: {one}" for one in boot_damage(sysroot, fallback)
        )
    return BootStatus(
        settings.protocol,
        Trial() if plan is None else plan.trial,
        loaded.deployments[0] if loaded.deployments else None,
        fallback,
        record,
        running_kargs.last_value(PICK) or "",
        ledger,
        damage,
    )


def _read_record(sysroot: Sysroot, loaded: Loaded) -> tuple[Record, tuple[str, ...]]:
    default = loaded.deployments[0] if loaded.deployments else None
    identity = identity_of(default)
    tries = None if default is None or default.entry_name is None else default.entry_name.tries
    if sysroot.settings.rollback.protocol is Protocol.SYSTEMD_BOOT:
        return Record(identity, 0 if tries is None else tries.done or 0), ()
    if sysroot.running.root is None:
        return Record(), ()
    try:
        with open_store(sysroot, identity) as store:
            if store is None:
                return Record(), ()
            return store.read()
    except PermissionError:
        return Record(), ("the record of trials cannot be read: only root may",)
    except (OstryaError, OSError) as exc:
        said = exc.message if isinstance(exc, OstryaError) else f"{exc.strerror}: {exc.filename}"
        return Record(), (f"the record of trials cannot be read: {said}",)
