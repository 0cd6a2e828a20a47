# SPDX-License-Identifier: Apache-2.0
"""Where the record of a trial lies: files that a boot loader reads and writes too.

=============  ==============================  ====================================================
U-Boot         ostrya0.env, ostrya1.env        twice, with checksums; the first valid one counts
GRUB           ostrya/grubenv                  one sector, which a disk writes as a whole or not
U-Boot alone   what fw_env.config names        ``bootcount``, ``upgrade_available``, ``rollback``
=============  ==============================  ====================================================

They are written where they lie, without a change to the file system's own tables: VFAT has no
journal.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from ostrya._linux.dirfd import FileTooLargeError, ensure_dir, read_fd
from ostrya._linux.trace import trace
from ostrya.boot.backends.grub2_trial import STATE_FILE as GRUB_FILE
from ostrya.boot.backends.uboot_trial import FORMAT, FORMAT_VARIABLE, STATE_BYTES, STATE_FILES
from ostrya.boot.errors import EnvironmentInvalid, TrialStateInvalid
from ostrya.boot.grubenv import SIZE_BYTES, decode_grubenv, encode_grubenv
from ostrya.boot.trace_points import Point
from ostrya.boot.trial import MOST_TRIES, VARIABLES, End, Record
from ostrya.boot.uboot_env import (
    MAX_BYTES,
    decode_environment,
    encode_environment,
    newer_copy,
    parse_fw_env_config,
)
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.boot.uboot_env import Environment, EnvironmentPlace

_MAX_CONFIG_BYTES = 64 << 10


class Stored(NamedTuple):
    """What was read.

    Attributes:
        record: What counts; an empty one if nothing valid was found.
        damage: What is wrong with copies, in a sentence each.
    """

    record: Record
    damage: tuple[str, ...] = ()


class TrialStore(Protocol):
    """Where a record lies."""

    def read(self) -> Stored:
        """Read it; damage is told, not raised.

        Raises:
            OSError: Something cannot be read.
        """

    def write(self, record: Record) -> None:
        """Write it, so that the loader finds it even if power fails.

        Raises:
            OSError: It cannot be written.
        """


class UBootFiles:
    """Two files beside ``boot.scr``."""

    def __init__(self, dir_fd: int) -> None:
        """Use a directory, which stays the caller's."""
        self._dir_fd = dir_fd

    def read(self) -> Stored:
        """Read the first valid copy, as the script does."""
        found: list[Record | None] = []
        damage = []
        for name in STATE_FILES:
            try:
                found.append(self._read_copy(name))
            except (EnvironmentInvalid, TrialStateInvalid) as exc:
                damage.append(f"{name}: {exc.message}")
                found.append(None)
        valid = [record for record in found if record is not None]
        if len(valid) == len(STATE_FILES) and valid[0] != valid[1]:
            damage.append(f"{STATE_FILES[1]}: differs from {STATE_FILES[0]}")
        return Stored(valid[0] if valid else Record(), tuple(damage))

    def _read_copy(self, name: str) -> Record:
        data = _read_file(name, self._dir_fd, STATE_BYTES)
        variables = decode_environment(data).variables
        if variables.get(FORMAT_VARIABLE) != FORMAT:
            raise TrialStateInvalid("it is of another format")
        return Record.from_variables(variables)

    def write(self, record: Record) -> None:
        """Write one copy after the other."""
        variables = {FORMAT_VARIABLE: FORMAT, **record.to_variables()}
        data = encode_environment(variables, STATE_BYTES)
        trace(Point.RECORD_BEGUN)
        for name in STATE_FILES:
            _write_in_place(name, self._dir_fd, data)
            trace(Point.RECORD_COPY_WRITTEN)
        trace(Point.RECORD_WRITTEN)


class GrubFile:
    """``ostrya/grubenv``; other variables that are there stay."""

    def __init__(self, dir_fd: int) -> None:
        """Use a directory, which stays the caller's."""
        self._dir_fd = dir_fd

    def read(self) -> Stored:
        """Read it."""
        try:
            return Stored(Record.from_variables(self._variables()))
        except (EnvironmentInvalid, TrialStateInvalid) as exc:
            return Stored(Record(), (f"{GRUB_FILE}: {exc.message}",))

    def _variables(self) -> dict[str, str]:
        return decode_grubenv(_read_file(GRUB_FILE, self._dir_fd, SIZE_BYTES))

    def write(self, record: Record) -> None:
        """Write the one block that has it."""
        try:
            others = self._variables()
        except EnvironmentInvalid:
            others = {}
        ours = {**dict.fromkeys(VARIABLES, ""), **record.to_variables()}
        rest = {name: value for name, value in others.items() if name not in ours}
        trace(Point.RECORD_BEGUN)
        _write_in_place(GRUB_FILE, self._dir_fd, encode_grubenv({**ours, **rest}))
        trace(Point.RECORD_WRITTEN)


