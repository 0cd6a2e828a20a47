# SPDX-License-Identifier: Apache-2.0
"""For distributions with a ramdisk of their own: our ``ostree-prepare-root``, and its hooks.

::

    usr/lib/ostree/ostree-prepare-root                    the shell script
    usr/lib/dracut/modules.d/98ostrya/                    dracut's module
    usr/share/initramfs-tools/hooks/ostrya                initramfs-tools
    usr/share/initramfs-tools/scripts/local-bottom/ostrya
"""

from __future__ import annotations

from ostrya.boot.initramfs.build import read_script
from ostrya.boot.package_files import PackageFile, write_package_files

PREPARE_ROOT = "usr/lib/ostree/ostree-prepare-root"
_DRACUT = "usr/lib/dracut/modules.d/98ostrya"
_TOOLS = "usr/share/initramfs-tools"


def hook_files() -> tuple[PackageFile, ...]:
    """Return the files."""
    return (
        PackageFile(PREPARE_ROOT, read_script("prepare-root.sh"), 0o755),
        PackageFile(f"{_DRACUT}/module-setup.sh", read_script("dracut/module-setup.sh"), 0o755),
        PackageFile(
            f"{_DRACUT}/ostrya-prepare-root.service",
            read_script("dracut/ostrya-prepare-root.service"),
        ),
        PackageFile(f"{_TOOLS}/hooks/ostrya", read_script("initramfs-tools/hook"), 0o755),
        PackageFile(
            f"{_TOOLS}/scripts/local-bottom/ostrya",
            read_script("initramfs-tools/local-bottom"),
            0o755,
        ),
    )


def install_hooks(root: int | str, *, replace: bool = False) -> tuple[str, ...]:
    """Put the hooks into a root file system; return the paths of what is new.

    Whoever makes the ramdisk, ``dracut`` or ``update-initramfs``, is to be run after this. What
    libostree's own program is, stays, unless it is to be replaced.

    Args:
        root: The root directory, or a descriptor of it.
        replace: Whether files that are there are replaced.

    Raises:
        OSError: Something cannot be written.
    """
    return write_package_files(root, hook_files(), replace=replace)
