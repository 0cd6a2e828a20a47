# SPDX-License-Identifier: Apache-2.0
"""An ECU by itself: it believes its own verification, not its Primary.

::

    put_root       the next root of a repository, one after the other
    put_metadata   verified as the ECU was made to; what it shall run is kept as assigned
    begin, receive, fetch    the image, or the leave to get it
    install        if it is the one that is assigned
    report         what runs, signed by the ECU's own key
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ostrya.errors import OstryaError
from ostrya.uptane import trusted_set
from ostrya.uptane.client import installs, trust_store
from ostrya.uptane.client.errors import ImageUnsuitable
from ostrya.uptane.client.installer import UNKNOWN, Outcome, Running, Stage, plain_words
from ostrya.uptane.client.installs import State, Target
from ostrya.uptane.client.secondaries.ecu_checks import (
    Assigned,
    verify_all,
    verify_director_alone,
    verify_image_alone,
)
from ostrya.uptane.client.secondaries.ecu_identity import Verification
from ostrya.uptane.manifest import EcuReport, Times, sign_report
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.hashes import digests
from ostrya.uptane.steps import Accepted, Repository

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ostrya.uptane.client.installer import ImageSource
    from ostrya.uptane.client.secondaries.bundle import Bundle
    from ostrya.uptane.client.secondaries.ecu_identity import EcuIdentity
    from ostrya.uptane.client.secondaries.firmware import Firmware
    from ostrya.uptane.client.storage import Storage
    from ostrya.uptane.metadata.json_text import Object
    from ostrya.uptane.trusted_set import Trusted

_ASSIGNED, _ATTACK = "assigned", "attack"


class Ecu:
    """An ECU."""

    def __init__(
        self,
        storage: Storage,
        identity: EcuIdentity,
        firmware: Firmware,
        clock: Callable[[], datetime],
        built_at: datetime,
    ) -> None:
        self.identity = identity
        self._storage = storage
        self._firmware = firmware
        self._clock = clock
        self._built_at = built_at

    def _now(self) -> datetime:
        return trust_store.load_time_floor(self._storage, self._built_at).now(self._clock())

    # ------------------------------------------------------------------------- metadata

    def root_version(self, repository: Repository) -> int:
        """Return which root it trusts; 0 for none."""
        if not trust_store.load_files(self._storage, repository):
            return 0
        return self._trusted(repository).root.header.version

    def put_root(self, repository: Repository, data: bytes) -> None:
        """Trust the next root; the first one that ever comes is trusted because it comes.

        Raises:
            UptaneError: It is refused.
        """
        if not trust_store.load_files(self._storage, repository):
            first = trusted_set.open_trusted(repository.shown, Dialect.UPTANE, {"root": data})
            trust_store.keep(self._storage, Accepted(repository, first))
            return
        found = trusted_set.accept_root(self._trusted(repository), data)
        trust_store.keep(self._storage, Accepted(repository, found))

    def put_metadata(self, bundle: Bundle) -> None:
        """Verify metadata, and note what is assigned.

        Raises:
            UptaneError: It is refused; what was trusted and assigned before stays.
        """
        try:
            assigned = self._verify(bundle)
        except OstryaError as exc:
            attack = getattr(exc, "attack", "")
            if attack:
                self._storage.set_fact(_ATTACK, attack.encode())
            raise
        if assigned is not None:
            self._storage.set_fact(_ASSIGNED, _encode(assigned))
        elif self._storage.fact(_ASSIGNED) is not None:
            self._storage.forget_fact(_ASSIGNED)

    def _verify(self, bundle: Bundle) -> Assigned | None:
        for repository in self._repositories():
            self._trust_first(bundle, repository)
            for version, data in sorted(bundle.roots(repository).items()):
                known = self.root_version(repository)
                if known == 0 or version == known + 1:
                    self.put_root(repository, data)
        running, now = self.running_image(), self._now()
        verify = {
            Verification.FULL: verify_all,
            Verification.PARTIAL: verify_director_alone,
            Verification.TUF: verify_image_alone,
        }[self.identity.verification]
        trusted = {one: self._trusted(one) for one in self._repositories()}
        found, assigned = verify(trusted, bundle, self.identity, running, now)
        for repository, one in found.items():
            if dict(one.files) != trust_store.load_files(self._storage, repository):
                trust_store.keep(self._storage, Accepted(repository, one))
        floor = trust_store.load_time_floor(self._storage, self._built_at)
        trust_store.keep_time_floor(self._storage, floor.raised(now))
        return assigned

    def _trust_first(self, bundle: Bundle, repository: Repository) -> None:
        """Trust the only root that is handed on, if there is none to judge it by."""
        newest = bundle.files(repository).get("root")
        if newest is None or bundle.roots(repository) or self.root_version(repository):
            return
        self.put_root(repository, newest)

    def _repositories(self) -> tuple[Repository, ...]:
        return {
            Verification.FULL: (Repository.DIRECTOR, Repository.IMAGE),
            Verification.PARTIAL: (Repository.DIRECTOR,),
            Verification.TUF: (Repository.IMAGE,),
        }[self.identity.verification]

    def _trusted(self, repository: Repository) -> Trusted:
        return trust_store.load_trusted(self._storage, repository, Dialect.UPTANE)

    # ---------------------------------------------------------------------------- image

    def assigned(self) -> Assigned:
        """Return what it shall run.

        Raises:
            ImageUnsuitable: Nothing is assigned.
        """
        value = self._storage.fact(_ASSIGNED)
        if value is None:
            raise ImageUnsuitable(f"nothing is assigned to {self.identity.serial}")
        return _decode(value)

    def begin(self) -> None:
        """Be ready for an image; see `Firmware.begin`."""
        self._firmware.begin(self.assigned().target)

    def receive(self, data: bytes) -> None:
        """Take the next piece; see `Firmware.receive`."""
        self._firmware.receive(self.assigned().target, data)

    def fetch(self, source: ImageSource) -> None:
        """Get the image by oneself; see `Firmware.fetch`."""
        self._firmware.fetch(self.assigned().image(), source)

    def install(self, name: str) -> Outcome:
        """Install what is assigned, if that is what it is called."""
        now = self._now()
        try:
            target = self.assigned().target
            if target.name != name:
                raise ImageUnsuitable(f"{target.name} is assigned, and not {name[:100]}")
            installs.begin_install(self._storage, target, now)
            outcome = self._firmware.install(target)
        except OstryaError as exc:
            outcome = Outcome.failed(exc.message, _code_of(exc))
        except OSError as exc:
            outcome = Outcome.failed(str(exc))
        self._keep(outcome, now)
        return outcome

    def finish(self) -> Outcome | None:
        """Look what became of an installation that waited; None for none."""
        known = installs.open_install(self._storage, self.identity.serial)
        if known is None:
            return None
        try:
            outcome = self._firmware.finish(known.target)
        except (OstryaError, OSError) as exc:
            outcome = Outcome.failed(str(exc))
        if outcome.stage is Stage.LOST and known.state is State.STARTED:
            outcome = Outcome.failed("it was cut short")
        self._keep(outcome, self._now())
        return outcome

    def _keep(self, outcome: Outcome, now: datetime) -> None:
        serial = self.identity.serial
        if installs.open_install(self._storage, serial) is None:
            return
        if outcome.stage is Stage.DONE and outcome.result is not None:
            installs.finish_install(self._storage, serial, outcome.result, now)
            # Nobody but the Primary is told, and it knows.
            installs.forget_results(self._storage, tuple(installs.results(self._storage)))
        else:
            installs.mark_applied(self._storage, serial, now)

    # --------------------------------------------------------------------------- report

    def running_image(self) -> Running | None:
        """Return what it runs; None if that is not known."""
        log = installs.install_log(self._storage, self.identity.serial)
        found = self._firmware.running(log)
        if found is None:
            return None
        known = [one.target for one in log if one.state in (State.CURRENT, State.EARLIER)]
        same = [one for one in known if one.hashes.get("sha256") == found.hashes.get("sha256")]
        counter = same[-1].release_counter if same else found.release_counter
        return found._replace(release_counter=counter)

    def report(self) -> Object:
        """Return what it runs, signed; an attack that was noticed is told once."""
        self.finish()
        identity = self.identity
        running = self.running_image() or Running(UNKNOWN, 0, digests(b""))
        attack = (self._storage.fact(_ATTACK) or b"").decode("utf-8", "replace")
        floor = trust_store.load_time_floor(self._storage, self._built_at)
        # No counter: while it is away, its Primary hands in again what it said last.
        report = EcuReport(
            identity.serial, plain_words(running.name), running.length, running.hashes, attack
        )
        times = Times(floor.now(self._clock()), floor.moment)
        signed = sign_report(report, times, identity.key_id, identity.secret)
        if attack:
            self._storage.forget_fact(_ATTACK)
        return signed


def _code_of(error: OstryaError) -> str:
    return "VERIFICATION_FAILED" if getattr(error, "attack", "") else "INSTALL_FAILED"


def _encode(assigned: Assigned) -> bytes:
    body = {**assigned.target._asdict(), "hashes": dict(assigned.target.hashes)}
    return json.dumps(
        {"target": body, "is_ostree": assigned.is_ostree, "uri": assigned.uri}
    ).encode()


def _decode(value: bytes) -> Assigned:
    body = json.loads(value)
    return Assigned(Target(**body["target"]), bool(body["is_ostree"]), str(body["uri"]))
