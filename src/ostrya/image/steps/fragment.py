# SPDX-License-Identifier: Apache-2.0
"""What a device has to have in ``/var`` at every start, for systemd and for others. Pure.

::

    d /var/rootdirs/home 0755 root root -       a directory
    L /var/lib/dpkg - - - - ../../usr/lib/…     a link, where there is nothing
    C /var/lib/thing                            a copy of /usr/share/factory/var/lib/thing,
                                                where there is nothing

Without systemd a script does the same.

Source: tmpfiles.d(5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

FACTORY = "usr/share/factory"
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@,=~")
_HEAD = """\
#!/bin/sh
### BEGIN INIT INFO
# Provides:          ostrya-image
# Required-Start:    mountall
# Required-Stop:
# Default-Start:     S
# Default-Stop:
# Short-Description: Make what belongs into /var
### END INIT INFO
case "${1:-start}" in start) ;; *) exit 0 ;; esac

directory() {
    [ -d "$1" ] || { mkdir -p "$1" && chmod "$2" "$1"; }
}
link() {
    [ -e "$1" ] || [ -L "$1" ] || { mkdir -p "${1%/*}" && ln -s "$2" "$1"; }
}
copy() {
    [ -e "$1" ] || [ -L "$1" ] || { mkdir -p "${1%/*}" && cp -a "/usr/share/factory$1" "$1"; }
}

"""


class Wanted(NamedTuple):
    """One thing that has to be there.

    Attributes:
        kind: ``d``, ``L`` or ``C``, as tmpfiles.d has it.
        path: Absolute.
        mode: Of a directory.
        target: Of a link.
    """

    kind: str
    path: str
    mode: int = 0o755
    target: str = ""


def format_tmpfiles(wanted: Iterable[Wanted]) -> str:
    """Return the lines for systemd-tmpfiles."""
    lines = []
    for one in wanted:
        path = _escaped(one.path)
        if one.kind == "d":
            lines.append(f"d {path} {one.mode:04o} root root -\n")
        elif one.kind == "L":
            lines.append(f"L {path} - - - - {_specifiers(one.target)}\n")
        else:
            lines.append(f"C {path}\n")
    return "".join(lines)


def format_script(wanted: Iterable[Wanted]) -> str:
    """Return a script for systems that start by others."""
    lines = []
    for one in wanted:
        path = _quoted(one.path)
        if one.kind == "d":
            lines.append(f"directory {path} {one.mode:04o}\n")
        elif one.kind == "L":
            lines.append(f"link {path} {_quoted(one.target)}\n")
        else:
            lines.append(f"copy {path}\n")
    return _HEAD + "".join(lines)


def _specifiers(text: str) -> str:
    return text.replace("%", "%%")


def _escaped(path: str) -> str:
    if _PLAIN.issuperset(path):
        return path
    escaped = "".join(
        char if char in _PLAIN or not char.isascii() else f"\\x{ord(char):02x}" for char in path
    )
    # What is escaped becomes itself again before specifiers are looked for.
    return f'"{escaped.replace(chr(92) + "x25", "%%")}"'


def _quoted(text: str) -> str:
    if _PLAIN.issuperset(text):
        return text
    return "'" + text.replace("'", "'\\''") + "'"
