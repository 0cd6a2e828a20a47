# SPDX-License-Identifier: Apache-2.0
"""Files that hold one item per line: lists of paths, and of modes with paths."""

from __future__ import annotations

import re

from ostrya.errors import FormatError
from ostrya.named_tuple import NamedTuple

# Digits of no more than a mode; int() would take 1_0 and digits of other scripts too.
_MODE = re.compile(r"\+?([0-9]{1,10})", re.ASCII)
_MAX_MODE, _PERMISSIONS = 0o177777, 0o7777


class StatOverrides(NamedTuple):
    """What ``--statoverride`` asks for, by absolute path.

    Attributes:
        adds: Mode bits to add.
        overrides: Modes to set.
    """

    adds: dict[str, int]
    overrides: dict[str, int]


def read_lines(path: str) -> list[str]:
    """Return the lines of a file, empty ones left out.

    Raises:
        FormatError: The file is not UTF-8.
        OSError: It cannot be read.
    """
    return [line for _, line in _numbered_lines(path)]


def read_text_file(path: str) -> str:
    """Return the text of a file.

    Raises:
        FormatError: The file is not UTF-8.
        OSError: It cannot be read.
    """
    try:
        with open(path, encoding="utf-8", newline="\n") as stream:
            return stream.read()
    except UnicodeDecodeError as exc:
        raise FormatError(f"{path} is not UTF-8 (byte {exc.start})") from exc


def _numbered_lines(path: str) -> list[tuple[int, str]]:
    lines = enumerate(read_text_file(path).split("\n"), 1)
    return [(number, line) for number, line in lines if line]


def read_stat_overrides(path: str) -> StatOverrides:
    """Read lines of ``MODE PATH``, decimal; ``=MODE`` sets the mode, else its bits are added.

    The bits of a mode that say the type of a file are left out.

    Raises:
        FormatError: A line has another form.
    """
    found = StatOverrides({}, {})
    for number, line in _numbered_lines(path):
        mode, space, name = line.partition(" ")
        where, malformed = f"{path}, line {number}", "Malformed statoverride file"
        if not space:
            raise FormatError(f"{malformed} (no space found)", hint=f"see {where}")
        target = found.overrides if mode.startswith("=") else found.adds
        match = _MODE.fullmatch(mode.removeprefix("="))
        if match is None or int(match[1]) > _MAX_MODE:
            raise FormatError(f"{where}: {malformed}: '{mode}' is no mode")
        target[name] = int(match[1]) & _PERMISSIONS
    return found
