# SPDX-License-Identifier: Apache-2.0
"""What there is to say of an image, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.image.errors import DiskError
from ostrya.image.reading.ext4 import Ext4
from ostrya.image.reading.packages import Package, read_packages
from ostrya.image.reading.system import Deployment, System, find_system
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.image.reading.disk import DiskImage, Volume
    from ostrya.image.reading.files import View
    from ostrya.image.reading.packages import ReadFile


class Report(NamedTuple):
    """What there is to say.

    Attributes:
        system: The system in it; None if there is none.
        board: The board that it was made for; empty if nobody says.
        packages: Those of the default deployment, or of the only file system.
        faults: What is wrong, a sentence each.
    """

    system: System | None
    board: str
    packages: list[Package]
    faults: list[str]


def make_report(disk: DiskImage) -> Report:
    """Look at an image as a whole.

    Raises:
        DiskError: A file system is damaged.
    """
    faults = list(disk.table.faults)
    for volume in disk.volumes:
        faults += _volume_faults(disk, volume)
    system = find_system(disk)
    packages: list[Package] = []
    board = ""
    if system is not None:
        faults += system.faults
        board = board_of(system)
        if system.deployments:
            view = system.view(system.deployments[0])
            packages = read_packages(view_reader(view), details=False)
    return Report(system, board, packages, faults)


def board_of(system: System) -> str:
    """Return the board that a system was made for; empty if it does not say."""
    config = system.config
    is_there = config.has_group("ostrya") and config.has_key("ostrya", "board")
    return config.get_value("ostrya", "board") if is_there else ""


def _volume_faults(disk: DiskImage, volume: Volume) -> list[str]:
    one, faults = volume.partition, []
    if one.offset + one.size_bytes > disk.source.size_bytes:
        faults.append(f"partition {one.number} ends behind the end of the image")
    if volume.fault:
        faults.append(f"partition {one.number}: {volume.fault}")
    if isinstance(volume.files, Ext4) and volume.files.layout.needs_recovery:
        faults.append(
            f"partition {one.number} was not unmounted: what is only in its journal is not seen"
        )
    return faults


def view_reader(view: View) -> ReadFile:
    """Return what reads a file of a view, links followed; None if it is not there."""

    def read(path: str, max_bytes: int) -> bytes | None:
        try:
            view.find(path)
        except DiskError:
            return None
        return view.read(path, max_bytes=max_bytes)

    return read


def describe(disk: DiskImage, report: Report) -> dict[str, object]:
    """Return a report as plain values."""
    return {
        "path": disk.path,
        "format": disk.format,
        "size_bytes": disk.source.size_bytes,
        "table": disk.table.kind,
        "guid": disk.table.guid,
        "partitions": [_describe_volume(one) for one in disk.volumes],
        "board": report.board,
        "deployments": [
            _describe_deployment(one)
            for one in (report.system.deployments if report.system is not None else ())
        ],
        "refs": dict(report.system.refs()) if report.system is not None else {},
        "remotes": dict(report.system.remotes()) if report.system is not None else {},
        "packages": len(report.packages),
        "faults": report.faults,
    }


def _describe_volume(volume: Volume) -> dict[str, object]:
    one, files = volume.partition, volume.files
    return {
        "number": one.number,
        "name": one.name,
        "type": one.type,
        "type_name": one.type_name,
        "guid": one.guid,
        "offset": one.offset,
        "size_bytes": one.size_bytes,
        "file_system": volume.kind,
        "label": files.label if files is not None else "",
        "uuid": files.uuid if files is not None else "",
        "free_bytes": files.free_bytes if files is not None else None,
    }


def _describe_deployment(one: Deployment) -> dict[str, object]:
    return {
        "stateroot": one.stateroot,
        "checksum": str(one.name.checksum),
        "serial": one.name.serial,
        "is_default": one.is_default,
        "version": one.version,
        "timestamp": one.timestamp,
        "refspec": one.refspec,
        "title": one.title,
        "kernel": one.kernel,
        "options": one.options,
    }
