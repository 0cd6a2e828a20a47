# SPDX-License-Identifier: Apache-2.0
"""What Uptane says of images beside length and digests.

::

    Image repository  {"name", "version", "hardwareIds": […], "targetFormat": "OSTREE"|"BINARY",
                       "uri", "releaseCounter", …}
    Director          {"ecuIdentifiers": {SERIAL: {"hardwareId"}}, "uri", "releaseCounter", …}
    Director, of all  {"correlationId", "vehicleId"}

``releaseCounter`` and ``vehicleId`` are ours: the Standard asks for both and names neither.

Source: Uptane Standard 2.1.0, section 5.2.3.1; aktualizr's Target::updateCustom; ota-tuf's
TargetCustom.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.uptane.errors import MetadataInvalid
from ostrya.uptane.metadata.fields import Fields

if TYPE_CHECKING:
    from ostrya.uptane.metadata.json_text import Json
    from ostrya.uptane.metadata.targets import Image, Targets

OSTREE, BINARY = "OSTREE", "BINARY"
MAX_SERIAL = 200
_NO_URI = "https://example.com/"


def ecus_of(image: Image, where: str) -> dict[str, str]:
    """Return the ECUs that a Director means an image for: hardware ids by serial.

    Raises:
        MetadataInvalid: They are not said as they have to be.
    """
    fields = Fields(dict(image.custom or {}), f"'custom' of {where}")
    if not fields.has("ecuIdentifiers"):
        return {}
    found: dict[str, str] = {}
    for serial, value in fields.mapping("ecuIdentifiers").items():
        ecu = Fields(value, f"ECU {serial[:40]} of {where}")
        if not 0 < len(serial) <= MAX_SERIAL:
            raise MetadataInvalid(f"{where} names an ECU by {len(serial)} characters")
        found[serial] = ecu.text("hardwareId")
    return found


def hardware_ids_of(image: Image, where: str) -> tuple[str, ...]:
    """Return the kinds of ECUs that an image is made for.

    Raises:
        MetadataInvalid: They are not said as they have to be.
    """
    fields = Fields(dict(image.custom or {}), f"'custom' of {where}")
    return fields.texts("hardwareIds", 1000) if fields.has("hardwareIds") else ()


def release_counter_of(image: Image, where: str) -> int | None:
    """Return the counter that no later release may be below; None where there is none.

    Raises:
        MetadataInvalid: It is no integer.
    """
    fields = Fields(dict(image.custom or {}), f"'custom' of {where}")
    return fields.integer("releaseCounter") if fields.has("releaseCounter") else None


def uri_of(image: Image) -> str:
    """Return where an image is to be had, if not at its usual place."""
    found = _text(image.custom, "uri")
    return "" if found == _NO_URI else found


def is_ostree(image: Image) -> bool:
    """Say whether an image is an OSTree commit; where nothing is said, by its length of 0."""
    kind = _text(image.custom, "targetFormat")
    return kind == OSTREE or (not kind and image.length == 0)


def correlation_id_of(targets: Targets) -> str:
    """Return what a Director calls this update in all reports; empty for nothing."""
    return _text(targets.custom, "correlationId")


def vehicle_id_of(targets: Targets) -> str:
    """Return the vehicle that a Director means; empty where it does not say."""
    return _text(targets.custom, "vehicleId")


def _text(custom: object, key: str) -> str:
    value: Json = custom.get(key) if isinstance(custom, dict) else None
    return value if isinstance(value, str) else ""
