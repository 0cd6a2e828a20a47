# SPDX-License-Identifier: Apache-2.0
"""What a build made, and the files that are made of it for somebody to take away."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from ostrya.image.errors import OutputError
from ostrya.image.outputs import checksums, kinds
from ostrya.image.outputs.kinds import parse_kinds
from ostrya.image.outputs.packing import packed
from ostrya.image.outputs.sinks import NewFile, copy_into
from ostrya.named_tuple import NamedTuple
from ostrya.progress import NULL_PROGRESS, Advanced, Finished, ProgressSink, Started, Unit
from ostrya.repo.reader import load_commit
from ostrya.repo.refs import require_rev
from ostrya.tree.lookup import commit_root
from ostrya.tree.tar_export import ExportOptions, export_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ostrya.formats.checksum import Checksum
    from ostrya.image.board import Board
    from ostrya.image.disk_layout import DiskPlan
    from ostrya.image.fat import FatFile
    from ostrya.image.filesystem import Inode
    from ostrya.image.outputs.kinds import Kind
    from ostrya.image.outputs.sinks import Sink
    from ostrya.repo.repository import Repository

_TASK = "writing outputs"
_BOOT = "boot"


class Artifacts(NamedTuple):
    """What a build made. The files are in its working directory, and are only read.

    Attributes:
        disk: Path of the disk, a sparse file.
        plan: What lies where in it.
        roles: Of its partitions, in the order of their numbers: ``bios``, ``boot``, ``root``, or
            what else a recipe calls them.
        root_image: Path of the root file system, an ext4.
        sysroot: Path of the directory that it was made of.
        inodes: What is in that directory is to be like, by path below it; all else is root's.
        boot_files: What is in the FAT partition.
        repo: Where the release is.
        commit: The release that is started by default.
        ref: What it follows.
        board: What it was built for.
        kver: The version of its kernel.
        stateroot: What its system is called.
        timestamp: Of whatever was not committed, in seconds since 1970 UTC.
        seed: What UUIDs are made of, by `disk_layout.named_uuid`.
        decisions: What was done to the root file system, a sentence each.
        scratch: A directory for files that are needed on the way.
    """

    disk: str
    plan: DiskPlan
    roles: tuple[str, ...]
    root_image: str
    sysroot: str
    inodes: Mapping[str, Inode]
    boot_files: tuple[FatFile, ...]
    repo: Repository
    commit: Checksum
    ref: str
    board: Board
    kver: str
    stateroot: str
    timestamp: int
    seed: str
    decisions: tuple[str, ...]
    scratch: str


class Output(NamedTuple):
    """A file that was written.

    Attributes:
        kind: What it is, as it was asked for.
        path: Where it is.
        size_bytes: How large it is, holes with it.
        sha256: Its checksum.
    """

    kind: str
    path: str
    size_bytes: int
    sha256: str


def write_outputs(  # what is told to whom, by keyword
    artifacts: Artifacts,
    wanted: Sequence[str],
    folder: str,
    name: str,
    *,
    tell: Callable[[str], None] = lambda _line: None,
    progress: ProgressSink = NULL_PROGRESS,
) -> list[Output]:
    """Write outputs of a build. They get their names when all of them are whole.

    Args:
        artifacts: What the build made.
        wanted: Names of outputs, see `kinds`; those that speak of others are written last.
        folder: Where; it is there.
        name: What their file names begin with.
        tell: Told of each file.
        progress: Told how many there are.

    Raises:
        OutputError: There is no such output, or it cannot be made of this build.
        OstryaError: Something cannot be read; a program failed.
        OSError: Something cannot be written. Of all these, no new file is left.
    """
    todo = [_resolved(artifacts, kind) for kind in parse_kinds(wanted)]
    progress.send(Started(_TASK, len(todo), Unit.ITEMS))
    outputs: list[Output] = []
    with ExitStack() as stack:
        files = []
        for kind in todo:
            file = stack.enter_context(NewFile(os.path.join(folder, kind.file_name(name))))
            _write(artifacts, kind, file, outputs)
            file.finish()
            files.append(file)
            outputs.append(Output(kind.word, file.path, file.size_bytes, file.sha256))
            progress.send(Advanced(_TASK, len(files)))
        for file in files:
            file.appear()
    for output in outputs:
        tell(f"wrote {output.path}")
    progress.send(Finished(_TASK, len(outputs)))
    return outputs


def _resolved(artifacts: Artifacts, kind: Kind) -> Kind:
    if kind.base != kinds.DELTA:
        return kind
    return kind._replace(revision=str(require_rev(artifacts.repo, kind.revision)))


def _write(artifacts: Artifacts, kind: Kind, file: NewFile, outputs: list[Output]) -> None:
    if kind.base == kinds.SUMS:
        before = {os.path.basename(output.path): output.sha256 for output in outputs}
        file.write(checksums.with_others(file.path, before))
        return
    maker = _MAKERS[kind.base]
    with packed(file, kind.compression) as sink:
        maker(artifacts, sink)


def _make_disk(artifacts: Artifacts, sink: Sink) -> None:
    copy_into(artifacts.disk, sink)


def _make_ext4(artifacts: Artifacts, sink: Sink) -> None:
    copy_into(artifacts.root_image, sink)


def _make_esp(artifacts: Artifacts, sink: Sink) -> None:
    if _BOOT not in artifacts.roles:
        raise OutputError(f"the board {artifacts.board.name} has no partition for its firmware")
    at = artifacts.roles.index(_BOOT)
    plan = artifacts.plan
    copy_into(artifacts.disk, sink, offset=plan.offset(at), size=plan.size(at))


def _make_tree(artifacts: Artifacts, sink: Sink) -> None:
    repo, commit = artifacts.repo, artifacts.commit
    options = ExportOptions(load_commit(repo, commit).timestamp)
    export_tree(repo, commit_root(repo, commit), sink, options)


_MAKERS: dict[str, Callable[[Artifacts, Sink], None]] = {
    "raw": _make_disk,
    "wic": _make_disk,
    "ota-ext4": _make_ext4,
    "ota-esp": _make_esp,
    "ostree.tar": _make_tree,
}
