# SPDX-License-Identifier: Apache-2.0
"""Who an ECU is, and what it verifies."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.uptane.metadata.secret_keys import SecretKey


class Verification(StrEnum):
    """What an ECU verifies, in aktualizr's words and one of ours."""

    FULL = "Full"
    """Both repositories, and that they agree."""
    PARTIAL = "Partial"
    """The Director alone."""
    TUF = "Tuf"
    """The Image repository alone."""


class EcuIdentity(NamedTuple):
    """Who an ECU is.

    Attributes:
        serial: What it is called.
        hardware_id: What kind it is.
        key_id: Of its key.
        secret: Signs its reports.
        verification: What it verifies.
    """

    serial: str
    hardware_id: str
    key_id: str
    secret: SecretKey
    verification: Verification = Verification.FULL
