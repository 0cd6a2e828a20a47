# SPDX-License-Identifier: Apache-2.0
"""Files that hold one item per line: lists of paths, and of modes with paths."""

from __future__ import annotations

from typing import NamedTuple

from ostrya.errors import FormatError


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
    try:
        with open(path, encoding="utf-8", newline="\n") as stream:
            return [line for line in stream.read().split("\n") if line]
    except UnicodeDecodeError as exc:
        raise FormatError(f"{path} is not UTF-8 (byte {exc.start})") from exc


def read_stat_overrides(path: str) -> StatOverrides:
    """Read lines of ``MODE PATH``, decimal; ``=MODE`` sets the mode, else its bits are added.

    Raises:
        FormatError: A line has another form.
    """
    found = StatOverrides({}, {})
    for line in read_lines(path):
        mode, space, name = line.partition(" ")
        if not space:
            raise FormatError(f"{path}: Malformed statoverride file (no space found)")
        target = found.overrides if mode.startswith("=") else found.adds
        try:
            target[name] = int(mode.removeprefix("="))
        except ValueError:
            raise FormatError(f"{path}: Malformed statoverride file: '{mode}' is no mode") from None
    return found
