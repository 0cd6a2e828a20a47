# SPDX-License-Identifier: Apache-2.0
"""``image inspect``: partitions, file systems, deployments and faults of an image.

The image is raw, qcow2, or compressed by gzip, bzip2, xz or zstd; it may be a disk or a single file
system. Nothing is mounted, and nobody need be root.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ostrya.cli.output import write_json, write_line
from ostrya.image.reading.disk import DiskImage
from ostrya.image.reading.report import describe, make_report
from ostrya.repo.free_space import format_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments
    from ostrya.image.reading.disk import Volume
    from ostrya.image.reading.report import Report
    from ostrya.image.reading.system import Deployment, System

PARAMETERS = "IMAGE"
OPTIONS: tuple[Option, ...] = ()
_SHORT = 12


def run(arguments: Arguments, context: Context) -> int:
    """Print it."""
    if len(arguments.positionals) != 1:
        raise context.usage_error("An IMAGE must be specified")
    with DiskImage(arguments.positionals[0]) as disk:
        report = make_report(disk)
        if context.json:
            write_json(describe(disk, report))
        else:
            for line in _lines(disk, report):
                write_line(line)
    return 0


def _lines(disk: DiskImage, report: Report) -> Iterator[str]:
    table = f", {disk.table.kind} {disk.table.guid}" if disk.table.kind else ""
    size = format_size(disk.source.size_bytes)
    yield f"{disk.path}: {disk.format}, {size}{table}"
    for volume in disk.volumes:
        yield _volume_line(volume)
    if report.board:
        yield f"board: {report.board}"
    if report.system is not None:
        yield from _system_lines(report.system)
    if report.packages:
        yield f"packages: {len(report.packages)}"
    for fault in report.faults:
        yield f"fault: {fault}"


def _volume_line(volume: Volume) -> str:
    one, files = volume.partition, volume.files
    words = [
        f"  {one.number:2} {one.name:10} {format_size(one.size_bytes):>10}  {one.type_name:12}"
    ]
    words.append(f" {volume.kind or '-'}")
    if files is not None:
        used = format_size(files.size_bytes - files.free_bytes)
        words.append(f" '{files.label}', {used} used")
    return "".join(words)


def _system_lines(system: System) -> Iterator[str]:
    for one in system.deployments:
        yield from _deployment_lines(one)
    for name, commit in system.refs():
        yield f"ref {name}: {commit[:_SHORT]}"
    for name, url in system.remotes():
        yield f"remote {name}: {url}"


def _deployment_lines(one: Deployment) -> Iterator[str]:
    mark = "*" if one.is_default else " "
    yield f"{mark} {one.stateroot} {one.name}"
    if one.version:
        yield f"    version: {one.version}"
    if one.timestamp is not None:
        # A year behind the last one that Python knows is no reason to fail.
        moment = datetime.fromtimestamp(min(one.timestamp, 253402300799), UTC)
        yield f"    committed: {moment:%Y-%m-%d %H:%M:%S} UTC"
    if one.refspec:
        yield f"    follows: {one.refspec}"
    if one.title:
        yield f"    entry: {one.title}"
    if one.kernel:
        yield f"    kernel: {one.kernel.rpartition('/')[2]}"
    if one.options:
        yield f"    options: {one.options}"
