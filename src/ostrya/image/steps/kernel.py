# SPDX-License-Identifier: Apache-2.0
"""One kernel goes to ``/usr/lib/modules/KVER/vmlinuz``, wherever the tree has it.

::

    /usr/lib/modules/KVER/vmlinuz    there already
    /boot/vmlinuz-KVER               Debian; likewise vmlinux, Image, zImage, bzImage, uImage and
                                     fitImage, as Yocto calls them
    /boot/Image                      without a version, if the modules or the kernel itself tell it

Where there are several, somebody has to say which: a version, or the newest one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ostrya.boot.kernel import MODULES, kernel_version_key
from ostrya.image.decisions import listed
from ostrya.image.errors import ConversionError
from ostrya.image.kernel_image import HEAD_BYTES, identify

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostrya.image.decisions import Report
    from ostrya.image.tree import TreeEditor

NEWEST = "newest"
_IMAGES = ("vmlinuz", "vmlinux", "Image", "zImage", "bzImage", "uImage", "fitImage", "Image.gz")
_MODULE_FOLDERS = ("kernel", "updates", "extra")
_VERSION = re.compile(r"[0-9][A-Za-z0-9._+~-]*")
_MAX_IMAGE_BYTES = 1 << 30
_BANNER = re.compile(rb"Linux version ([0-9][A-Za-z0-9._+~-]*) ")
_BZ_MAGIC, _BZ_MAGIC_AT, _BZ_VERSION_AT = b"HdrS", 0x202, 0x20E


def place_kernel(editor: TreeEditor, report: Report, wanted: str) -> str:
    """Move a kernel to its place, and drop the others.

    Args:
        editor: The tree.
        report: Told what is done.
        wanted: A version; ``newest``; or empty for the only one that there is.

    Returns:
        Its version; empty if there is none that could be chosen, which the report says.
    """
    try:
        found = find_kernels(editor, wanted)
        kver = choose_kernel(found, wanted)
    except ConversionError as exc:
        for problem in exc.problems:
            report.conflict("kernel.conflict", MODULES, problem, exc.hint)
        return ""
    place, kernel = f"{MODULES}/{kver}", found[kver]
    if kernel != f"{place}/vmlinuz":
        editor.remove(f"{place}/vmlinuz")
        editor.move(kernel, f"{place}/vmlinuz")
        report.tell("kernel.moved", kernel, f"moved /{kernel} to /{place}/vmlinuz")
    if identify(_head(editor, f"{place}/vmlinuz")).kind == "fitImage":
        report.tell(
            "kernel.fit", f"{place}/vmlinuz", "the kernel is a FIT, with device trees of its own"
        )
    if not any(editor.names(f"{place}/{name}") for name in _MODULE_FOLDERS):
        report.tell(
            "kernel.bare", place, f"the kernel {kver} has no modules: all it needs has to be in it"
        )
    editor.remove(f"{place}/initramfs")
    for other in found:
        # Whatever was chosen, modules of another kernel are of no use.
        if other != kver and editor.remove(f"{MODULES}/{other}"):
            report.tell("kernel.dropped", f"{MODULES}/{other}", f"dropped the kernel {other}")
    if editor.find(f"{place}/config") is None:
        editor.move(f"boot/config-{kver}", f"{place}/config")
    return kver


def empty_boot(editor: TreeEditor, report: Report) -> None:
    """Leave nothing in ``/boot``, which is mounted, and no links into it."""
    if names := editor.empty("boot"):
        report.tell("boot.emptied", "boot", f"emptied /boot: {listed(names)}")
    for name in ("vmlinuz", "vmlinuz.old", "initrd.img", "initrd.img.old"):
        editor.remove(name)


def find_kernels(editor: TreeEditor, wanted: str = "") -> dict[str, str]:
    """Return where kernels are, by their versions.

    Args:
        editor: The tree.
        wanted: A version, which counts for a kernel that does not say its own.
    """
    found = _with_version(editor)
    if not found or (wanted not in {"", NEWEST} and wanted not in found):
        found |= _without_version(editor, wanted)
    return found


def choose_kernel(found: Mapping[str, str], wanted: str) -> str:
    """Return the version of one kernel.

    Args:
        found: Where kernels are, by version.
        wanted: A version; ``newest``; or empty for the only one that there is.

    Raises:
        ConversionError: There is none, or more than one and nobody says which.
    """
    if not found:
        raise ConversionError(
            ("the root file system has no kernel with its modules",),
            f"it belongs at /{MODULES}/VERSION/vmlinuz or /boot/vmlinuz-VERSION",
        )
    versions = sorted(found, key=kernel_version_key)
    if wanted == NEWEST:
        return versions[-1]
    if wanted:
        if wanted not in found:
            raise ConversionError(
                (f"the root file system has no kernel {wanted}",),
                f"there is: {', '.join(versions)}",
            )
        return wanted
    if len(found) > 1:
        raise ConversionError(
            (f"the root file system has {len(found)} kernels: {', '.join(versions)}",),
            "leave one of them in it, or say which: kernel = a version, or newest",
        )
    return versions[0]


def version_of_image(data: bytes) -> str:
    """Return the version that a kernel says of itself; empty if it does not, or is compressed."""
    if data[_BZ_MAGIC_AT : _BZ_MAGIC_AT + 4] == _BZ_MAGIC:
        at = int.from_bytes(data[_BZ_VERSION_AT : _BZ_VERSION_AT + 2], "little") + 0x200
        found = _VERSION.match(data[at : at + 256].decode("latin-1"))
        return "" if found is None else found[0]
    banner = _BANNER.search(data)
    return "" if banner is None else banner[1].decode("ascii")


def _head(editor: TreeEditor, path: str) -> bytes:
    return editor.read(path, max_bytes=_MAX_IMAGE_BYTES)[:HEAD_BYTES]


def _with_version(editor: TreeEditor) -> dict[str, str]:
    """Return kernels by version: those that have modules, or are where those would be."""
    found: dict[str, str] = {}
    for kver in editor.names(MODULES):
        names = (f"{MODULES}/{kver}/vmlinuz", *(f"boot/{name}-{kver}" for name in _IMAGES))
        for path in names:
            if (real := _real_file(editor, path)) is not None:
                found.setdefault(kver, real)
    return found


def _without_version(editor: TreeEditor, wanted: str) -> dict[str, str]:
    """Return the only kernel whose file does not say its version, if that can be known."""
    paths = dict.fromkeys(
        real for name in _IMAGES if (real := _real_file(editor, f"boot/{name}")) is not None
    )
    if len(paths) != 1:
        return _without_modules(editor)
    path = next(iter(paths))
    versions = editor.names(MODULES)
    said = _version_in_name(path)
    if said:
        return {said: path}
    if len(versions) == 1:
        return {versions[0]: path}
    said = version_of_image(editor.read(path, max_bytes=_MAX_IMAGE_BYTES))
    if not said and wanted != NEWEST and _VERSION.fullmatch(wanted):
        # What is in it nobody can see; whoever made it knows.
        said = wanted
    return {said: path} if said else {}


def _without_modules(editor: TreeEditor) -> dict[str, str]:
    """Return kernels that have all in themselves: their names have versions, and nothing else."""
    found: dict[str, str] = {}
    for name in editor.names("boot"):
        if (version := _version_in_name(name)) and editor.is_file(f"boot/{name}"):
            found.setdefault(version, f"boot/{name}")
    return found


def _version_in_name(path: str) -> str:
    name = path.rpartition("/")[2]
    for image in _IMAGES:
        rest = name.removeprefix(f"{image}-")
        if rest != name and _VERSION.fullmatch(rest):
            return rest
    return ""


def _real_file(editor: TreeEditor, path: str) -> str | None:
    """Return where a file really is; a link may lead to another one in the same folder."""
    target = editor.link_target(path)
    if target is not None:
        folder, _, _ = path.rpartition("/")
        name = target.removeprefix(f"/{folder}/")
        path = f"{folder}/{name}"
        if "/" in name:
            return None
    return path if editor.is_file(path) else None
