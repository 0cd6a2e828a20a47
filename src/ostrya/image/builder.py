# SPDX-License-Identifier: Apache-2.0
"""Releases and a board become a disk.

::

    deploy        releases into a sysroot                    deployments
    boot          what firmware and loader need              bootloader_install
    root          the sysroot into ext4                      filesystem
    disk          all of it into one file                    assemble

The same releases, board and options give the same bytes.
"""

from __future__ import annotations

import os
import tempfile
from hashlib import sha256
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import remove_tree
from ostrya._linux.umask import umask
from ostrya.image.assemble import Content, assemble
from ostrya.image.board_release import check_release
from ostrya.image.bootloader_install import (
    BOOT_LABEL,
    ROOT_LABEL,
    boot_code,
    boot_files,
)
from ostrya.image.deployments import Remote, StateFile, SystemOptions, make_system
from ostrya.image.disk_layout import DiskPlan, PartitionWish, named_uuid, plan_disk
from ostrya.image.errors import LayoutError
from ostrya.image.extras import DiskExtras, Place, data_content, extra_boot_files
from ostrya.image.fat import FatFile, FatOptions, encode_fat
from ostrya.image.filesystem import Ext4Options, Inode, measure, write_ext4
from ostrya.image.firmware import FirmwarePlaces, find_firmware
from ostrya.image.gpt import TYPE_BASIC_DATA, TYPE_BIOS_BOOT, TYPE_ESP, TYPE_LINUX
from ostrya.image.mbr import SECTOR_BYTES
from ostrya.image.room import room_for
from ostrya.named_tuple import NamedTuple
from ostrya.progress import NULL_PROGRESS, ProgressSink
from ostrya.sysroot import paths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from uuid import UUID

    from ostrya.formats.checksum import Checksum
    from ostrya.image.board import Board
    from ostrya.image.board_parts import BoardPartition
    from ostrya.image.bootloader_install import BootCode
    from ostrya.repo.repository import Repository

_MIB = 1 << 20
# Of the root partition, beside what is in it: a second release, and what people do.
_ROOM_FACTOR, _ROOM_BYTES = 2.2, 128 * _MIB
NO_EXTRAS = DiskExtras()
_ROOT_KARGS = (f"root=LABEL={ROOT_LABEL}", "rootfstype=ext4", "panic=5")


class DiskOptions(NamedTuple):
    """What a disk is to be.

    Attributes:
        ref: What its system follows.
        timestamp: Of whatever was not committed, in seconds since 1970 UTC.
        stateroot: What its system is called.
        size_bytes: How large it is; 0 for room for a second release.
        kargs: Kernel arguments, beside those of the board.
        remotes: Where its system gets updates; the first is the one that it follows.
        settings: Of its system's repository: group, key, value.
        preloaded: Refs that its repository has besides, and their commits.
        state_files: Of its ``/var``, beside what releases begin with.
    """

    ref: str
    timestamp: int
    stateroot: str = "os"
    size_bytes: int = 0
    kargs: tuple[str, ...] = ()
    remotes: tuple[Remote, ...] = ()
    settings: tuple[tuple[str, str, str], ...] = ()
    preloaded: tuple[tuple[str, Checksum], ...] = ()
    state_files: tuple[StateFile, ...] = ()


class DiskParts(NamedTuple):
    """What a disk was made of, as long as the directory for it is there.

    Attributes:
        disk: Path of the disk.
        plan: What lies where.
        root_image: Path of the file system in the root partition.
        sysroot: What is in it, laid out in a directory.
        inodes: What files and directories there are to be like, by their paths.
        boot_files: What is on the FAT partition.
        roles: Of the partitions, in the order of their numbers.
        seed: What UUIDs are made of.
        scratch: A directory for files that are needed on the way.
    """

    disk: str
    plan: DiskPlan
    root_image: str
    sysroot: str
    inodes: Mapping[str, Inode]
    boot_files: tuple[FatFile, ...]
    roles: tuple[str, ...]
    seed: str
    scratch: str


class Disk(NamedTuple):
    """A disk that was built.

    Attributes:
        path: Where it is.
        plan: What lies where.
        root_bytes: How much is in its root file system.
    """

    path: str
    plan: DiskPlan
    root_bytes: int


