# SPDX-License-Identifier: Apache-2.0
"""What an image of a disk would start, and whether that is whole; without root, and nothing mounted.

A loader reads what lies on the disk: U-Boot and GRUB know nothing of the journal. Then our ramdisk lets
``e2fsck -p`` replay it, and follows ``ostree=`` in what there is afterwards. So whatever a loader could
choose, by the one view or by the other, has to lead to a whole deployment behind the replay, whose own
kernel and ramdisk are what the loader has loaded.
"""

from __future__ import annotations

import os
import re
import shlex
import struct
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from ostrya.boot.backends.grub2_trial import STATE_FILE as GRUB_FILE
from ostrya.boot.backends.uboot_trial import FORMAT, FORMAT_VARIABLE, STATE_FILES
from ostrya.boot.bls import Entry, EntryName, version_key
from ostrya.boot.errors import EnvironmentInvalid, TrialStateInvalid
from ostrya.boot.grubenv import decode_grubenv
from ostrya.boot.kargs import KernelArguments
from ostrya.boot.trial import Record, Start, Trial, Why, decide
from ostrya.boot.uboot_env import decode_environment
from support.blklog import data_in
from support.commands import clean_environment
from support.ext4_reader import Ext4, Inode, ReadError
from support.fat_reader import Fat

UBOOT, GRUB, SYSTEMD_BOOT = "uboot", "grub2", "systemd-boot"
_MODULES = "usr/lib/modules"
_SECTOR = 512
_FSCK_MENDED = 1
Listing = frozenset[tuple[str, str]]


class NotBootable(AssertionError):
    """A disk would not come up, or not with something whole; the message says why."""


class Part(NamedTuple):
    """A partition, or a disk without any: ``ext4`` or ``fat``, and where it is, in bytes."""

    kind: str
    offset: int
    size: int


class Boot(NamedTuple):
    """What a loader loads."""

    kernel: str
    initrds: tuple[str, ...]
    options: str


class Choice(NamedTuple):
    """What a loader has to choose from, the default first, and how it does."""

    boots: list[Boot]
    start: Start
    record: Record


class Started(NamedTuple):
    """What would be running.

    Attributes:
        commit: That the deployment's name tells.
        path: The deployment.
        why: What the kernel is told.
        fallback: Whether it is the fallback.
        commits: All that a loader knows, the default first.
        record: What it had read.
    """

    commit: str
    path: str
    why: Why
    fallback: bool
    commits: tuple[str, ...]
    record: Record


class Verdict(NamedTuple):
    """What is started without the journal, and with it."""

    raw: Started
    replayed: Started


class Files(Protocol):
    """A file system to read."""

    def read(self, path: str) -> bytes: ...


