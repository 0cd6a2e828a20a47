# SPDX-License-Identifier: Apache-2.0
"""What a boot loader has to be told, and which one a disk has.

::

    sysroot.bootloader     auto      the first of syslinux, grub2, uboot whose files are there
                           none      whatever reads boot entries by itself
                           NAME      this one

A loader writes what it reads into ``boot/loader.N``, before that directory becomes
``boot/loader``; one that is no file but a program is run after it.

Source: ostree-sysroot.c (_ostree_sysroot_query_bootloader).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from ostrya.boot.errors import LoaderUnknown
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ostrya.boot.bls import Entry
    from ostrya.boot.trial import Trial


class LoaderContext(NamedTuple):
    """The disk that a loader starts from.

    Attributes:
        sysroot_fd: Its directory, with ``boot`` in it.
        path: The same, for other programs.
        prefix: What paths of entries lack to be paths from the root: ``/boot``, or nothing where
            entries have it already.
        is_running: Whether it is the system that runs.
        environ: What other programs are told.
        is_flat: Whether ``boot/loader`` is a directory by itself, as on VFAT, which has no links:
            what is in it changes file by file.
        trial: What is on trial, where there is automatic rollback; the fallback is then the second
            of the deployments that a loader is told of.
    """

    sysroot_fd: int
    path: str
    prefix: str = "/boot"
    is_running: bool = False
    environ: Mapping[str, str] = {}  # a tuple's default, never written to
    is_flat: bool = False
    trial: Trial | None = None

    def loader_dir(self, bootversion: int) -> str:
        """Return the directory that a loader finds entries and its own file in, once it counts."""
        return "boot/loader" if self.is_flat else f"boot/loader.{bootversion}"

    def entries_dir(self, bootversion: int) -> str:
        """Return the directory of the entries."""
        return f"{self.loader_dir(bootversion)}/entries"


class Boot(NamedTuple):
    """One deployment as a loader sees it.

    Attributes:
        entry: Its boot entry.
        root: Its directory, relative to the sysroot.
    """

    entry: Entry
    root: str


class Bootloader(Protocol):
    """A boot loader.

    Attributes:
        name: As the setting calls it.
        is_atomic: Whether it goes over to the new configuration in one step.
    """

    name: str
    is_atomic: bool

    def is_active(self, context: LoaderContext) -> bool:
        """Say whether the disk has it."""

    def write_config(self, context: LoaderContext, bootversion: int, boots: Sequence[Boot]) -> None:
        """Write into `LoaderContext.loader_dir` what it reads.

        Args:
            context: The disk.
            bootversion: Which of the two directories.
            boots: The deployments, the default first.

        Raises:
            BootloaderError: It cannot be.
            CommandFailed: A program that writes it failed.
            OSError: It could not be written.
        """

    def after_swap(self, context: LoaderContext, bootversion: int) -> None:
        """Do what is left once ``boot/loader`` leads to the new configuration.

        That may be nothing: it is asked for again before old deployments are deleted, since power
        may have failed behind the swap.

        Raises:
            BootloaderError: It cannot be done.
            CommandFailed: A program failed; the loader may still start the old system.
            OSError: Something could not be written.
        """


AUTO = "auto"
NONE = "none"
_PROBED = ("syslinux", "grub2", "uboot")
_MODULES = {
    "syslinux": "syslinux_loader:Syslinux",
    "grub2": "grub2_loader:Grub2",
    "uboot": "uboot_loader:UBoot",
    "zipl": "zipl_loader:Zipl",
    "aboot": "aboot_loader:Aboot",
    "systemd-boot": "systemd_boot_loader:SystemdBoot",
}
SETTINGS = (AUTO, NONE, *_MODULES)


def find_bootloader(setting: str, context: LoaderContext) -> Bootloader | None:
    """Return the boot loader of a disk; None for one that reads boot entries by itself.

    Raises:
        LoaderUnknown: The setting names none.
    """
    if setting == NONE:
        return None
    if setting == AUTO:
        found = (load_bootloader(name) for name in _PROBED)
        return next((loader for loader in found if loader.is_active(context)), None)
    return load_bootloader(setting)


def load_bootloader(name: str) -> Bootloader:
    """Return a boot loader by its name.

    Raises:
        LoaderUnknown: There is none.
    """
    if name not in _MODULES:
        raise LoaderUnknown(
            f"Invalid bootloader configuration: '{name}'", hint=f"known are {', '.join(SETTINGS)}"
        )
    module, _, attribute = _MODULES[name].partition(":")
    found: Bootloader = getattr(import_module(f"ostrya.boot.backends.{module}"), attribute)()
    return found
