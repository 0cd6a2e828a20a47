# SPDX-License-Identifier: Apache-2.0
"""Accounts of a recipe: their entries, their homes and the keys that open them.

Homes are on the device's own part of the disk, which a release never changes. So the first image
has them, and a line for systemd-tmpfiles makes them where a later release brings an account; keys
are then copied from the release, if there are none yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.image.customize.accounts import FILES, Accounts, Identity
from ostrya.image.customize.places import Owner
from ostrya.image.errors import SourceError
from ostrya.image.recipe import formats
from ostrya.image.recipe.values import Account

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.image.customize.places import DeviceTree
    from ostrya.image.recipe.values import Recipe

_SHELLS = ("/bin/bash", "/bin/sh")
_TMPFILES = "/usr/lib/tmpfiles.d/ostrya-users.conf"
_KEYS = "/usr/share/ostrya/ssh-keys"
_MAX_KEYS_BYTES = 1 << 20
_SECRET = Owner(0, 0, 0o640)


def read_accounts(places: DeviceTree) -> Accounts:
    """Read the accounts of a tree."""
    shell = next((path for path in _SHELLS if places.is_file(path)), _SHELLS[-1])
    return Accounts({name: places.read_text(f"/etc/{name}") for name in FILES}, shell=shell)


def set_up_users(
    places: DeviceTree,
    recipe: Recipe,
    tell: Callable[[str], None],
    *,
    is_release: bool = True,
) -> Accounts:
    """Make and change accounts.

    Args:
        places: The tree.
        recipe: Says which.
        tell: Told what is done.
        is_release: Whether the tree is for many devices, some of which have homes already.

    Raises:
        SourceError: A number is somebody else's, or a file of keys is none.
        OSError: One cannot be read.
    """
    accounts = read_accounts(places)
    before = accounts.texts()
    for group in recipe.groups:
        accounts.add_group(group)
    root = recipe.root
    people = [root, *recipe.users] if root != Account("root") else list(recipe.users)
    tmpfiles: list[str] = []
    made = [(account, accounts.add_user(account)) for account in people]
    after = accounts.texts()
    shadow_gid = accounts.gid_of("shadow") or 0
    for name, text in after.items():
        if text != before.get(name):
            is_new = not places.is_file(f"/etc/{name}")
            owner = _SECRET._replace(gid=shadow_gid) if is_new and "shadow" in name else Owner()
            places.write(f"/etc/{name}", text, owner)
    for account, identity in made:
        tmpfiles += _home(places, account, identity, is_release=is_release)
        tell(f"account {identity.name} ({identity.uid}:{identity.gid})")
    if tmpfiles and is_release:
        places.append_lines(_TMPFILES, tmpfiles)
    return accounts


def _home(
    places: DeviceTree, account: Account, identity: Identity, *, is_release: bool
) -> list[str]:
    """Make a home; return lines that make it where it is missing."""
    lines: list[str] = []
    keys = _keys(account)
    if account.system and not keys:
        return lines
    home, owner = identity.home, Owner(identity.uid, identity.gid, 0o700)
    real = places.real(home)
    if not places.is_dir(home):
        places.make_dir(home, owner)
        _copy_skeleton(places, home, identity)
    name = f"{identity.uid} {identity.gid}"
    if real.startswith("var/"):
        lines.append(f"d /{real} 0700 {name} -")
    if keys:
        folder = f"{home}/.ssh"
        places.make_dir(folder, owner)
        data = "".join(f"{key}\n" for key in keys)
        places.write(f"{folder}/authorized_keys", data, owner._replace(mode=0o600))
        if real.startswith("var/") and is_release:
            source = f"{_KEYS}/{identity.name}"
            places.write(source, data)
            lines.append(f"d /{real}/.ssh 0700 {name} -")
            lines.append(f"C /{real}/.ssh/authorized_keys 0600 {name} - {source}")
    return lines


def _copy_skeleton(places: DeviceTree, home: str, identity: Identity) -> None:
    for name in places.names("/etc/skel"):
        path = f"/etc/skel/{name}"
        if places.is_file(path):
            owner = Owner(identity.uid, identity.gid, 0o644)
            data = places.read(path)
            places.write(f"{home}/{name}", data, owner)


def _keys(account: Account) -> list[str]:
    keys = list(account.ssh_keys)
    for path in account.ssh_key_files:
        with open(path, "rb") as stream:
            text = stream.read(_MAX_KEYS_BYTES).decode("utf-8", "replace")
        for number, line in enumerate(text.splitlines(), 1):
            key = line.strip()
            if not key or key.startswith("#"):
                continue
            if complaint := formats.ssh_key(key):
                raise SourceError(f"{path}:{number}: this is {complaint}")
            keys.append(key)
    return list(dict.fromkeys(keys))