class Folder:
    """What can be read of a FAT file system; names know no case."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def read(self, path: str) -> bytes:
        found = self._files.get(path.strip("/").lower())
        if found is None:
            raise ReadError(f"{path} is not there on the FAT file system")
        return found

    def names(self, path: str) -> list[str]:
        inside = f"{path.strip('/').lower()}/"
        return sorted(one.removeprefix(inside) for one in self._files if one.startswith(inside))


@dataclass
class Judge:
    """Looks at images of one disk.

    Attributes:
        loader: uboot, grub2 or systemd-boot.
        work: A directory for copies.
        state: The directory of the record on the root file system; None where it is on FAT.
        known: What each deployment may have in it, by its name, as far as that was learnt.
    """

    loader: str
    work: Path
    state: str | None = None
    known: dict[str, set[Listing]] = field(default_factory=dict)

    def learn(self, image: Path) -> None:
        """Take the deployments of a disk that was shut down for whole."""
        root = _one(find_parts(image), "ext4")
        with Ext4(image, root.offset) as files:
            for path in _deployments(files):
                self.known.setdefault(path.rpartition("/")[2], set()).add(listing(files, path))

    def learn_replayed(self, image: Path) -> None:
        """The same of one that was not, by what its journal says."""
        root = _one(find_parts(image), "ext4")
        copy = self.work / "replayed"
        copy_range(image, copy, root.offset, root.size)
        replay_journal(copy)
        self.learn(copy)

    def judge(self, image: Path) -> Verdict:
        """Say what would be started.

        Raises:
            NotBootable: Something of what a loader may choose is not whole.
        """
        parts = find_parts(image)
        root = _one(parts, "ext4")
        fat = self._fat(image, parts)
        copy = self.work / "replayed"
        copy_range(image, copy, root.offset, root.size)
        replay_journal(copy)
        with Ext4(image, root.offset) as raw, Ext4(copy) as replayed:
            return Verdict(
                self._started("without the journal", raw, replayed, fat),
                self._started("with the journal", replayed, replayed, fat),
            )

    @staticmethod
    def _fat(image: Path, parts: list[Part]) -> Folder | None:
        part = next((one for one in parts if one.kind == "fat"), None)
        if part is None:
            return None
        data = bytearray(part.size)
        for at, piece in data_in(image, part.offset, part.size):
            data[at : at + len(piece)] = piece
        return Folder(Fat(bytes(data)).read_all())

    def _started(self, view: str, files: Ext4, root: Ext4, fat: Folder | None) -> Started:
        try:
            found = self._choose(files, fat)
            loads: Files = files
            if self.loader == SYSTEMD_BOOT:
                loads = _needed(fat)
            paths = [self._check(boot, loads, root) for boot in found.boots]
        except (ReadError, EnvironmentInvalid, TrialStateInvalid, ValueError) as exc:
            raise NotBootable(f"{view}: {exc}") from exc
        names = [path.rpartition("/")[2] for path in paths]
        at = 1 if found.start.fallback else 0
        commits = tuple(name.partition(".")[0] for name in names)
        return Started(
            commits[at], paths[at], found.start.why, found.start.fallback, commits, found.record
        )

    def _choose(self, files: Ext4, fat: Folder | None) -> Choice:
        if self.loader == SYSTEMD_BOOT:
            return choose_entry(_needed(fat))
        boots, trial = (read_uenv if self.loader == UBOOT else read_grub_cfg)(files)
        if not boots:
            raise ReadError("the loader's file has nothing to start")
        if not trial.identity:
            # Nothing that could be on trial: no record is read.
            return Choice(boots, decide(trial, Record()), Record())
        record = self._record(_needed(fat) if self.state is None else files)
        return Choice(boots, decide(trial, record), record)

    def _record(self, files: Files) -> Record:
        """What the loader reads of the record; of what was written there, something has to be valid."""
        folder = "" if self.state is None else f"{self.state}/"
        if self.loader == GRUB:
            return Record.from_variables(decode_grubenv(files.read(folder + GRUB_FILE)))
        for name in STATE_FILES:
            try:
                variables = decode_environment(files.read(folder + name)).variables
            except (EnvironmentInvalid, ReadError):
                continue
            if variables.get(FORMAT_VARIABLE) == FORMAT:
                return Record.from_variables(variables)
        raise ReadError("both copies of the record are lost")

    def _check(self, boot: Boot, loads: Files, root: Ext4) -> str:
        """See that what is loaded and what is booted belong together; return the deployment's path."""
        link = KernelArguments.parse(boot.options).last_value("ostree")
        if link is None:
            raise ReadError(f"{boot.kernel} is started without ostree=")
        path = root.real_path(link)
        for name in ("usr", "etc"):
            if not root.find(f"{path}/{name}").is_dir:
                raise ReadError(f"{path}/{name} is no directory")
        if b"[origin]" not in root.read(f"{path}.origin"):
            raise ReadError(f"{path}.origin is empty")
        modules = [name for name, one in root.names(f"{path}/{_MODULES}").items() if one.is_dir]
        own = {root.read(f"{path}/{_MODULES}/{name}/vmlinuz") for name in modules}
        if loads.read(boot.kernel) not in own:
            raise ReadError(f"{boot.kernel} is not the kernel of {path}")
        own = {root.read(f"{path}/{_MODULES}/{name}/initramfs.img") for name in modules}
        if boot.initrds and loads.read(boot.initrds[0]) not in own:
            raise ReadError(f"{boot.initrds[0]} is not the ramdisk of {path}")
        self._check_known(root, path)
        return path

    def _check_known(self, root: Ext4, path: str) -> None:
        name = path.rpartition("/")[2]
        if not self.known:
            return
        found = listing(root, path)
        if found in self.known.get(name, set()):
            return
        nearest = min(self.known.get(name, {frozenset()}), key=lambda one: len(one ^ found))
        raise ReadError(f"{path} is not whole: {sorted(nearest ^ found)[:6]}")


