# SPDX-License-Identifier: Apache-2.0
"""On the device: what it is told at its first start, and only then.

::

    /sys/firmware/qemu_fw_cfg/by_name/opt/org.ostrya.provision/raw    from QEMU
    ostrya-provision.toml on the FAT partition                        from whoever wrote the card

Host name, time zone, networks, accounts with their keys, remotes, its fleet: as in a recipe.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from ostrya._linux.mount_table import read_mounts
from ostrya._linux.process import run
from ostrya.errors import CommandFailed
from ostrya.image.customize.network_setup import set_up_network
from ostrya.image.customize.ota import tell_device
from ostrya.image.customize.system import set_up_system
from ostrya.image.customize.users import set_up_users
from ostrya.image.errors import RecipeError
from ostrya.image.recipe.located import MAX_RECIPE_BYTES
from ostrya.image.recipe.read import read_provisioning
from ostrya.named_tuple import NamedTuple
from ostrya.repo.remotes import add_remote, delete_remote, list_remotes

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.image.customize.places import DeviceTree
    from ostrya.image.recipe.values import Recipe, RemoteWish
    from ostrya.repo.repository import Repository

FILE = "ostrya-provision.toml"
FW_CFG = "/sys/firmware/qemu_fw_cfg/by_name/opt/org.ostrya.provision/raw"
_FW_CFG_MODULE = "qemu_fw_cfg"
_BOOT_LABEL = "boot"
_KEYS = "/etc/ostrya/keys"


class Document(NamedTuple):
    """What a device is told.

    Attributes:
        text: It.
        file: Where it is from.
    """

    text: str
    file: str


def find_document(mount_point: str, *, fw_cfg: str = FW_CFG) -> Document | None:
    """Look for what this device is told.

    Args:
        mount_point: A directory where the FAT partition may be mounted for the time being.
        fw_cfg: Where QEMU tells it.

    Raises:
        RecipeError: It is no text.
        OSError: It cannot be read.
    """
    with suppress(CommandFailed):
        run(["modprobe", "-q", _FW_CFG_MODULE])
    found = _read(fw_cfg)
    if found is not None:
        return found
    for mount in read_mounts():
        # With systemd-boot it is there already.
        if mount.path == "/boot" and mount.kind == "vfat":
            return _read(f"/boot/{FILE}")
    os.makedirs(mount_point, mode=0o700, exist_ok=True)
    try:
        run(["mount", "-t", "vfat", "-o", "ro", f"LABEL={_BOOT_LABEL}", mount_point])
    except CommandFailed:
        return None
    try:
        return _read(f"{mount_point}/{FILE}")
    finally:
        run(["umount", mount_point])


def _read(path: str) -> Document | None:
    try:
        with open(path, "rb") as stream:
            data = stream.read(MAX_RECIPE_BYTES + 1)
    except FileNotFoundError:
        return None
    try:
        return Document(data.decode(), path)
    except UnicodeDecodeError:
        raise RecipeError((f"{path}: this is no text in UTF-8",)) from None


def provision(
    tree: DeviceTree, repo: Repository | None, document: Document, tell: Callable[[str], None]
) -> Recipe:
    """Do what a device is told; all of it is checked before anything is done.

    Args:
        tree: The device's files.
        repo: That of its system, for remotes; None if it has none.
        document: What it is told.
        tell: Told what is done.

    Raises:
        RecipeError: There is something wrong with it.
        SourceError: Something of it cannot be done on this device.
        OSError: Something cannot be written.
    """
    folder = os.path.dirname(document.file)
    recipe = read_provisioning(
        document.text, document.file, lambda _file, name: os.path.join(folder, name)
    )
    set_up_users(tree, recipe, tell, is_release=False)
    set_up_system(tree, recipe.system, tell)
    set_up_network(tree, recipe.network, tell)
    for remote in recipe.remotes:
        if repo is None:
            raise RecipeError((f"{document.file}: there is no repository for remotes here",))
        _add_remote(tree, repo, remote)
        tell(f"remote {remote.name}: {remote.url}")
    tell_device(tree, recipe.ota, tell)
    return recipe


def _add_remote(tree: DeviceTree, repo: Repository, remote: RemoteWish) -> None:
    settings: list[tuple[str, str | bool]] = [("gpg-verify", remote.verify == "gpg")]
    if remote.verify == "ed25519":
        path = f"{_KEYS}/{remote.name}.ed25519"
        tree.write(path, "".join(f"{key}\n" for key in remote.keys))
        settings += [("sign-verify", "ed25519"), ("verification-ed25519-file", path)]
    settings += [
        (key, value if isinstance(value, str | bool) else str(value))
        for key, value in remote.settings
    ]
    if remote.name in list_remotes(repo):
        delete_remote(repo, remote.name)
        repo.reload_config()
    add_remote(repo, remote.name, remote.url, settings)
    repo.reload_config()
