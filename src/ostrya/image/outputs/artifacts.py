# SPDX-License-Identifier: Apache-2.0
"""What a build made, and the files that are made of it for somebody to take away."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from ostrya import __version__
from ostrya.delta.generate import GenerateOptions, generate_delta
from ostrya.delta.plan import DeltaLimits
from ostrya.formats.checksum import Checksum
from ostrya.formats.commit import KEY_VERSION
from ostrya.formats.delta_name import DeltaName
from ostrya.image.bmap import encode_bmap
from ostrya.image.bootloader_install import ROOT_LABEL
from ostrya.image.disk_layout import named_uuid
from ostrya.image.errors import OutputError
from ostrya.image.mbr import SECTOR_BYTES
from ostrya.image.outputs import kinds
from ostrya.image.outputs.btrfs.writer import BtrfsOptions, write_btrfs
from ostrya.image.outputs.checksums import with_others
from ostrya.image.outputs.kinds import parse_kinds
from ostrya.image.outputs.manifest import Built, BuiltFile, encode_manifest
from ostrya.image.outputs.packing import packed
from ostrya.image.outputs.qcow2_writer import write_qcow2
from ostrya.image.outputs.repo_tar import RepoRelease, write_repo_tar
from ostrya.image.outputs.sinks import NewFile, copy_into
from ostrya.image.outputs.spdx import Subject, encode_bill
from ostrya.image.outputs.sysroot_tar import write_sysroot_tar
from ostrya.image.reading.commit_files import commit_reader
from ostrya.image.reading.disk import DiskImage
from ostrya.image.reading.packages import read_packages
from ostrya.image.reading.usage import make_bmap
from ostrya.named_tuple import NamedTuple
from ostrya.progress import NULL_PROGRESS, Advanced, Finished, ProgressSink, Started, Unit
from ostrya.repo.errors import RefNotFound
from ostrya.repo.reader import load_commit
from ostrya.repo.refs import require_rev
from ostrya.tree.lookup import commit_root
from ostrya.tree.tar_export import ExportOptions, export_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ostrya.image.board import Board
    from ostrya.image.disk_layout import DiskPlan
    from ostrya.image.fat import FatFile
    from ostrya.image.filesystem import Inode
    from ostrya.image.outputs.kinds import Kind
    from ostrya.image.outputs.sinks import Sink
    from ostrya.repo.repository import Repository

_TASK = "writing outputs"
_BOOT = "boot"
_TOOL = f"ostrya-{__version__}"
_MOST_RELEASE = 1 << 20
# What making a delta may take, roughly, all its processes together.
_DELTA_MEMORY = 192 << 20


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
    try:
        return kind._replace(revision=str(require_rev(artifacts.repo, kind.revision)))
    except RefNotFound as exc:
        raise OutputError(
            f"no delta can lead from '{kind.revision}': the repository has no such release",
            hint="earlier releases are kept where a build names a repository of its own",
        ) from exc


def _write(artifacts: Artifacts, kind: Kind, file: NewFile, outputs: list[Output]) -> None:
    if kind.base == kinds.DELTA:
        write_delta(artifacts, Checksum(kind.revision), file)
    elif kind.base in _SAYING:
        file.write(_SAYING[kind.base](artifacts, file.path, outputs))
    else:
        with packed(file, kind.compression) as sink:
            _MAKERS[kind.base](artifacts, sink)


# -- what is large


def _make_disk(artifacts: Artifacts, sink: Sink) -> None:
    copy_into(artifacts.disk, sink)


def _make_qcow2(artifacts: Artifacts, sink: Sink) -> None:
    write_qcow2(artifacts.disk, artifacts.plan.sectors * SECTOR_BYTES, sink)


def _make_ext4(artifacts: Artifacts, sink: Sink) -> None:
    copy_into(artifacts.root_image, sink)


def _make_btrfs(artifacts: Artifacts, sink: Sink) -> None:
    seed = artifacts.seed
    options = BtrfsOptions(
        os.path.getsize(artifacts.root_image),
        ROOT_LABEL,
        named_uuid(seed, "root"),
        named_uuid(seed, "btrfs device"),
        named_uuid(seed, "btrfs chunks"),
        named_uuid(seed, "btrfs files"),
        artifacts.timestamp,
    )
    write_btrfs(artifacts.sysroot, artifacts.inodes, sink, options)


def _make_esp(artifacts: Artifacts, sink: Sink) -> None:
    if _BOOT not in artifacts.roles:
        raise OutputError(f"the board {artifacts.board.name} has no partition for its firmware")
    at = artifacts.roles.index(_BOOT)
    plan = artifacts.plan
    copy_into(artifacts.disk, sink, offset=plan.offset(at), size=plan.size(at))


def _make_sysroot(artifacts: Artifacts, sink: Sink) -> None:
    write_sysroot_tar(artifacts.sysroot, artifacts.inodes, sink)


def _make_tree(artifacts: Artifacts, sink: Sink) -> None:
    repo, commit = artifacts.repo, artifacts.commit
    options = ExportOptions(load_commit(repo, commit).timestamp)
    export_tree(repo, commit_root(repo, commit), sink, options)


def _make_repo(artifacts: Artifacts, sink: Sink) -> None:
    release = RepoRelease(artifacts.repo, artifacts.commit, artifacts.ref, artifacts.timestamp)
    write_repo_tar(release, sink, artifacts.scratch)


_MAKERS: dict[str, Callable[[Artifacts, Sink], None]] = {
    "raw": _make_disk,
    "wic": _make_disk,
    "qcow2": _make_qcow2,
    "ota-ext4": _make_ext4,
    "ota-btrfs": _make_btrfs,
    "ota-esp": _make_esp,
    "ota.tar": _make_sysroot,
    "ostree.tar": _make_tree,
    "ostreecommit.tar": _make_repo,
}


def write_delta(artifacts: Artifacts, origin: Checksum, file: NewFile) -> None:
    """Write a static delta that leads to the release, as one file with all that it needs.

    Raises:
        ObjectNotFound: The repository lacks an object of either.
        OSError: Something cannot be written.
    """
    path = f"{artifacts.scratch}/{origin}.delta"
    options = GenerateOptions(
        DeltaLimits(min_fallback=0), memory=_DELTA_MEMORY, inline=True, filename=path
    )
    name = DeltaName(artifacts.commit, origin)
    generate_delta(artifacts.repo, name, options, now=artifacts.timestamp)
    copy_into(path, file)
    os.unlink(path)


# -- what says something about it


def _say_bmap(artifacts: Artifacts, _path: str, _outputs: list[Output]) -> bytes:
    with DiskImage(artifacts.disk) as disk:
        return encode_bmap(make_bmap(disk.source, disk.volumes))


def _say_bill(artifacts: Artifacts, path: str, _outputs: list[Output]) -> bytes:
    read = commit_reader(artifacts.repo, artifacts.commit)
    name = os.path.basename(path).removesuffix(kinds.Kind(kinds.SPDX).file_name(""))
    release = read("/usr/lib/os-release", _MOST_RELEASE) or b""
    subject = Subject(
        name,
        _version(artifacts) or str(artifacts.commit),
        str(artifacts.commit),
        _distribution(release),
        named_uuid(artifacts.seed, f"spdx {name}"),
        artifacts.timestamp,
        _TOOL,
    )
    return encode_bill(subject, read_packages(read))


def _say_manifest(artifacts: Artifacts, path: str, outputs: list[Output]) -> bytes:
    read = commit_reader(artifacts.repo, artifacts.commit)
    built = Built(
        os.path.basename(path).removesuffix(kinds.Kind(kinds.MANIFEST).file_name("")),
        artifacts.board,
        artifacts.ref,
        str(artifacts.commit),
        _version(artifacts),
        artifacts.kver,
        artifacts.stateroot,
        artifacts.timestamp,
        artifacts.plan,
        artifacts.roles,
        read_packages(read, details=False),
        artifacts.decisions,
        _TOOL,
    )
    files = [
        BuiltFile(one.kind, os.path.basename(one.path), one.size_bytes, one.sha256)
        for one in outputs
    ]
    return encode_manifest(built, files)


def _say_sums(_artifacts: Artifacts, path: str, outputs: list[Output]) -> bytes:
    return with_others(path, {os.path.basename(one.path): one.sha256 for one in outputs})


_SAYING: dict[str, Callable[[Artifacts, str, list[Output]], bytes]] = {
    kinds.BMAP: _say_bmap,
    kinds.SPDX: _say_bill,
    kinds.MANIFEST: _say_manifest,
    kinds.SUMS: _say_sums,
}


def _version(artifacts: Artifacts) -> str:
    commit = load_commit(artifacts.repo, artifacts.commit)
    return commit.metadata.lookup(KEY_VERSION, "s") or ""


def _distribution(release: bytes) -> str:
    for line in release.decode("utf-8", "replace").splitlines():
        if line.startswith("ID="):
            return line.removeprefix("ID=").strip("\"'")
    return ""
