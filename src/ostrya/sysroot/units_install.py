# SPDX-License-Identifier: Apache-2.0
"""Put what a booted system needs of systemd into a root file system.

::

    ostree-remount.service                makes writable what the kernel mounted read-only
    ostree-finalize-staged.service        started when a deployment is staged
    ostree-finalize-staged-hold.service
    ostree-boot-complete.service          says if the last shutdown failed
    ostree-system-generator               var.mount, boot.mount
    ostrya-boot-settle.service            after a fallback, what runs becomes the default
    ostrya-health.service                 is this start a good one?
    ostrya-mark-good.service              ends a trial, once the boot is complete
    ostrya-trial-deadline.timer, .service    ends a start that hangs
    ostrya-ota.service, ostrya-ota-secondary.service    remote updates, where they are configured
    50-ostrya.conf                        feeds a watchdog, if there is one

They are enabled by links beside them in ``/usr``: there is nothing in ``/etc`` for a merge to trip
over.
"""

from __future__ import annotations

from importlib.resources import files

from ostrya.boot.package_files import PackageFile, PackageLink, write_package_files

_SYSTEMD = "usr/lib/systemd"
_UNITS = (
    "ostree-boot-complete.service",
    "ostree-finalize-staged-hold.service",
    "ostree-finalize-staged.service",
    "ostree-remount.service",
    "ostrya-boot-settle.service",
    "ostrya-health.service",
    "ostrya-mark-good.service",
    "ostrya-ota-secondary.service",
    "ostrya-ota.service",
    "ostrya-trial-deadline.service",
    "ostrya-trial-deadline.timer",
)
_CONFIGS = {"50-ostrya.conf": f"{_SYSTEMD}/system.conf.d/50-ostrya.conf"}
_PROGRAMS = {
    "ostree-remount": "usr/lib/ostree/ostree-remount",
    "ostree-system-generator": f"{_SYSTEMD}/system-generators/ostree-system-generator",
}
_WANTED_BY = {
    "ostree-remount.service": "local-fs.target",
    "ostree-boot-complete.service": "multi-user.target",
    "ostrya-boot-settle.service": "multi-user.target",
    "ostrya-mark-good.service": "multi-user.target",
    "ostrya-ota-secondary.service": "multi-user.target",
    "ostrya-ota.service": "multi-user.target",
    "ostrya-trial-deadline.timer": "sysinit.target",
}
_REQUIRED_BY = {"ostrya-health.service": "boot-complete.target"}


def unit_files() -> tuple[PackageFile | PackageLink, ...]:
    """Return the units, the programs that they run, and the links that enable them."""
    folder = files("ostrya.sysroot").joinpath("units")
    found: list[PackageFile | PackageLink] = []
    for name in _UNITS:
        data = folder.joinpath(name).read_bytes()
        found.append(PackageFile(f"{_SYSTEMD}/system/{name}", data))
    for name, place in _PROGRAMS.items():
        found.append(PackageFile(place, folder.joinpath(name).read_bytes(), 0o755))
    for name, place in _CONFIGS.items():
        found.append(PackageFile(place, folder.joinpath(name).read_bytes()))
    for name, target in _REQUIRED_BY.items():
        found.append(PackageLink(f"{_SYSTEMD}/system/{target}.requires/{name}", f"../{name}"))
    for name, target in _WANTED_BY.items():
        found.append(PackageLink(f"{_SYSTEMD}/system/{target}.wants/{name}", f"../{name}"))
    return tuple(found)


def install_units(root: int | str, *, replace: bool = False) -> tuple[str, ...]:
    """Put them into a root file system; return the paths of what is new.

    Units of libostree's that are there stay, unless they are to be replaced: they do the same.

    Args:
        root: The root directory, or a descriptor of it.
        replace: Whether files that are there are replaced.

    Raises:
        OSError: Something cannot be written.
    """
    return write_package_files(root, unit_files(), replace=replace)
