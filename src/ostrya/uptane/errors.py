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
    ├── StorageError        what a device knows cannot be read or changed
    ├── ConfigError         what a device is told cannot be understood
    ├── IdentityError       keys, certificates or names of a device cannot be used
    ├── NotProvisioned      the device is not one of the fleet's yet
    │   └── RegisteredTwice     another one has its name, or its ECU's
    └── ServerError         the server did not do what was asked of it
        ├── ServerUnreachable   there is no connection, or it broke
        │   └── ServerTooSlow       nothing, or next to nothing, came for too long
        ├── ServerUntrusted     whoever answers is not the fleet's, or speaks in the clear
        │   └── ClockWrong          a certificate is not valid yet, by the device's clock
        ├── ServerRefused       it says no
        │   └── CertificateRefused  it does not take the device's certificate
        ├── AnswerUnusable      its answer makes no sense
        └── AnswerTooLarge      its answer is longer than it may be
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
    """What a device knows cannot be read or changed.

    Attributes:
        is_full: Whether there is no room on the disk.
    """

    is_full = False


class ConfigError(UptaneError):
    """What a device is told by its configuration cannot be understood, or not be done."""


class IdentityError(UptaneError):
    """Keys, certificates or names of a device cannot be used."""


class NotProvisioned(UptaneError):
    """The device is not one of the fleet's yet."""


class RegisteredTwice(NotProvisioned):
    """Another device has its name, or one of its ECUs is another one's."""


class ServerError(UptaneError):
    """The server did not do what was asked of it.

    Attributes:
        url: Who was asked, without user and password.
    """

    def __init__(self, url: str, what: str, *, hint: str = "") -> None:
        super().__init__(f"{url}: {what}", hint=hint)
        self.url = url


class ServerUnreachable(ServerError):
    """There is no connection, or it broke."""


class ServerTooSlow(ServerUnreachable):
    """Nothing, or next to nothing, came for too long."""


class ServerUntrusted(ServerError):
    """Whoever answers is not the fleet's server, or would have to be spoken to in the clear."""


class ClockWrong(ServerUntrusted):
    """By the device's clock, a certificate is not valid yet: it can hardly be the real time."""


class ServerRefused(ServerError):
    """The server says no.

    Attributes:
        status: Its status code; 0 where it said so otherwise.
        code: What it calls the reason, for programs; empty where it does not.
        description: The same in words.
    """

    def __init__(
        self, url: str, status: int, code: str = "", description: str = "", *, hint: str = ""
    ) -> None:
        words = f" ({description})" if description else ""
        reason = f": {code}{words}" if code else words
        super().__init__(url, f"the server says no, with status {status}{reason}", hint=hint)
        self.status = status
        self.code = code
        self.description = description


class CertificateRefused(ServerRefused):
    """The server does not take the device's certificate: it expired, or was revoked."""


class AnswerUnusable(ServerError):
    """An answer of the server makes no sense."""


class AnswerTooLarge(ServerError):
    """An answer of the server is longer than it may be.

    Attributes:
        max_bytes: How long it may be.
    """

    attack = "endless data"

    def __init__(self, url: str, max_bytes: int) -> None:
        super().__init__(url, f"the answer is longer than {max_bytes} bytes")
        self.max_bytes = max_bytes