class ClassicEnvironment:
    """U-Boot's own variables, on boards that count starts by themselves.

    What they say is about whatever is the default now: ``upgrade_available`` is on while it is on
    trial, ``rollback`` once U-Boot has given it up.
    """

    def __init__(self, config: str, identity: str) -> None:
        """Use the environment that a ``fw_env.config`` names.

        Args:
            config: Its path.
            identity: The default's, which the variables are taken to be about.
        """
        self._config = config
        self._identity = identity

    def read(self) -> Stored:
        """Read the variables."""
        try:
            variables = self._load()[0].variables
        except EnvironmentInvalid as exc:
            return Stored(Record(), (f"{self._config}: {exc.message}",))
        if variables.get("rollback") == "1":
            return Stored(Record(self._identity, 0, End.TRIES))
        if variables.get("upgrade_available") != "1":
            return Stored(Record(self._identity, 0, End.OK))
        count = variables.get("bootcount", "0")
        # Longer numbers than that are as good as the greatest.
        is_number = count.isascii() and count.isdigit()
        return Stored(Record(self._identity, min(int(count[:9]), MOST_TRIES) if is_number else 0))

    def write(self, record: Record) -> None:
        """Write the variables; all others stay."""
        environment, target = self._load()
        variables = dict(environment.variables)
        variables["bootcount"] = str(record.tries)
        variables["upgrade_available"] = "0" if record.end else "1"
        variables["rollback"] = "1" if record.end.is_bad else "0"
        flags = environment.flags
        data = encode_environment(
            variables, target.size_bytes, flags=None if flags is None else flags + 1
        )
        fd = os.open(target.path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.pwrite(fd, data, _offset(fd, target))
            os.fsync(fd)
        finally:
            os.close(fd)

    def _load(self) -> tuple[Environment, EnvironmentPlace]:
        """Return the copy that counts, and the place that is written next."""
        fd = os.open(self._config, os.O_RDONLY | os.O_CLOEXEC)
        try:
            text = read_fd(fd, max_bytes=_MAX_CONFIG_BYTES).decode(errors="replace")
        finally:
            os.close(fd)
        places = parse_fw_env_config(text)
        is_redundant = len(places) > 1
        found: list[tuple[Environment, int]] = []
        problem = EnvironmentInvalid(f"{self._config}: no valid environment")
        for at, place in enumerate(places):
            try:
                data = _read_place(place)
                found.append((decode_environment(data, redundant=is_redundant), at))
            except EnvironmentInvalid as exc:
                problem = exc
        if not found:
            raise problem
        best, at = found[0]
        if len(found) > 1:
            best, at = found[newer_copy(found[0][0], found[1][0])]
        return best, places[1 - at] if is_redundant else places[0]


def _read_place(place: EnvironmentPlace) -> bytes:
    fd = os.open(place.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(fd, min(place.size_bytes, MAX_BYTES), _offset(fd, place))
    finally:
        os.close(fd)


def _offset(fd: int, place: EnvironmentPlace) -> int:
    return place.offset if place.offset >= 0 else os.lseek(fd, 0, os.SEEK_END) + place.offset


def _read_file(name: str, dir_fd: int, size_bytes: int) -> bytes:
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=dir_fd)
    except FileNotFoundError:
        raise EnvironmentInvalid("it is not there") from None
    try:
        return read_fd(fd, max_bytes=size_bytes)
    except FileTooLargeError:
        raise EnvironmentInvalid(f"it has more than {size_bytes} bytes") from None
    finally:
        os.close(fd)


def _write_in_place(name: str, dir_fd: int, data: bytes) -> None:
    folder, _, _base = name.rpartition("/")
    flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    is_new = False
    try:
        fd = os.open(name, flags, dir_fd=dir_fd)
    except FileNotFoundError:
        if folder:
            ensure_dir(folder, dir_fd=dir_fd, mode=0o755)
        fd = os.open(name, flags | os.O_CREAT, 0o644, dir_fd=dir_fd)
        is_new = True
    try:
        if not is_new and os.fstat(fd).st_size > len(data):
            os.ftruncate(fd, len(data))
        os.pwrite(fd, data, 0)
        os.fsync(fd)
    finally:
        os.close(fd)
    if is_new:
        parent_fd = os.open(folder or ".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=dir_fd)
        try:
            os.fsync(parent_fd)
        finally:
            os.close(parent_fd)
