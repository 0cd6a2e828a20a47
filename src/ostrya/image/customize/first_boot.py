# SPDX-License-Identifier: Apache-2.0
"""What a device does at its first start, and the file systems that it has beside the root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.image.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.image.customize.places import Places
    from ostrya.image.recipe.values import PartitionWant, Recipe

GROW, PROVISION = "ostrya-grow.service", "ostrya-provision.service"
SSH_KEYS = "ostrya-ssh-keys.service"
_SSHD, _KEYGEN = "/usr/sbin/sshd", "/usr/bin/ssh-keygen"
# Of distributions whose own units do it.
_OTHERS_DRAW = ("sshd-keygen.target", "sshd-keygen@.service", "sshdgenkeys.service")
_PROGRAM = "/usr/bin/ostrya"
_UNITS = "/usr/lib/systemd/system"
# They come and go with the kernel, or are the device's own part of the disk.
_MADE_BY_ITSELF = ("/var/", "/run/")


def set_up_first_boot(places: Places, recipe: Recipe, tell: Callable[[str], None]) -> None:
    """Put in units for growth and provisioning, and lines for file systems.

    Raises:
        SourceError: The tree has no `ostrya` that would do it.
    """
    _add_mounts(places, recipe.partitions, tell)
    _add_host_keys(places, tell)
    wanted = []
    if recipe.grow:
        last = recipe.partitions[-1] if recipe.partitions else None
        # Of the root: there it can be written to, even if /sysroot cannot.
        mount = last.mountpoint if last is not None and last.after_root else "/var"
        wanted.append((GROW, grow_unit(mount), "multi-user.target"))
    if recipe.provisioning.enable:
        wanted.append((PROVISION, provision_unit(), "sysinit.target"))
    if wanted and not places.exists(_PROGRAM):
        raise SourceError(
            f"the tree has no {_PROGRAM}, which does what disk.grow and provisioning.enable want",
            hint="install Ostrya in it, or lay it over by [[overlays]]",
        )
    for name, text, target in wanted:
        places.write(f"{_UNITS}/{name}", text)
        places.link(f"{_UNITS}/{target}.wants/{name}", f"../{name}")
        tell(f"installed {name}")


def _add_host_keys(places: Places, tell: Callable[[str], None]) -> None:
    """Let a device draw its own keys for SSH: those of who made the tree are dropped."""
    there = places.is_file(_SSHD) and places.is_file(_KEYGEN)
    if not there or any(places.exists(f"{_UNITS}/{name}") for name in _OTHERS_DRAW):
        return
    places.write(f"{_UNITS}/{SSH_KEYS}", ssh_keys_unit())
    places.link(f"{_UNITS}/multi-user.target.wants/{SSH_KEYS}", f"../{SSH_KEYS}")
    tell(f"installed {SSH_KEYS}")


def ssh_keys_unit() -> str:
    """Return the unit that draws a device's keys for SSH, where it has none."""
    return (
        "[Unit]\n"
        "Description=Draw this device's keys for SSH\n"
        "ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key\n"
        "After=local-fs.target ostree-remount.service\n"
        "Before=ssh.service sshd.service ssh.socket sshd.socket\n"
        "\n"
        "[Service]\n"
        "Type=oneshot\n"
        f"ExecStart={_KEYGEN} -A\n"
    )


def grow_unit(mount: str) -> str:
    """Return the unit that lets the partition of a mounted file system grow."""
    return (
        "[Unit]\n"
        "Description=Let the last partition and its file system grow\n"
        "Documentation=man:ostrya-admin(1)\n"
        "ConditionPathExists=!/var/lib/ostrya/grown\n"
        "After=local-fs.target ostree-remount.service\n"
        "\n"
        "[Service]\n"
        "Type=oneshot\n"
        f"ExecStart={_PROGRAM} admin grow-disk --stamp=/var/lib/ostrya/grown {mount}\n"
    )


def provision_unit() -> str:
    """Return the unit that does what a device is told at its first start."""
    return (
        "[Unit]\n"
        "Description=What this device is told at its first start\n"
        "Documentation=man:ostrya-admin(1)\n"
        "ConditionPathExists=!/var/lib/ostrya/provisioned\n"
        "DefaultDependencies=no\n"
        "After=local-fs.target ostree-remount.service systemd-modules-load.service\n"
        "Before=sysinit.target network-pre.target shutdown.target\n"
        "Wants=network-pre.target\n"
        "Conflicts=shutdown.target\n"
        "\n"
        "[Service]\n"
        "Type=oneshot\n"
        f"ExecStart={_PROGRAM} admin provision --stamp=/var/lib/ostrya/provisioned\n"
    )


def _add_mounts(
    places: Places, partitions: tuple[PartitionWant, ...], tell: Callable[[str], None]
) -> None:
    lines = []
    for one in partitions:
        if one.filesystem == "swap":
            options = ",".join((*one.options, "nofail"))
            lines.append(f"LABEL={one.label[:15]} none swap {options} 0 0")
            tell(f"{one.label} is swapped to")
        if not one.mountpoint:
            continue
        options = ",".join(one.options) or "defaults"
        # A device whose data are damaged has to start, to be repaired.
        if "nofail" not in one.options:
            options += ",nofail"
        number = 2 if one.filesystem == "ext4" else 0
        lines.append(f"LABEL={one.label} {one.mountpoint} {one.filesystem} {options} 0 {number}")
        if not one.mountpoint.startswith(_MADE_BY_ITSELF):
            places.make_dir(one.mountpoint)
        tell(f"{one.label} is mounted at {one.mountpoint}")
    if lines:
        places.append_lines("/etc/fstab", lines)
