# SPDX-License-Identifier: Apache-2.0
"""Is this start a good one? Checks with deadlines.

::

    /etc/ostrya/health/required.d/*      a failure makes the start a bad one
    /etc/ostrya/health/wanted.d/*        a failure is told
    /usr/lib/ostrya/health/…             the same, of the tree
    /etc/greenboot/check/…, /usr/lib/greenboot/check/…    greenboot's, in the same way
    …/green.d/*, …/red.d/*               run after a good start, or a bad one

A program in ``/etc`` takes the place of the tree's of the same name. Built in: no unit of systemd's
has failed; what is written to ``/var`` can be read again; an address answers, if one is named.

``/etc/ostrya/health.conf``::

    [health]
    deadline=60                 seconds for each program
    units=true                  whether failed units count
    ignored-units=a.service;
    disk=true
    address=https://updates.example.com/     or HOST:PORT
"""

from __future__ import annotations

import os
import re
import stat
import time
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from ostrya._linux.process import run_and_listen, run_to_end
from ostrya.errors import CommandFailed, FormatError, SysrootError
from ostrya.formats.keyfile import KeyFile
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

CONFIG = "etc/ostrya/health.conf"
_GROUP = "health"
_OWN = ("etc/ostrya/health", "usr/lib/ostrya/health")
_GREENBOOT_CHECKS = ("etc/greenboot/check", "usr/lib/greenboot/check")
_GREENBOOT = ("etc/greenboot", "usr/lib/greenboot")
_MAX_CONFIG_BYTES = 64 << 10
_PROBE_BYTES = 4096
_MOST_SAID = 400
_NUMBER = re.compile(r"[1-9][0-9]{0,4}")


class HealthSettings(NamedTuple):
    """What is checked.

    Attributes:
        deadline_s: For each check.
        units: Whether failed units count.
        ignored_units: Units that may fail.
        disk: Whether ``/var`` is written to.
        address: What has to answer; empty for nothing.
    """

    deadline_s: int = 60
    units: bool = True
    ignored_units: tuple[str, ...] = ()
    disk: bool = True
    address: str = ""


class Check(NamedTuple):
    """One check.

    Attributes:
        name: What it is called.
        required: Whether a failure makes the start a bad one.
        run: Says what is wrong; empty if nothing is.
    """

    name: str
    required: bool
    run: Callable[[], str]


class CheckResult(NamedTuple):
    """What became of a check.

    Attributes:
        name: What it is called.
        required: Whether a failure makes the start a bad one.
        problem: What is wrong; empty if nothing is.
        seconds: How long it took.
    """

    name: str
    required: bool
    problem: str
    seconds: float

    def as_json(self) -> dict[str, object]:
        """Return it for people's programs."""
        return {**self._asdict(), "seconds": round(self.seconds, 2), "ok": not self.problem}


def read_settings(root: str) -> HealthSettings:
    """Read the settings of a system.

    Raises:
        SysrootError: A setting has a value that it cannot have.
    """
    path = os.path.join(root, CONFIG)
    try:
        with open(path, "rb") as file:
            keyfile = KeyFile.decode(file.read(_MAX_CONFIG_BYTES))
        return _parse_settings(keyfile)
    except FileNotFoundError:
        return HealthSettings()
    except FormatError as exc:
        raise SysrootError(f"{path}: {exc.message}") from exc


def _parse_settings(keyfile: KeyFile) -> HealthSettings:
    def has(key: str) -> bool:
        return keyfile.has_group(_GROUP) and keyfile.has_key(_GROUP, key)

    deadline = keyfile.get_value(_GROUP, "deadline") if has("deadline") else "60"
    if not _NUMBER.fullmatch(deadline):
        raise SysrootError(f"/{CONFIG}: deadline '{deadline}' is no number of seconds")
    return HealthSettings(
        int(deadline),
        keyfile.get_boolean(_GROUP, "units") if has("units") else True,
        keyfile.get_string_list(_GROUP, "ignored-units") if has("ignored-units") else (),
        keyfile.get_boolean(_GROUP, "disk") if has("disk") else True,
        keyfile.get_string(_GROUP, "address") if has("address") else "",
    )


