# SPDX-License-Identifier: Apache-2.0
"""What a device has begun to read: one state of a repository, to its end.

A device reads timestamp, snapshot and Targets one after the other, under names without versions. If
something is published in between, it would get files that do not belong together, and take that
for an attack. So the files that belong to the timestamp that it got are kept for it for a while.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostrya.uptane.steps import Repository

KEPT_S = 120.0
_MAX_READINGS = 50_000


class _Reading(NamedTuple):
    files: Mapping[str, bytes]
    until: float


class Readings:
    """The states that devices are reading."""

    def __init__(self) -> None:
        self._found: OrderedDict[tuple[str, Repository], _Reading] = OrderedDict()

    def begin(
        self, device_id: str, repository: Repository, files: Mapping[str, bytes], now: float
    ) -> None:
        """Keep the files that belong to a timestamp that a device gets now."""
        key = (device_id, repository)
        self._found.pop(key, None)
        while len(self._found) >= _MAX_READINGS:
            self._found.popitem(last=False)
        self._found[key] = _Reading(files, now + KEPT_S)

    def file(self, device_id: str, repository: Repository, name: str, now: float) -> bytes | None:
        """Return a file of the state that a device is reading; None if it has begun with none."""
        found = self._found.get((device_id, repository))
        if found is None or now > found.until:
            return None
        return found.files.get(name)