def build_disk(  # noqa: PLR0913  # options by keyword
    repo: Repository,
    commits: Sequence[Checksum],
    board: Board,
    output: str,
    options: DiskOptions,
    *,
    extras: DiskExtras = NO_EXTRAS,
    store: str | None = None,
    scratch: str | None = None,
    firmware: str = "",
    use: Callable[[DiskParts], None] = lambda _parts: None,
    tell: Callable[[str], None] = lambda _line: None,
    progress: ProgressSink = NULL_PROGRESS,
) -> Disk:
    """Build a disk with releases on it.

    Args:
        repo: Where the releases are.
        commits: Which are deployed, the oldest first; the last one is started by default.
        board: What for.
        output: The file to be written.
        options: What it is to be.
        extras: What it has beside the board's partitions and the system.
        store: Where contents of releases are kept as plain files, on the file system of
            ``scratch``; None for nowhere.
        scratch: A directory for files that are needed on the way; that of the output if None.
        firmware: A folder with files that the board needs and that nobody else may hand out.
        use: Given the disk and what it was made of, before that is removed.
        tell: Told what is done.
        progress: Told about files.

    Raises:
        ImageError: It cannot be built as it is wanted.
        OstryaError: A release cannot be read or deployed; a program failed.
        OSError: Something cannot be written. Of all these nothing is left.
    """
    folder = scratch or os.path.dirname(os.path.abspath(output))
    work = tempfile.mkdtemp(prefix=".ostrya-image-", dir=folder)
    try:
        # Modes of what is made on the way are those on the disk.
        with umask(0o022), room_for(work, "a disk is built there first; make room"):
            build = _Build(repo, board, options, extras, _Way(work, store, tell, progress))
            return build.run(commits, output, firmware, use)
    finally:
        remove_tree(work)


class _Way(NamedTuple):
    """How a disk is built, which makes no difference to it.

    Attributes:
        work: A directory for files that are needed on the way.
        store: Where contents are kept.
        tell: Told what is done.
        progress: Told about files.
    """

    work: str
    store: str | None
    tell: Callable[[str], None]
    progress: ProgressSink


