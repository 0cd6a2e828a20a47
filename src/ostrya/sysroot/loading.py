# SPDX-License-Identifier: Apache-2.0
"""Which deployments a sysroot has, in the order of boot entries, and which one is running.

What is said here is said by the boot loader's entries: a directory that no entry leads to is not a
deployment, but something to be cleaned away.

Where ``boot/loader`` is a directory by itself, entries come and go one by one: if two lead to the
same deployment, the greater version counts.

Source: ostree-sysroot.c (sysroot_load_from_bootloader_configs).
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from ostrya._linux.dirfd import FileTooLargeError, exists, read_file
from ostrya.boot.bls import BootLink, Entry, EntryName
from ostrya.boot.entry_files import read_entry_files
from ostrya.boot.errors import EntryInvalid
from ostrya.errors import BootloaderError, OstryaError, SysrootError
from ostrya.named_tuple import NamedTuple
from ostrya.sysroot import paths
from ostrya.sysroot.deployment import Deployment, Unlocked
from ostrya.sysroot.origin import Origin
from ostrya.sysroot.paths import DeploymentName
from ostrya.sysroot.staged import next_root, read_staged, staged_deployment

if TYPE_CHECKING:
    from ostrya.sysroot.sysroot import Sysroot

_MAX_ORIGIN_BYTES = 1 << 20
_OVERLAY = re.compile(r"(?:.*/)?[0-9a-f]{64}\.img", re.DOTALL)


class Loaded(NamedTuple):
    """What a sysroot has, as of one moment.

    Attributes:
        bootversion: Which of the two sets of boot entries counts.
        subbootversion: Which of the two sets of boot links counts.
        deployments: Those that can be booted, the default first.
        staged: The one that is waiting for a shutdown.
    """

    bootversion: int
    subbootversion: int
    deployments: tuple[Deployment, ...]
    staged: Deployment | None = None

    @property
    def booted(self) -> Deployment | None:
        """The running one."""
        return next((found for found in self.deployments if found.booted), None)

    @property
    def all(self) -> tuple[Deployment, ...]:
        """The staged one and the others."""
        return self.deployments if self.staged is None else (self.staged, *self.deployments)


def load_sysroot(sysroot: Sysroot) -> Loaded:
    """Read what there is.

    Raises:
        BootloaderError: The boot entries cannot be read.
        SysrootError: They lead to what is no deployment.
    """
    target = _read_loader(sysroot)
    if target is None:
        folder, bootversion = paths.FLAT_ENTRIES, 0
    else:
        folder, bootversion = paths.entries_dir(target), target
    found: list[Deployment] = []
    next_one = next_root(sysroot)
    for name, entry in read_entry_files(folder, dir_fd=sysroot.dir_fd):
        deployment = _load_deployment(sysroot, name, entry)
        if next_one is not None and next_one == _identity(sysroot, deployment):
            deployment = deployment._replace(soft_reboot=True)
        if not any(one.is_same(deployment) for one in found):
            found.append(deployment)
    if sysroot.running.root is not None and not any(one.booted for one in found):
        raise SysrootError(
            "Unexpected state: the running system is a deployment that no boot entry leads to"
        )
    return Loaded(
        bootversion,
        read_subbootversion(sysroot, bootversion),
        tuple(found),
        _load_staged(sysroot),
    )


def _identity(sysroot: Sysroot, deployment: Deployment) -> tuple[int, int]:
    found = os.stat(deployment.path, dir_fd=sysroot.dir_fd)
    return found.st_dev, found.st_ino


def _load_staged(sysroot: Sysroot) -> Deployment | None:
    state = read_staged(sysroot)
    staged = None if state is None else staged_deployment(state)
    if staged is None or not exists(staged.path, dir_fd=sysroot.dir_fd):
        return None
    return staged._replace(origin=read_origin(sysroot, staged.stateroot, staged.name))


def _read_loader(sysroot: Sysroot) -> int | None:
    """Return the bootversion; None where ``boot/loader`` is a directory by itself."""
    try:
        target = os.readlink(paths.LOADER, dir_fd=sysroot.dir_fd)
    except FileNotFoundError:
        return None if _has_flat_boot(sysroot) else 0
    except OSError:
        if _has_flat_boot(sysroot):
            return None
        raise BootloaderError(f"Not a symbolic link: {paths.LOADER}") from None
    for version in (0, 1):
        if target == f"loader.{version}":
            return version
    raise BootloaderError(f"Invalid target '{target}' in {paths.LOADER}")


def _has_flat_boot(sysroot: Sysroot) -> bool:
    has_repo = os.path.lexists(os.path.join(sysroot.path, paths.REPO, "config"))
    return has_repo and sysroot.has_flat_boot


def read_subbootversion(sysroot: Sysroot, bootversion: int) -> int:
    """Return which of the two sets of boot links of a bootversion counts.

    Raises:
        BootloaderError: The link leads elsewhere.
    """
    link = paths.boot_links(bootversion)
    try:
        target = os.readlink(link, dir_fd=sysroot.dir_fd)
    except FileNotFoundError:
        return 0
    for version in (0, 1):
        if target == f"boot.{bootversion}.{version}":
            return version
    raise BootloaderError(f"Invalid target '{target}' in {link}")


def _load_deployment(sysroot: Sysroot, name: str, entry: Entry) -> Deployment:
    link = entry.boot_link
    if link is None:
        raise EntryInvalid("No ostree= kernel argument found")
    for path in entry.overlay_initrds:
        if not _OVERLAY.fullmatch(path):
            raise EntryInvalid(f"Malformed overlay initrd filename: {path.rpartition('/')[2]}")
    place = f"Parsing deployment {link} in stateroot '{link.stateroot}'"
    try:
        return _follow(sysroot, link, entry, EntryName.parse(name))
    except OstryaError as exc:
        raise SysrootError(f"{place}: {exc.message}", hint=exc.hint) from exc
    except OSError as exc:
        raise SysrootError(f"{place}: {exc.strerror}") from exc


def _follow(
    sysroot: Sysroot, link: BootLink, entry: Entry, entry_name: EntryName | None
) -> Deployment:
    path = str(link).removeprefix("/")
    target = os.readlink(path, dir_fd=sysroot.dir_fd)
    name = DeploymentName.parse(target.rpartition("/")[2])
    if name is None:
        raise SysrootError(f"Invalid deployment name '{target.rpartition('/')[2]}'")
    found = os.stat(path, dir_fd=sysroot.dir_fd)
    if not stat.S_ISDIR(found.st_mode):
        raise SysrootError("It is no directory")
    origin = read_origin(sysroot, link.stateroot, name)
    return Deployment(
        link.stateroot,
        name,
        link.bootcsum,
        link.serial,
        entry,
        origin,
        read_unlocked(sysroot, name, origin),
        booted=sysroot.running.root == (found.st_dev, found.st_ino),
        entry_name=entry_name,
    )


def read_origin(sysroot: Sysroot, stateroot: str, name: DeploymentName) -> Origin | None:
    """Return where a deployment came from; None if nothing is known.

    Raises:
        SysrootError: It cannot be read.
    """
    path = paths.origin_file(stateroot, name)
    try:
        text = read_file(path, dir_fd=sysroot.dir_fd, max_bytes=_MAX_ORIGIN_BYTES).decode()
    except FileNotFoundError:
        return None
    except (UnicodeDecodeError, FileTooLargeError):
        raise SysrootError(f"{path} is no origin file") from None
    return Origin.parse(text)


def read_unlocked(sysroot: Sysroot, name: DeploymentName, origin: Origin | None) -> Unlocked:
    """Say whether, and for how long, a deployment can be written to."""
    notes = f"{sysroot.running.state_dir}/{name}"
    for how in (Unlocked.DEVELOPMENT, Unlocked.TRANSIENT):
        if os.path.lexists(f"{notes}/unlocked-{how.value}"):
            return how
    is_hotfix = origin is not None and origin.unlocked == Unlocked.HOTFIX.value
    return Unlocked.HOTFIX if is_hotfix else Unlocked.NONE
