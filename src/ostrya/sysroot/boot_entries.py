# SPDX-License-Identifier: Apache-2.0
"""From deployments to what a boot loader finds: kernels in ``/boot``, and boot entries.

Source: ostree-sysroot-deploy.c (install_deployment_kernel).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import (
    FileTooLargeError,
    exists,
    open_dir,
    open_dir_below,
    open_file_below,
    read_fd,
)
from ostrya._linux.naming import name_error
from ostrya.boot.bls import BootLink, Entry, EntryName
from ostrya.boot.entry import Bootable, Place, entry_name, make_entry
from ostrya.boot.install import install_file, install_kernel, make_dirs
from ostrya.boot.kernel import find_kernel
from ostrya.boot.os_release import parse_os_release, system_title
from ostrya.errors import OstryaError, SysrootError
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.named_tuple import NamedTuple
from ostrya.repo.reader import has_object, load_commit
from ostrya.sysroot import paths
from ostrya.sysroot.overlay_initrds import overlay_initrd_path
from ostrya.tree.selinux import load_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ostrya.boot.kernel_set import KernelSet
    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository
    from ostrya.sysroot.deployment import Deployment
    from ostrya.sysroot.sysroot import Sysroot

_MAX_OS_RELEASE_BYTES = 1 << 20
_OS_RELEASE = ("usr/lib/os-release", "etc/os-release")
_BOOT_PREFIX = "/boot"


class Numbering(NamedTuple):
    """How the entries of one change are numbered.

    Attributes:
        bootversion: Which set of boot links they lead through.
        base: What their versions are added to: where entries come and go one by one, they are
            greater than those that are there.
        tries: How often the default may be tried, where its entry's name says so; None for as often
            as ``sysroot.boot-counting-tries`` says of every new one.
    """

    bootversion: int
    base: int = 0
    tries: int | None = None


def find_deployment_kernel(sysroot: Sysroot, deployment: Deployment) -> KernelSet:
    """Find the kernel of a deployment.

    Raises:
        KernelNotFound: It has none.
    """
    fd = open_dir(deployment.path, dir_fd=sysroot.dir_fd, follow=True)
    try:
        return _find_kernel(sysroot, deployment, fd)
    finally:
        os.close(fd)


def _find_kernel(sysroot: Sysroot, deployment: Deployment, tree_fd: int) -> KernelSet:
    with_devicetrees = sysroot.options.with_devicetrees
    return find_kernel(tree_fd, with_devicetrees=with_devicetrees, bootcsum=deployment.bootcsum)


def write_entry(
    sysroot: Sysroot, deployments: Sequence[Deployment], at: int, numbering: Numbering, folder: str
) -> Deployment:
    """Install the kernel of a deployment and write its entry; return the deployment with it.

    Args:
        sysroot: Where.
        deployments: All that are to be booted, the default first.
        at: Which one.
        numbering: How entries are numbered.
        folder: The directory of the entries, relative to the sysroot.

    Raises:
        BootloaderError: It has no kernel, or no name.
        OSError: Something could not be read or written.
    """
    deployment = deployments[at]
    kernel, title = install_deployment_kernel(sysroot, deployment)
    install_overlays(sysroot, deployment)
    stateroots = {one.stateroot for one in deployments}
    place = Place(at, len(deployments), shows_stateroot=len(stateroots) > 1, base=numbering.base)
    entry = _make_entry(sysroot, deployment, kernel, title, place, numbering.bootversion)
    file = _make_name(sysroot, deployment, place, numbering.tries)
    replace_file(f"{folder}/{file}", entry.to_text().encode(), dir_fd=sysroot.dir_fd)
    return deployment._replace(entry=entry, entry_name=file)


def install_kernels(sysroot: Sysroot, deployments: Iterable[Deployment]) -> None:
    """Put all that the entries of deployments will name into ``/boot``.

    Raises:
        BootloaderError: One has no kernel, or no name.
        SysrootError: A further ramdisk is gone.
        OSError: Something could not be read or written.
    """
    for deployment in deployments:
        install_deployment_kernel(sysroot, deployment)
        install_overlays(sysroot, deployment)


def install_deployment_kernel(sysroot: Sysroot, deployment: Deployment) -> tuple[KernelSet, str]:
    """Put the kernel of a deployment into ``/boot``; return it, and what the system is called.

    Raises:
        BootloaderError: It has no kernel, or no name.
        OSError: Something could not be read or written.
    """
    fd = open_dir(deployment.path, dir_fd=sysroot.dir_fd, follow=True)
    try:
        kernel = _find_kernel(sysroot, deployment, fd)
        policy = load_policy(f"/proc/self/fd/{fd}")
        label_for = policy.label_for if policy.name is not None else None
        name = f"{deployment.stateroot}-{deployment.bootcsum}"
        try:
            install_kernel(kernel, fd, sysroot.boot_fd, f"ostree/{name}", label_for)
        except OSError as exc:
            name_error(exc, os.path.join(sysroot.path, paths.KERNELS, name))
            raise
        version = commit_version(sysroot.repo, deployment.checksum)
        return kernel, system_title(parse_os_release(_read_os_release(fd)), version)
    finally:
        os.close(fd)


def _make_entry(  # what an entry is made of
    sysroot: Sysroot,
    deployment: Deployment,
    kernel: KernelSet,
    title: str,
    place: Place,
    bootversion: int,
) -> Entry:
    link = BootLink(bootversion, deployment.stateroot, deployment.bootcsum, deployment.bootserial)
    settings = sysroot.settings
    return make_entry(
        Bootable(
            title,
            link,
            kernel,
            deployment.command_line,
            deployment.path,
            deployment.overlay_initrds,
            {} if deployment.entry is None else deployment.entry.extra_fields,
        ),
        place,
        prefix=_BOOT_PREFIX if settings.bootprefix else "",
        others_fields=settings.append_except_default,
    )


def _make_name(
    sysroot: Sysroot, deployment: Deployment, place: Place, tries: int | None
) -> EntryName:
    stateroot = deployment.stateroot if sysroot.options.old_entry_names else None
    known = deployment.entry_name
    if tries is None:
        tries = sysroot.settings.boot_tries
    elif place.at > 0 and _is_given_up(known):
        # So it stays: its number is the greatest for a moment, until the default has its entry.
        pass
    elif place.at > 0 or not tries:
        # What is not on trial is never given up.
        tries, known = 0, None
    elif known is not None and (known.tries is None or _is_given_up(known)):
        # It was found good, or never tried, or is wanted again; now it is on trial.
        known = None
    return entry_name(place, tries=tries, known=known, stateroot=stateroot)


def _is_given_up(name: EntryName | None) -> bool:
    return name is not None and name.tries is not None and name.tries.left == 0


def install_overlays(sysroot: Sysroot, deployment: Deployment) -> None:
    """Put the further ramdisks of a deployment into ``/boot``, as far as they are not there.

    Raises:
        SysrootError: One is gone.
        OSError: One could not be written.
    """
    folder = paths.OVERLAY_INITRDS.removeprefix("boot/")
    for checksum in deployment.overlay_initrds:
        make_dirs(folder, dir_fd=sysroot.boot_fd)
        name = f"{folder}/{checksum}.img"
        if exists(name, dir_fd=sysroot.boot_fd):
            continue
        kept, source = os.path.split(overlay_initrd_path(sysroot, checksum))
        target_fd = open_dir_below(sysroot.boot_fd, folder, follow=True)
        try:
            kept_fd = open_dir(kept, follow=True)
            try:
                install_file(source, kept_fd, f"{checksum}.img", target_fd)
            finally:
                os.close(kept_fd)
        except FileNotFoundError:
            raise SysrootError(
                f"The ramdisk {checksum}, to be loaded with deployment {deployment.name}, is gone",
                hint="deploy again, with --overlay-initrd",
            ) from None
        except OSError as exc:
            name_error(exc, os.path.join(sysroot.path, paths.BOOT, name))
            raise
        finally:
            os.close(target_fd)


def _read_os_release(tree_fd: int) -> str:
    for path in _OS_RELEASE:
        try:
            fd = open_file_below(tree_fd, path)
        except FileNotFoundError:
            continue
        try:
            return read_fd(fd, max_bytes=_MAX_OS_RELEASE_BYTES).decode(errors="replace")
        except FileTooLargeError:
            raise SysrootError(
                f"the tree's {path} has more than {_MAX_OS_RELEASE_BYTES} bytes"
            ) from None
        finally:
            os.close(fd)
    raise SysrootError(
        "Reading /etc/os-release: No such file or directory",
        hint="a tree needs usr/lib/os-release, for what a boot menu calls it",
    )


def commit_version(repo: Repository, checksum: Checksum) -> str:
    """Return the version that a commit says it is; empty if it says nothing or is not there."""
    if not has_object(repo, ObjectName(checksum, ObjectType.COMMIT)):
        return ""
    try:
        return load_commit(repo, checksum).metadata.lookup("version", "s") or ""
    except OstryaError:
        # It is only for a menu.
        return ""
