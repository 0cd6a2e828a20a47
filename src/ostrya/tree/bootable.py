# SPDX-License-Identifier: Apache-2.0
"""Marking a commit as bootable: which kernel it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.formats.commit import KEY_BOOTABLE, KEY_LINUX
from ostrya.formats.gvariant.vardict import VarDict, Variant, glib_dict_order
from ostrya.repo.reader import load_dirtree
from ostrya.tree.errors import KernelNotFound

if TYPE_CHECKING:
    from ostrya.repo.repository import Repository
    from ostrya.tree.commit import TreeRoot

_MODULES_PATH = ("usr", "lib", "modules")


def find_kernel_release(repo: Repository, root: TreeRoot) -> str:
    """Return the release of the one kernel of a tree, ``/usr/lib/modules/<release>/vmlinuz``.

    Raises:
        KernelNotFound: There is none, or there are several.
    """
    tree = load_dirtree(repo, root.contents)
    for part in _MODULES_PATH:
        contents = {name: checksum for name, checksum, _ in tree.dirs}.get(part)
        if contents is None:
            raise KernelNotFound("Opening usr/lib/modules: No such file or directory")
        tree = load_dirtree(repo, contents)
    releases = [
        name
        for name, contents, _ in tree.dirs
        if any(entry[0] == "vmlinuz" for entry in load_dirtree(repo, contents).files)
    ]
    if not releases:
        raise KernelNotFound("No kernel found in /usr/lib/modules")
    if len(releases) > 1:
        raise KernelNotFound("Multiple kernels found in /usr/lib/modules")
    return releases[0]


def with_bootable_keys(metadata: VarDict, kernel_release: str) -> VarDict:
    """Add the keys that mark a commit as bootable, in the order that libostree gives them."""
    # Of double keys libostree's dictionary keeps the last.
    values = dict(iter(metadata))
    values[KEY_BOOTABLE] = Variant("b", value=True)
    values[KEY_LINUX] = Variant("s", kernel_release)
    return VarDict((key, values[key]) for key in glib_dict_order(values))
