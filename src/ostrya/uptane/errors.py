# SPDX-License-Identifier: Apache-2.0
"""Why something must not be installed, or cannot be said.

::

    UptaneError
    ├── MetadataInvalid     bytes are not metadata of the role that they are for
    ├── MetadataTooLarge    there is more than may be read
    ├── ThresholdNotMet     too few of the keys of a role signed
    ├── RollbackDetected    something is older than what is known
    ├── MetadataExpired     it was to be believed until some day
    ├── MetadataMismatch    a file is not the one that another names
    ├── TooManyRoots        there are more new roots than are taken at once
    ├── TargetNotFound      the Image repository has no such image
    ├── TargetMismatch      Director and Image repository do not say the same
    ├── EcuMismatch         an ECU is not of this vehicle, or not of that kind
    ├── ImageRejected       an image is not the one that was agreed on
    ├── ManifestRejected    a report of a vehicle is not to be believed
    ├── AuthoringError      a repository cannot be written so
    └── StorageError        what a device knows cannot be read or changed
"""

from __future__ import annotations

from ostrya.errors import UptaneError


class UptaneRefusal(UptaneError):
    """Something was refused.

    Attributes:
        attack: The attack that the check is there for, as a version report names it; empty if it
            is for none.
    """

    attack = ""


class MetadataInvalid(UptaneRefusal):
    """Bytes are not metadata of the role that they are for."""


class MetadataTooLarge(UptaneRefusal):
    """There is more than may be read."""

    attack = "endless data"


class ThresholdNotMet(UptaneRefusal):
    """Too few of the keys of a role signed.

    Attributes:
        role: Whose keys.
        valid: How many of them signed.
        threshold: How many have to.
    """

    attack = "arbitrary software"

    def __init__(self, what: str, role: str, valid: int, threshold: int) -> None:
        super().__init__(
            f"{what} is signed by {valid} of the keys of {role}, {threshold} have to sign"
        )
        self.role = role
        self.valid = valid
        self.threshold = threshold


class RollbackDetected(UptaneRefusal):
    """Something is older than what is known."""

    attack = "rollback"


class MetadataExpired(UptaneRefusal):
    """It was to be believed until some day.

    Attributes:
        expired: When that was, as text.
        now: What the time is taken to be, as text.
    """

    attack = "freeze"

    def __init__(self, what: str, expired: str, now: str) -> None:
        super().__init__(
            f"{what} expired on {expired}, and it is {now}",
            hint="if the time is wrong, set the clock; if not, the repository has to sign it anew",
        )
        self.expired = expired
        self.now = now


class MetadataMismatch(UptaneRefusal):
    """A file is not the one that another names."""

    attack = "mix and match"


class TooManyRoots(UptaneRefusal):
    """There are more new roots than are taken at once."""

    attack = "endless data"


class TargetNotFound(UptaneRefusal):
    """The Image repository has no such image."""

    attack = "arbitrary software"


class TargetMismatch(UptaneRefusal):
    """Director and Image repository do not say the same of an image."""

    attack = "mix and match"


class EcuMismatch(UptaneRefusal):
    """An ECU is not of this vehicle, or not of the kind that is meant."""

    attack = "mix-up of devices"


class ImageRejected(UptaneRefusal):
    """An image is not the one that was agreed on."""

    attack = "arbitrary software"


class ManifestRejected(UptaneRefusal):
    """A report of a vehicle is not to be believed."""


class AuthoringError(UptaneError):
    """A repository cannot be written so."""


class StorageError(UptaneError):
    """What a device knows cannot be read or changed."""
