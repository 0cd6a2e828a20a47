# SPDX-License-Identifier: Apache-2.0
"""Where updates come from, whom the device trusts, and when it looks for them.

Keys are in the release, so that a release can bring new ones; the remotes themselves are in the
configuration of the device's repository.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ostrya.image.deployments import Remote
from ostrya.image.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.image.customize.places import Places
    from ostrya.image.recipe.values import Recipe, RemoteWish, Update

_ED25519_KEYS = "/usr/share/ostrya/keys"
_GPG_KEYS = "/usr/share/ostree/trusted.gpg.d"
_UNITS = "/usr/lib/systemd/system"
_NAME = "ostrya-update"
_MAX_KEYS_BYTES = 4 << 20
_KEY_LINE = re.compile(r"[A-Za-z0-9+/]{43}=")
_COMMANDS = {
    "check": "--check",
    "download": "--pull-only",
    "stage": "--stage",
    "apply": "--reboot",
}


def set_up_updates(places: Places, recipe: Recipe, tell: Callable[[str], None]) -> None:
    """Put keys and units for updates into the tree.

    Raises:
        SourceError: A file of keys is none.
        OSError: One cannot be read.
    """
    for remote in recipe.remotes:
        if remote.verify == "ed25519":
            keys = [*remote.keys, *_ed25519_keys(remote)]
            lines = "".join(f"{key}\n" for key in dict.fromkeys(keys))
            places.write(f"{_ED25519_KEYS}/{remote.name}.ed25519", lines)
            tell(f"{len(keys)} ed25519 keys are trusted for {remote.name}")
        elif remote.verify == "gpg":
            for number, path in enumerate(remote.key_files):
                ending = f"-{number}" if number else ""
                places.write(f"{_GPG_KEYS}/{remote.name}{ending}.gpg", _read(path))
    if recipe.update.automatic != "no":
        for name, text in update_units(recipe.update).items():
            places.write(f"{_UNITS}/{name}", text)
        places.link(f"{_UNITS}/timers.target.wants/{_NAME}.timer", f"../{_NAME}.timer")
        tell(f"looks for updates every {recipe.update.every}: {recipe.update.automatic}")


def remotes_of(recipe: Recipe) -> tuple[Remote, ...]:
    """Return the remotes as the device's repository has them."""
    return tuple(Remote(one.name, one.url, _settings(one)) for one in recipe.remotes)


def _settings(remote: RemoteWish) -> tuple[tuple[str, str | bool], ...]:
    others = tuple((key, str(value) if isinstance(value, int) and not isinstance(value, bool)
                    else value) for key, value in remote.settings)  # fmt: skip
    if remote.verify == "gpg":
        return (("gpg-verify", True), *others)
    if remote.verify == "none":
        return (("gpg-verify", False), *others)
    key_file = f"{_ED25519_KEYS}/{remote.name}.ed25519"
    return (
        ("gpg-verify", False),
        ("sign-verify", "ed25519"),
        ("verification-ed25519-file", key_file),
        *others,
    )


def settings_of(recipe: Recipe) -> tuple[tuple[str, str, str], ...]:
    """Return settings of the device's repository: group, key, value."""
    update = recipe.update
    found = []
    for name, value in update.settings:
        group, _, key = name.partition(".")
        text = str(value).lower() if isinstance(value, bool) else str(value)
        found.append((group, key, text))
    if update.rollback_tries is not None:
        found.append(("ostrya", "rollback-tries", str(update.rollback_tries)))
    if update.rollback_fail_fast:
        found.append(("ostrya", "rollback-fail-fast", "true"))
    return tuple(found)


def update_units(update: Update) -> dict[str, str]:
    """Return the units that look for updates now and then."""
    service = (
        "[Unit]\n"
        "Description=Look for updates\n"
        "Documentation=man:ostrya-admin(1)\n"
        "ConditionPathExists=/run/ostree-booted\n"
        "Wants=network-online.target\n"
        "After=network-online.target\n"
        "\n"
        "[Service]\n"
        "Type=oneshot\n"
        f"ExecStart=/usr/bin/ostrya admin upgrade {_COMMANDS[update.automatic]}\n"
    )
    timer = (
        "[Unit]\n"
        "Description=Look for updates now and then\n"
        "\n"
        "[Timer]\n"
        f"OnBootSec={update.spread}\n"
        f"OnUnitActiveSec={update.every}\n"
        f"RandomizedDelaySec={update.spread}\n"
        "\n"
        "[Install]\n"
        "WantedBy=timers.target\n"
    )
    return {f"{_NAME}.service": service, f"{_NAME}.timer": timer}


def _ed25519_keys(remote: RemoteWish) -> list[str]:
    keys = []
    for path in remote.key_files:
        for number, line in enumerate(_read(path).decode("utf-8", "replace").splitlines(), 1):
            key = line.strip()
            if not key or key.startswith("#"):
                continue
            if _KEY_LINE.fullmatch(key) is None:
                raise SourceError(f"{path}:{number}: this is no public ed25519 key in base64")
            keys.append(key)
    return keys


def _read(path: str) -> bytes:
    with open(path, "rb") as stream:
        data = stream.read(_MAX_KEYS_BYTES + 1)
    if len(data) > _MAX_KEYS_BYTES:
        raise SourceError(f"{path} is too large for a file of keys")
    return data