class _Build:
    def __init__(
        self, repo: Repository, board: Board, options: DiskOptions, extras: DiskExtras, way: _Way
    ) -> None:
        self._repo = repo
        self._board = board
        self._options = options
        self._extras = extras
        self._way = way
        self._seed = ""

    def run(
        self,
        commits: Sequence[Checksum],
        output: str,
        firmware: str,
        use: Callable[[DiskParts], None],
    ) -> Disk:
        board, options = self._board, self._options
        self._seed = _seed(board, commits, options, self._extras)
        top = self._folder("sysroot")
        inodes = make_system(
            self._repo,
            commits,
            top,
            self._system_options(),
            store=self._way.store,
            progress=self._way.progress,
        )
        self._way.tell(
            f"deployed {len(commits)} release(s) of {options.ref} as {options.stateroot}"
        )
        release = f"{top}/{paths.deployments_dir(options.stateroot)}/{commits[-1]}.0"
        for line in check_release(board, release):
            self._way.tell(line)
        places = FirmwarePlaces(firmware, release)
        found = find_firmware(board, places)
        files = [*boot_files(board, self._folder("loader"), places), *found.files]
        if board.boot_on_fat:
            files += _take_boot(top)
        files += extra_boot_files(self._extras, files)
        root_bytes = measure(top)
        plan = self._plan(root_bytes)
        code = self._boot_code(plan)
        root_at = board.root_number - 1
        image = f"{self._way.work}/root.ext4"
        ext4 = Ext4Options(plan.size(root_at), ROOT_LABEL, self._uuid("root"), options.timestamp)
        write_ext4(top, image, ext4, inodes)
        self._way.tell(
            f"made an ext4 of {plan.size(root_at) // _MIB} MiB with {root_bytes // _MIB} MiB in it"
        )
        contents = list(self._contents(plan, files, image, code))
        first = b"" if code is None else code.first
        assemble(output, plan, contents, boot_code=first, firmware=found.raw)
        self._way.tell(f"wrote {output}: {plan.sectors * SECTOR_BYTES // _MIB} MiB")
        roles = [one.role for one in board.partitions]
        roles += [one.name for one in self._extras.partitions]
        scratch = self._folder("outputs")
        use(
            DiskParts(
                output, plan, image, top, inodes, tuple(files), tuple(roles), self._seed, scratch
            )
        )
        return Disk(output, plan, root_bytes)

    def _folder(self, name: str) -> str:
        path = f"{self._way.work}/{name}"
        os.mkdir(path, 0o755)
        return path

    def _uuid(self, what: str) -> UUID:
        return named_uuid(self._seed, what)

    @property
    def _boot_volume(self) -> int:
        return self._uuid("boot").int & 0xFFFFFFFF

    def _system_options(self) -> SystemOptions:
        board, options = self._board, self._options
        settings = [
            ("sysroot", "bootloader", board.loader),
            ("ostrya", "rollback", board.loader),
            # What `image run` starts it as.
            ("ostrya", "board", board.name),
        ]
        if not board.boot_on_fat:
            settings.append(("ostrya", "rollback-state", _volume_tag(self._boot_volume)))
        links = (("boot/grub2/grub.cfg", "../loader/grub.cfg"),) if board.grub else ()
        return SystemOptions(
            options.stateroot,
            options.ref,
            (*_ROOT_KARGS, *board.kernel_arguments, *options.kargs),
            (*settings, *options.settings),
            links,
            options.remotes,
            options.timestamp,
            options.preloaded,
            options.state_files,
        )

    # -- the disk

    def _plan(self, root_bytes: int) -> DiskPlan:
        wanted = root_bytes + root_bytes // 10 + 32 * _MIB
        if self._options.size_bytes == 0:
            wanted = max(wanted, int(root_bytes * _ROOM_FACTOR) + _ROOM_BYTES)
        wishes = [_wish(partition, wanted) for partition in self._board.partitions]
        root, extra = self._board.root_number - 1, self._extras.partitions
        numbers = range(len(wishes), len(wishes) + len(extra))
        order = [at for at in range(len(wishes)) if at != root]
        order += [at for at, one in zip(numbers, extra, strict=True) if not one.after_root]
        order += [root, *(at for at, one in zip(numbers, extra, strict=True) if one.after_root)]
        wishes += [one.wish() for one in extra]
        return plan_disk(
            wishes,
            seed=self._seed,
            size_bytes=self._options.size_bytes,
            order=order,
            table=self._board.table,
            first_mib=self._board.first_mib,
        )

    def _number(self, role: str) -> int | None:
        """Return the place of a partition, from 0; None if there is none."""
        roles = [partition.role for partition in self._board.partitions]
        return roles.index(role) if role in roles else None

    def _boot_code(self, plan: DiskPlan) -> BootCode | None:
        bios, boot = self._number("bios"), self._number("boot")
        if bios is None or boot is None:
            return None
        first = plan.partitions[bios].first
        code = boot_code(self._board, first, boot + 1, self._way.work)
        if code is not None and len(code.core) > plan.size(bios):
            raise LayoutError("the partition bios is too small for GRUB's core")
        return code

    def _contents(
        self, plan: DiskPlan, files: list[FatFile], root: str, code: BootCode | None
    ) -> Iterator[Content]:
        for at, partition in enumerate(self._board.partitions):
            if partition.role == "root":
                yield Content(file=root)
            elif partition.role == "bios":
                yield Content(() if code is None else ((0, code.core),))
            else:
                fat = FatOptions(
                    plan.size(at),
                    BOOT_LABEL,
                    self._boot_volume,
                    self._options.timestamp,
                    plan.partitions[at].first,
                )
                yield Content(tuple(encode_fat(files, fat)))
        for at, extra in enumerate(self._extras.partitions, len(self._board.partitions)):
            place = Place(
                plan.size(at),
                plan.partitions[at].first,
                self._uuid(f"data {at}"),
                self._options.timestamp,
            )
            yield data_content(extra, place, self._folder(f"data-{at}"))


def _volume_tag(number: int) -> str:
    """Return what finds a FAT by its number, which no other disk in the machine has."""
    return f"UUID={number >> 16:04X}-{number & 0xFFFF:04X}"


def _wish(partition: BoardPartition, root_bytes: int) -> PartitionWish:
    size = partition.size_mib * _MIB
    if partition.role == "root":
        return PartitionWish("root", TYPE_LINUX, root_bytes)
    if partition.role == "bios":
        return PartitionWish("bios", TYPE_BIOS_BOOT, size)
    if partition.is_esp:
        return PartitionWish("boot", TYPE_ESP, size)
    return PartitionWish("boot", TYPE_BASIC_DATA, size, bootable=True)


def _take_boot(top: str) -> list[FatFile]:
    """Take what is in ``/boot`` out of a sysroot, for a file system of its own."""
    found, folder = [], f"{top}/boot"
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            with open(path, "rb") as stream:
                found.append(FatFile(os.path.relpath(path, folder), stream.read()))
    for name in os.listdir(folder):
        remove_tree(f"{folder}/{name}")
    return found


def _seed(
    board: Board, commits: Sequence[Checksum], options: DiskOptions, extras: DiskExtras
) -> str:
    facts: tuple[object, ...] = (board.name, tuple(map(str, commits)), options)
    if extras.partitions:
        facts = (*facts, extras.facts())
    return sha256(repr(facts).encode()).hexdigest()