def _needed(fat: Folder | None) -> Folder:
    if fat is None:
        raise ReadError("there is no FAT file system")
    return fat


def _one(parts: Iterable[Part], kind: str) -> Part:
    found = next((one for one in parts if one.kind == kind), None)
    if found is None:
        raise NotBootable(f"there is no {kind}")
    return found


def read_uenv(files: Files) -> tuple[list[Boot], Trial]:
    """What U-Boot's script imports."""
    text = files.read("/boot/loader/uEnv.txt").decode()
    found = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    numbers = [""]
    while f"kernel_image{len(numbers) + 1}" in found:
        numbers.append(str(len(numbers) + 1))
    boots = [
        Boot(
            found[f"kernel_image{number}"],
            tuple(found[name] for name in (f"ramdisk_image{number}",) if name in found),
            found.get(f"bootargs{number}", ""),
        )
        for number in numbers
        if f"kernel_image{number}" in found
    ]
    fallback = found.get("dep_id2", "") if len(boots) > 1 else None
    return boots, Trial(
        found.get("dep_id", ""),
        fallback,
        found.get("dep_trial") == "1",
        len(found.get("dep_tries", "xxx")),
    )


_FUNCTION = re.compile(r"^function ostrya_start_\d+ \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_MENU_ENTRY = re.compile(r"^menuentry .*? \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_LOADS = re.compile(r"^\s*(?:if )?(linux|initrd) ([^;\n]*)", re.MULTILINE)
_IDENTITY = re.compile(r'\[ "\$ostrya_id" != "([^"]+)" \]')
_FALLBACK = re.compile(r'"\$ostrya_want" = "([^"]+)" \]; then\n\s*set default=ostrya-1')
_MOST = re.compile(r'"\$ostrya_try" = "(x+)" -o')


def read_grub_cfg(files: Files) -> tuple[list[Boot], Trial]:
    """What GRUB reads from the root file system."""
    text = files.read("/boot/loader/grub.cfg").decode()
    boots = []
    for block in _FUNCTION.findall(text) or _MENU_ENTRY.findall(text):
        loads = {
            name: shlex.split(words.replace("$ostrya_why", ""))
            for name, words in _LOADS.findall(block)
        }
        kernel, *words = loads["linux"]
        boots.append(Boot(kernel, tuple(loads.get("initrd", ())), " ".join(words)))
    identity, fallback, most = (pattern.search(text) for pattern in (_IDENTITY, _FALLBACK, _MOST))
    if identity is None or len(boots) < 2:
        return boots, Trial()
    return boots, Trial(
        identity[1], fallback[1] if fallback else "", most is not None, len(most[1]) if most else 3
    )


def choose_entry(fat: Folder) -> Choice:
    """What systemd-boot starts: the newest entry, but those without tries left come last."""
    found = []
    for name in fat.names("loader/entries"):
        parsed = EntryName.parse(name)
        if parsed is None:
            continue
        entry = Entry.parse(fat.read(f"loader/entries/{name}").decode(errors="replace"))
        if "linux" not in entry.fields:
            # systemd-boot passes over what says nothing to load.
            continue
        is_bad = parsed.tries is not None and parsed.tries.left == 0
        found.append((version_key(entry.fields.get("version", "")), is_bad, parsed, entry))
    if not found:
        raise ReadError("there are no boot entries")
    found.sort(key=lambda one: one[0], reverse=True)
    newest = found[0]
    found.sort(key=lambda one: one[1])
    # A name that takes the place of another one is there beside it for a moment.
    is_fallback = newest[3].fields != found[0][3].fields
    if is_fallback:
        # As of the other loaders: the default first, and what is started instead second.
        found.remove(newest)
        found.insert(0, newest)
    boots = [
        Boot(
            entry.fields["linux"],
            (entry.fields["initrd"], *entry.overlay_initrds),
            entry.fields["options"],
        )
        for *_, entry in found
    ]
    why = Why.TRIES if is_fallback else Why.USUAL
    return Choice(boots, Start(fallback=is_fallback, why=why), Record())


def find_parts(image: Path) -> list[Part]:
    """Find the file systems of a disk by its GPT; one without is a file system itself."""
    with image.open("rb") as stream:

        def kind_at(offset: int) -> str:
            stream.seek(offset)
            head = stream.read(2048)
            if head[1024 + 0x38 : 1024 + 0x3A] == b"\x53\xef":
                return "ext4"
            is_fat = head[510:512] == b"\x55\xaa" and (
                head[54:57] == b"FAT" or head[82:85] == b"FAT"
            )
            return "fat" if is_fat else ""

        stream.seek(_SECTOR)
        header = stream.read(_SECTOR)
        if header[:8] != b"EFI PART":
            return [Part(kind_at(0), 0, image.stat().st_size)]
        first, count, size = struct.unpack_from("<QII", header, 72)
        stream.seek(first * _SECTOR)
        table = stream.read(count * size)
        places = [
            struct.unpack_from("<QQ", table, at + 32)
            for at in range(0, len(table), size)
            if any(table[at : at + 16])
        ]
        return [
            Part(kind, start * _SECTOR, (end - start + 1) * _SECTOR)
            for start, end in places
            if (kind := kind_at(start * _SECTOR))
        ]


def _deployments(files: Ext4) -> list[str]:
    found = []
    for stateroot in files.names("/ostree/deploy"):
        top = f"/ostree/deploy/{stateroot}/deploy"
        try:
            found += [f"{top}/{name}" for name, one in files.names(top).items() if one.is_dir]
        except ReadError:
            continue
    return found


def listing(files: Ext4, top: str) -> Listing:
    """All paths of a deployment with what they are."""
    found: list[tuple[str, str]] = []

    def add(path: str, inode: Inode) -> None:
        what = f"{inode.mode:o}"
        if inode.is_link:
            what += f" {os.fsdecode(files.content(inode))}"
        elif not inode.is_dir:
            what += f" {files.digest(inode)}"
        found.append((path, what))

    def walk(path: str) -> None:
        for name, inode in files.names(f"{top}{path}").items():
            add(f"{path}/{name}", inode)
            if inode.is_dir:
                walk(f"{path}/{name}")

    walk("")
    return frozenset(found)


def replay_journal(copy: Path) -> None:
    """Do what our ramdisk does, and see that everything is in order afterwards.

    Raises:
        NotBootable: It is not.
    """
    done = _run("e2fsck", "-p", str(copy))
    if done.returncode > _FSCK_MENDED:
        raise NotBootable(f"e2fsck -p ended with {done.returncode}: {done.stdout.strip()}")
    done = _run("e2fsck", "-fn", str(copy))
    if done.returncode != 0:
        raise NotBootable(f"the file system is damaged: {done.stdout.strip()}")


def _run(*argv: str) -> subprocess.CompletedProcess[str]:
    env = clean_environment()
    env["PATH"] = f"{env.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    return subprocess.run(
        argv, env={**env, "MTOOLS_SKIP_CHECK": "1"}, capture_output=True, text=True, check=False
    )


def copy_range(source: Path, target: Path, offset: int, size: int) -> None:
    """Copy a part of an image into one of its own, holes as holes."""
    target.unlink(missing_ok=True)
    with target.open("wb") as write:
        write.truncate(size)
        for at, data in data_in(source, offset, size):
            write.seek(at)
            write.write(data)
