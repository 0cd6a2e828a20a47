# SPDX-License-Identifier: Apache-2.0
"""Partial verification: the least that a Secondary checks, of what its Primary hands on.

The Director's roots, if the Primary hands them on, and its Targets; no Image repository. A
Secondary that can do more uses `ostrya.uptane.full_verification`.

Source: Uptane Standard 2.1.0, section 5.4.4.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane import checks, trusted_set
from ostrya.uptane.metadata.custom import ecus_of, release_counter_of
from ostrya.uptane.metadata.dialect import Role
from ostrya.uptane.refresh import targets_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ostrya.uptane.metadata.targets import Image
    from ostrya.uptane.trusted_set import Trusted


class Ecu(NamedTuple):
    """What an ECU knows of itself.

    Attributes:
        serial: What it is called.
        hardware_id: What kind it is.
        release_counter: Of what it runs; None if that has none.
    """

    serial: str
    hardware_id: str
    release_counter: int | None = None


class Handed(NamedTuple):
    """What a Primary hands on.

    Attributes:
        targets: The Director's Targets.
        roots: Its roots, each after the one before it.
    """

    targets: bytes
    roots: Sequence[bytes] = ()


def verify_partially(
    director: Trusted, handed: Handed, ecu: Ecu, now: datetime
) -> tuple[Trusted, tuple[str, Image] | None]:
    """Return what is trusted now, and the image that this ECU shall run; None for no change.

    Raises:
        UptaneError: Something is refused; what was trusted before is still what it was.
    """
    found = director
    for data in handed.roots:
        found = trusted_set.accept_root(found, data)
    if handed.roots:
        trusted_set.finish_roots(found, now)
    found = trusted_set.accept_targets(found, handed.targets, now)
    targets, what = targets_of(found), found.what(Role.TARGETS.value)
    checks.check_no_delegations(targets, what)
    checks.check_each_ecu_once(targets, what)
    for name, image in targets.images.items():
        if ecu.serial in ecus_of(image, name):
            checks.check_ecu_kinds(targets, {ecu.serial: ecu.hardware_id}, what)
            told = release_counter_of(image, name)
            if told is not None:
                # Servers of aktualizr's kind tell none to a Secondary that cannot see the
                # Image repository's.
                checks.check_release_counter(image, ecu.release_counter, name, ecu.serial)
            return found, (name, image)
    return found, None
