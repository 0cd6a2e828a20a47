# SPDX-License-Identifier: Apache-2.0
"""From a deployment to its boot entry. Pure.

Source: ostree-sysroot-deploy.c (install_deployment_kernel, bootloader_entry_filename).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.boot.bls import BootLink, Entry, EntryName, Tries
from ostrya.boot.kargs import KernelArguments
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostrya.boot.kargs import KernelArgument
    from ostrya.boot.kernel_set import KernelSet

PREPARE_ROOT = "usr/lib/ostree/ostree-prepare-root"
_MANAGED = frozenset(
    {"title", "version", "options", "devicetree", "linux", "initrd", "fdtdir", "aboot", "abootcfg"}
)


class Place(NamedTuple):
    """Where an entry stands among the others.

    Attributes:
        at: 0 for the default.
        total: How many entries there are.
        shows_stateroot: Whether there are several systems to tell apart.
        base: What versions are added to, where they have to be greater than those before.
    """

    at: int
    total: int
    shows_stateroot: bool = False
    base: int = 0

    @property
    def version(self) -> int:
        """What loaders order by, the greatest first."""
        return self.base + self.total - self.at


class Bootable(NamedTuple):
    """What an entry is made of.

    Attributes:
        title: What the system calls itself.
        link: Where ``ostree=`` is to lead.
        kernel: What is loaded.
        kargs: The kernel's arguments, with or without ``ostree=``.
        root: The deployment's directory, relative to the sysroot.
        overlay_initrds: Checksums of further ramdisks.
        extra_fields: What the entry of an earlier one said beyond the usual keys.
    """

    title: str
    link: BootLink
    kernel: KernelSet
    kargs: KernelArguments
    root: str
    overlay_initrds: tuple[str, ...] = ()
    extra_fields: Mapping[str, str] = {}  # a tuple's default, never written to


def make_entry(
    what: Bootable,
    place: Place,
    *,
    prefix: str = "",
    others_fields: Mapping[str, str] | None = None,
) -> Entry:
    """Return a boot entry.

    Args:
        what: The deployment.
        place: Where it stands.
        prefix: Before all paths: ``/boot`` where that is no file system of its own, and the
            repository's ``sysroot.bootprefix`` says so.
        others_fields: What all entries but the default say besides.
    """
    link, kernel = what.link, what.kernel
    folder = f"/ostree/{link.stateroot}-{link.bootcsum}"
    kargs = what.kargs
    if kernel.initramfs is None:
        # Without a ramdisk the kernel itself starts what finds the deployment.
        kargs = kargs.set(f"init={link}/{PREPARE_ROOT}")
    else:
        kargs = KernelArguments(one for one in kargs if not _is_our_init(one))
    fields = {key: value for key, value in what.extra_fields.items() if key not in _MANAGED}
    fields["title"] = f"{what.title} {_mark(link.stateroot, place)}"
    fields["version"] = str(place.version)
    fields["options"] = str(kargs.set(f"ostree={link}"))
    fields["linux"] = f"{prefix}{folder}/{kernel.kernel.name}"
    if kernel.initramfs is not None:
        fields["initrd"] = f"{prefix}{folder}/{kernel.initramfs.name}"
    if kernel.devicetree is not None:
        fields["devicetree"] = f"{prefix}{folder}/{kernel.devicetree.name}"
    elif kernel.dtb_dir is not None:
        fields["fdtdir"] = f"{prefix}{folder}/{kernel.dtb_dir}"
    if kernel.aboot is not None:
        fields["aboot"] = f"{folder}/{kernel.aboot.name}"
        fields["abootcfg"] = f"/{what.root}/usr/lib/ostree-boot/aboot.cfg"
    if place.at > 0:
        fields.update(others_fields or {})
    overlays = () if kernel.initramfs is None else what.overlay_initrds
    paths = (f"{prefix}/ostree/initramfs-overlays/{checksum}.img" for checksum in overlays)
    return Entry(fields, tuple(paths))


def entry_name(
    place: Place, *, tries: int = 0, known: EntryName | None = None, stateroot: str | None = None
) -> EntryName:
    """Return the name of an entry's file.

    Args:
        place: Where it stands.
        tries: How often a new entry may be tried; 0 for as often as anybody likes.
        known: The name that it had, if it is not new: one without counters was found good, and
            counters go on where they were.
        stateroot: The stateroot, for names as they were until 2024.4.
    """
    if known is None:
        counters = Tries(tries) if tries else None
    elif known.tries is None:
        counters = None
    else:
        counters = Tries(known.tries.left, known.tries.done or 0)
    return EntryName(place.version, stateroot, counters)


def _is_our_init(argument: KernelArgument) -> bool:
    """Say whether it was set for a release without a ramdisk; where it leads may be gone."""
    link, slash, rest = (argument.value or "").partition(f"/{PREPARE_ROOT}")
    return argument.key == "init" and bool(slash) and not rest and BootLink.is_one(link)


def _mark(stateroot: str, place: Place) -> str:
    """What tells entries apart in a menu; our syslinux knows its own labels by it."""
    which = f":{stateroot}" if place.shows_stateroot else ""
    return f"(ostree{which}:{place.at})"
