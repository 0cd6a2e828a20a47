# SPDX-License-Identifier: Apache-2.0
"""What was built, as JSON: board, release, disk, packages, and the files that came of it. Pure.

``image run`` finds the board of an image in the manifest beside it. Its schema is
``docs/reference/json/image-manifest.json``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ostrya.image.disk_layout import mbr_partitions, mbr_signature
from ostrya.image.mbr import SECTOR_BYTES
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.image.board import Board
    from ostrya.image.disk_layout import DiskPlan
    from ostrya.image.reading.packages import Package

FORMAT = 1
_MBR = "mbr"


class Built(NamedTuple):
    """What was built.

    Attributes:
        name: What its files' names begin with.
        board: What for.
        ref: What the system follows.
        commit: The release that is started by default.
        version: What that is called; empty for nothing.
        kver: The version of its kernel.
        stateroot: What its system is called.
        timestamp: In seconds since 1970 UTC.
        plan: What lies where on its disk.
        roles: Of the partitions, in the order of their numbers.
        packages: What is in it.
        decisions: What was done to the root file system, a sentence each.
        tool: What made it, a name and a version.
    """

    name: str
    board: Board
    ref: str
    commit: str
    version: str
    kver: str
    stateroot: str
    timestamp: int
    plan: DiskPlan
    roles: tuple[str, ...]
    packages: Sequence[Package]
    decisions: tuple[str, ...]
    tool: str


class BuiltFile(NamedTuple):
    """A file that came of it.

    Attributes:
        kind: What it is, as it was asked for.
        file: Its name.
        size_bytes: How large it is.
        sha256: Its checksum.
    """

    kind: str
    file: str
    size_bytes: int
    sha256: str


def encode_manifest(built: Built, files: Sequence[BuiltFile]) -> bytes:
    """Return a manifest."""
    plan = built.plan
    found = {
        "format": FORMAT,
        "name": built.name,
        "board": {
            "name": built.board.name,
            "title": built.board.title,
            "architecture": built.board.architecture,
            "loader": built.board.loader,
        },
        "release": {
            "ref": built.ref,
            "commit": built.commit,
            "version": built.version,
            "kernel": built.kver,
            "stateroot": built.stateroot,
            "timestamp": built.timestamp,
        },
        "disk": {
            "table": plan.table,
            "guid": f"{mbr_signature(plan):08x}" if plan.table == _MBR else str(plan.guid),
            "size_bytes": plan.sectors * SECTOR_BYTES,
            "partitions": [
                {
                    "number": number,
                    "name": one.name,
                    "role": role,
                    "type": kind,
                    "guid": guid,
                    "offset": one.first * SECTOR_BYTES,
                    "size_bytes": one.sectors * SECTOR_BYTES,
                }
                for number, role, one, (kind, guid) in zip(
                    plan.numbers, built.roles, plan.partitions, _names(plan), strict=True
                )
            ],
        },
        "packages": [
            {"name": one.name, "version": one.version, "architecture": one.architecture}
            for one in built.packages
        ],
        "decisions": list(built.decisions),
        "outputs": [one._asdict() for one in files],
        "tool": built.tool,
    }
    return (
        json.dumps(found, indent=2, ensure_ascii=False).encode("utf-8", "surrogateescape") + b"\n"
    )


def _names(plan: DiskPlan) -> list[tuple[str, str]]:
    """Return what the table calls partitions: their types, and what ``PARTUUID=`` finds them by."""
    if plan.table != _MBR:
        return [(str(one.type), str(one.guid)) for one in plan.partitions]
    signature = mbr_signature(plan)
    return [
        (f"{one.type:#04x}", f"{signature:08x}-{number:02x}")
        for number, one in zip(plan.numbers, mbr_partitions(plan), strict=True)
    ]
