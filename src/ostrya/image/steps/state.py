# SPDX-License-Identifier: Apache-2.0
"""What belongs to the machine that made a root file system, and to no device.

Of everything that is dropped, a device makes its own, or does without.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ostrya.image.decisions import listed
from ostrya.image.policies import ResolvPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.image.decisions import Report
    from ostrya.image.tree import TreeEditor

_CACHES = (
    "var/cache/apt", "var/cache/debconf", "var/cache/dnf", "var/cache/ldconfig", "var/cache/yum",
    "var/lib/apt/lists", "var/lib/systemd/catalog", "var/log", "var/tmp", "var/backups",
)  # fmt: skip
# Folders, and patterns of names in them.
_STATE = (
    ("var/lib/dbus", "machine-id"),
    ("var/lib/systemd", "random-seed"),
    ("var/lib/systemd", "credential.secret"),
    ("var/lib/urandom", "random-seed"),
    ("var/lib/random-seed", "*"),
    ("var/lib/cloud", "*"),
    ("var/lib/dhcp", "*.lease*"),
    ("var/lib/dhclient", "*.lease*"),
    ("var/lib/NetworkManager", "*"),
    ("etc", ".pwd.lock"),
    ("etc/ssh", "ssh_host_*"),
    ("etc/dropbear", "dropbear_*_host_key"),
    ("root", ".bash_history"),
)
_RESOLV, _STUB = "resolv.conf", "../run/systemd/resolve/stub-resolv.conf"


def drop_state(editor: TreeEditor, report: Report, resolv: ResolvPolicy) -> None:
    """Drop identities, keys, random seeds, leases, caches and logs; wherever ``/etc`` is."""
    etc = "etc" if editor.find_dir("etc") is not None else "usr/etc"
    _empty_machine_id(editor, report, etc)
    for path in _state(editor, etc):
        if editor.remove(path):
            shown = _shown(path, etc)
            report.tell("state.dropped", shown, f"dropped /{shown}")
    for path in _CACHES:
        if names := editor.empty(path):
            report.tell("state.emptied", path, f"emptied /{path}: {listed(names)}")
    _settle_resolv(editor, report, etc, resolv)


def _empty_machine_id(editor: TreeEditor, report: Report, etc: str) -> None:
    path = f"{etc}/machine-id"
    if editor.find(path) is None or (editor.is_file(path) and not editor.read(path)):
        return
    # Empty: systemd draws one at the first boot and writes it there.
    editor.remove(path)
    editor.write(path, b"")
    report.tell("state.emptied", "etc/machine-id", "emptied /etc/machine-id")


def _state(editor: TreeEditor, etc: str) -> Iterator[str]:
    for folder, pattern in _STATE:
        place = etc + folder[3:] if folder.split("/")[0] == "etc" else folder
        for name in editor.names(place):
            if fnmatchcase(name, pattern):
                yield f"{place}/{name}"


def _settle_resolv(editor: TreeEditor, report: Report, etc: str, policy: ResolvPolicy) -> None:
    path = f"{etc}/{_RESOLV}"
    if policy is ResolvPolicy.KEEP or (
        policy is ResolvPolicy.STUB and editor.link_target(path) == _STUB
    ):
        return
    was_there = editor.remove(path)
    if policy is ResolvPolicy.STUB:
        editor.link(path, _STUB)
        report.tell("resolv.linked", "etc/resolv.conf", f"linked /etc/resolv.conf to {_STUB}")
    elif was_there:
        report.tell("state.dropped", "etc/resolv.conf", "dropped /etc/resolv.conf")


def _shown(path: str, etc: str) -> str:
    return "etc" + path[len(etc) :] if path.startswith(f"{etc}/") else path
