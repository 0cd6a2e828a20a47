# SPDX-License-Identifier: Apache-2.0
"""What a system calls itself: ``os-release``. Pure.

Source: ``os-release(5)``.
"""

from __future__ import annotations

import shlex

from ostrya.boot.errors import EntryInvalid


def parse_os_release(text: str) -> dict[str, str]:
    """Return the variables; lines that no shell would take are passed over."""
    found = {}
    for line in text.split("\n"):
        key, equals, value = line.partition("=")
        if not equals or line.startswith("#"):
            continue
        try:
            found[key] = "".join(shlex.split(value)) if value.strip() else ""
        except ValueError:
            continue
    return found


def system_title(values: dict[str, str], version: str = "") -> str:
    """Return what a menu calls a system.

    Args:
        values: What its ``os-release`` says.
        version: Of its commit; said unless the name has it already.

    Raises:
        EntryInvalid: It has no name.
    """
    name = values.get("PRETTY_NAME", values.get("ID"))
    if name is None:
        raise EntryInvalid("No PRETTY_NAME or ID in /etc/os-release")
    return name if not version or version in name else f"{name} {version}"