def find_checks(
    root: str, settings: HealthSettings, answers: Callable[[str, float], str]
) -> list[Check]:
    """Return all checks of a system, those built in first.

    Args:
        root: Where the system is.
        settings: What is checked.
        answers: Says why an address does not answer within so many seconds; empty if it does.
    """
    checks = []
    if settings.units and os.path.isdir(os.path.join(root, "run/systemd/system")):
        checks.append(Check("failed units", required=True, run=lambda: _failed_units(settings)))
    deadline_s = settings.deadline_s
    if settings.disk:
        var = os.path.join(root, "var")
        probe = _within(deadline_s, lambda: _probe_disk(var))
        checks.append(Check("writable disk", required=True, run=probe))
    if settings.address:
        address = settings.address
        ask = _within(deadline_s, lambda: answers(address, deadline_s))
        checks.append(Check(f"answer of {address}", required=True, run=ask))
    for folder, is_required in (("required.d", True), ("wanted.d", False)):
        for name, path in _programs(root, folder, (*_OWN, *_GREENBOOT_CHECKS)):
            checks.append(Check(f"{folder}/{name}", is_required, _program(path, settings)))
    return checks


def run_checks(checks: Iterable[Check]) -> Iterator[CheckResult]:
    """Run checks one after the other; none stops those behind it."""
    for check in checks:
        begun = time.monotonic()
        problem = _problem(check.run)
        yield CheckResult(check.name, check.required, problem, time.monotonic() - begun)


def _problem(check: Callable[[], str]) -> str:
    try:
        return check()
    except OSError as exc:
        return f"{exc.strerror}: {exc.filename}" if exc.filename else str(exc)


def _within(deadline_s: float, check: Callable[[], str]) -> Callable[[], str]:
    """Give up on what nobody can stop: a disk that hangs, a name that is looked up."""

    def run() -> str:
        said: SimpleQueue[str] = SimpleQueue()
        Thread(target=lambda: said.put(_problem(check)), daemon=True).start()
        try:
            return said.get(timeout=deadline_s)
        except Empty:
            return f"no end after {deadline_s:g} s"

    return run


def is_healthy(results: Iterable[CheckResult]) -> bool:
    """Say whether nothing that is required has failed."""
    return not any(one.required and one.problem for one in results)


def run_hooks(root: str, settings: HealthSettings, *, healthy: bool) -> list[CheckResult]:
    """Run what wants to know how it went; failures of these are told, and change nothing."""
    folder = "green.d" if healthy else "red.d"
    found = _programs(root, folder, (*_OWN, *_GREENBOOT))
    hooks = [
        Check(f"{folder}/{name}", required=False, run=_program(path, settings))
        for name, path in found
    ]
    return list(run_checks(hooks))


def describe(results: Iterable[CheckResult]) -> str:
    """Say in a sentence what failed of what is required."""
    return "; ".join(
        f"{one.name}: {one.problem}" for one in results if one.required and one.problem
    )


def _programs(root: str, kind: str, folders: Iterable[str]) -> list[tuple[str, str]]:
    """Return names and paths, in the order of names; the first folder that has a name counts."""
    found: dict[str, str] = {}
    for folder in folders:
        path = os.path.join(root, folder, kind)
        try:
            names = os.listdir(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        for name in names:
            program = os.path.join(path, name)
            if name.startswith(".") or not os.path.exists(program):
                continue
            if stat.S_ISREG(os.stat(program).st_mode):
                found.setdefault(name, program)
    return sorted(found.items())


def _program(path: str, settings: HealthSettings) -> Callable[[], str]:
    def check() -> str:
        if not os.access(path, os.X_OK):
            return "it cannot be run: its mode lacks x"
        try:
            done = run_and_listen([path], timeout_s=settings.deadline_s, most_bytes=_MOST_SAID)
        except CommandFailed as exc:
            return exc.message
        if done.status == 0:
            return ""
        said = (done.stderr.strip() or done.stdout.strip()).decode(errors="replace")
        # It is shown in one line, and remembered.
        said = "".join(letter if letter.isprintable() else " " for letter in said)
        return f"exit status {done.status}{f': {said}' if said else ''}"

    return check


def _failed_units(settings: HealthSettings) -> str:
    argv = ["systemctl", "--failed", "--plain", "--no-legend", "--no-pager"]
    try:
        done = run_to_end(argv, timeout_s=settings.deadline_s)
    except CommandFailed as exc:
        return exc.message
    if done.status != 0:
        return f"systemctl cannot tell: {done.stderr.decode(errors='replace').strip()}"
    lines = done.stdout.decode(errors="replace").splitlines()
    failed = [line.split()[0] for line in lines if line.split()]
    left = [unit for unit in failed if unit not in settings.ignored_units]
    return ", ".join(left)


def _probe_disk(folder: str) -> str:
    """Write, wait for the disk, read again."""
    path = os.path.join(folder, ".ostrya-health")
    data = os.urandom(_PROBE_BYTES)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, data)
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        again = os.pread(fd, len(data) + 1, 0)
    finally:
        os.close(fd)
        os.unlink(path)
    return "" if again == data else f"{path} reads as something else than was written"
