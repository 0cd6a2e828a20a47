# SPDX-License-Identifier: Apache-2.0
"""A repository, copied to where it is served: images first, the timestamp last."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya.uptane.author.images import copy_file
from ostrya.uptane.author.keyring import read_bounded
from ostrya.uptane.author.workplace import MAX_METADATA_BYTES, REPOSITORY
from ostrya.uptane.errors import AuthoringError
from ostrya.uptane.metadata.signed import parse_envelope
from ostrya.uptane.metadata.timestamp import read_timestamp

if TYPE_CHECKING:
    from ostrya.uptane.author.workplace import Workplace

_TIMESTAMP = "timestamp.json"
# Who comes later names who comes before.
_ORDER = ("targets/", "delegations/", "targets.json", "root.json", "snapshot.json", _TIMESTAMP)


def push(work: Workplace, target: str) -> tuple[str, ...]:
    """Copy what is published and not there yet; return the files that were copied.

    Raises:
        AuthoringError: Nothing is published, or something newer is there.
    """
    timestamp = work.timestamp()
    if timestamp is None:
        raise AuthoringError(
            f"nothing is published in {work.folder}", hint="`ostrya ota targets sign` publishes"
        )
    there = os.path.join(target, _TIMESTAMP)
    if os.path.exists(there):
        data = read_bounded(there, MAX_METADATA_BYTES)
        envelope = parse_envelope(data, work.dialect, MAX_METADATA_BYTES, there)
        version = read_timestamp(envelope.signed, work.dialect, there).header.version
        if version > timestamp.header.version:
            raise AuthoringError(
                f"{target} has version {version}, and {work.folder} only"
                f" {timestamp.header.version}",
                hint="somebody else published there; clients would refuse what is older",
            )
    copied = []
    source = work.path(REPOSITORY)
    for name in sorted(_files(source), key=lambda one: (_rank(one), one)):
        here, there = os.path.join(source, name), os.path.join(target, name)
        if not _same(here, there):
            os.makedirs(os.path.dirname(there), exist_ok=True)
            copy_file(here, there)
            copied.append(name)
    return tuple(copied)


def _files(folder: str) -> list[str]:
    return [
        os.path.relpath(os.path.join(where, name), folder)
        for where, _, names in os.walk(folder)
        for name in names
    ]


def _rank(name: str) -> int:
    for at, part in enumerate(_ORDER):
        if name.startswith(part) if part.endswith("/") else name.endswith(part):
            return at
    # Roles of the TUF dialect, which are named by versions.
    return 1


def _same(here: str, there: str) -> bool:
    if not os.path.exists(there) or os.path.getsize(here) != os.path.getsize(there):
        return False
    with open(here, "rb") as one, open(there, "rb") as other:
        while chunk := one.read(1 << 20):
            if chunk != other.read(1 << 20):
                return False
    return True
