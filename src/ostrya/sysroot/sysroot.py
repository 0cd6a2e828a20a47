# SPDX-License-Identifier: Apache-2.0
"""A sysroot: which deployments it has, in the order of boot entries, and which one is running.

What is said here is said by the boot loader's entries: a directory that no entry leads to is not a
deployment, but something to be cleaned away.

Source: ostree-sysroot.c (sysroot_load_from_bootloader_configs).
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING, NamedTuple

from ostrya._linux.dirfd import FileTooLargeError, list_names, open_dir, read_file
from ostrya.boot.bls import BootLink, Entry, version_key
from ostrya.boot.errors import EntryInvalid
from ostrya.errors import BootloaderError, OstryaError, SysrootError
from ostrya.sysroot import paths
from ostrya.sysroot.deployment import Deployment, Unlocked
from ostrya.sysroot.origin import Origin
from ostrya.sysroot.paths import DeploymentName

if TYPE_CHECKING:
    from typing import Self

_MAX_ENTRY_BYTES = 1 << 20
_MAX_ORIGIN_BYTES = 1 << 20
_OVERLAY = re.compile(r"(?:.*/)?[0-9a-f]{64}\.img", re.DOTALL)


class Running(NamedTuple):
    """What the running system says of itself.

    Attributes:
        root: Device and inode of the running deployment's directory; None where the running
            system is none.
        state_dir: Where it notes what lasts until it is shut down.
    """

    root: tuple[int, int] | None = None
    state_dir: str = "/run/ostree/deployment-state"


NOT_RUNNING = Running()


class Loaded(NamedTuple):
    """What a sysroot has, as of one moment.

    Attributes:
        bootversion: Which of the two sets of boot entries counts.
        subbootversion: Which of the two sets of boot links counts.
        deployments: Those that can be booted, the default first.
    """

    bootversion: int
    subbootversion: int
    deployments: tuple[Deployment, ...]

    @property
    def booted(self) -> Deployment | None:
        """The running one."""
        return next((found for found in self.deployments if found.booted), None)


class Sysroot:
    """An open sysroot.

    Attributes:
        path: As it was opened; for messages.
        dir_fd: Its directory.
        running: What the running system says.
    """

    __slots__ = ("dir_fd", "path", "running")

    def __init__(self, path: str, running: Running = NOT_RUNNING) -> None:
        """Open a sysroot; nothing is read yet.

        Raises:
            OSError: It is not there, or no directory.
        """
        self.path = path
        self.running = running
        self.dir_fd = open_dir(path, follow=True)

    def close(self) -> None:
        """Close its directory."""
        if self.dir_fd != -1:
            os.close(self.dir_fd)
            self.dir_fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def load(self) -> Loaded:
        """Read what there is.

        Raises:
            BootloaderError: The boot entries cannot be read.
            SysrootError: They lead to what is no deployment.
        """
        bootversion = self._read_bootversion()
        found = [self._load_deployment(entry) for entry in self._read_entries(bootversion)]
        if self.running.root is not None and not any(one.booted for one in found):
            raise SysrootError(
                "Unexpected state: the running system is a deployment that no boot entry leads to"
            )
        return Loaded(bootversion, self._read_subbootversion(bootversion), tuple(found))

    def _read_bootversion(self) -> int:
        try:
            target = os.readlink(paths.LOADER, dir_fd=self.dir_fd)
        except FileNotFoundError:
            return 0
        except OSError:
            raise BootloaderError(f"Not a symbolic link: {paths.LOADER}") from None
        for version in (0, 1):
            if target == f"loader.{version}":
                return version
        raise BootloaderError(f"Invalid target '{target}' in {paths.LOADER}")

    def _read_subbootversion(self, bootversion: int) -> int:
        link = paths.boot_links(bootversion)
        try:
            target = os.readlink(link, dir_fd=self.dir_fd)
        except FileNotFoundError:
            return 0
        for version in (0, 1):
            if target == f"boot.{bootversion}.{version}":
                return version
        raise BootloaderError(f"Invalid target '{target}' in {link}")

    def _read_entries(self, bootversion: int) -> list[Entry]:
        folder = paths.entries_dir(bootversion)
        try:
            fd = open_dir(folder, dir_fd=self.dir_fd, follow=True)
        except FileNotFoundError:
            return []
        try:
            found = [
                self._read_entry(name, fd) for name in sorted(list_names(fd)) if _is_ours(name, fd)
            ]
        finally:
            os.close(fd)
        found.sort(key=lambda entry: version_key(entry.fields.get("version", "")), reverse=True)
        return found

    def _read_entry(self, name: str, fd: int) -> Entry:
        try:
            return Entry.parse(read_file(name, dir_fd=fd, max_bytes=_MAX_ENTRY_BYTES).decode())
        except (UnicodeDecodeError, FileTooLargeError):
            raise EntryInvalid(f"Parsing {name}: it is no boot entry") from None

    def _load_deployment(self, entry: Entry) -> Deployment:
        link = entry.boot_link
        if link is None:
            raise EntryInvalid("No ostree= kernel argument found")
        for path in entry.overlay_initrds:
            if not _OVERLAY.fullmatch(path):
                raise EntryInvalid(f"Malformed overlay initrd filename: {path.rpartition('/')[2]}")
        place = f"Parsing deployment {link} in stateroot '{link.stateroot}'"
        try:
            return self._follow(link, entry)
        except OstryaError as exc:
            raise SysrootError(f"{place}: {exc.message}", hint=exc.hint) from exc
        except OSError as exc:
            raise SysrootError(f"{place}: {exc.strerror}") from exc

    def _follow(self, link: BootLink, entry: Entry) -> Deployment:
        path = str(link).removeprefix("/")
        target = os.readlink(path, dir_fd=self.dir_fd)
        name = DeploymentName.parse(target.rpartition("/")[2])
        if name is None:
            raise SysrootError(f"Invalid deployment name '{target.rpartition('/')[2]}'")
        found = os.stat(path, dir_fd=self.dir_fd)
        if not stat.S_ISDIR(found.st_mode):
            raise SysrootError("It is no directory")
        origin = self._read_origin(link.stateroot, name)
        return Deployment(
            link.stateroot,
            name,
            link.bootcsum,
            link.serial,
            entry,
            origin,
            self._read_unlocked(name, origin),
            booted=self.running.root == (found.st_dev, found.st_ino),
        )

    def _read_origin(self, stateroot: str, name: DeploymentName) -> Origin | None:
        path = paths.origin_file(stateroot, name)
        try:
            text = read_file(path, dir_fd=self.dir_fd, max_bytes=_MAX_ORIGIN_BYTES).decode()
        except FileNotFoundError:
            return None
        except (UnicodeDecodeError, FileTooLargeError):
            raise SysrootError(f"{path} is no origin file") from None
        return Origin.parse(text)

    def _read_unlocked(self, name: DeploymentName, origin: Origin | None) -> Unlocked:
        notes = f"{self.running.state_dir}/{name}"
        for how in (Unlocked.DEVELOPMENT, Unlocked.TRANSIENT):
            if os.path.lexists(f"{notes}/unlocked-{how.value}"):
                return how
        is_hotfix = origin is not None and origin.unlocked == Unlocked.HOTFIX.value
        return Unlocked.HOTFIX if is_hotfix else Unlocked.NONE


def _is_ours(name: str, fd: int) -> bool:
    if not (name.startswith("ostree-") and name.endswith(".conf")):
        return False
    return stat.S_ISREG(os.stat(name, dir_fd=fd).st_mode)
