# SPDX-License-Identifier: Apache-2.0
"""What a device is made of: what ``lshw`` finds, or whatever an application says instead."""

from __future__ import annotations

import json
import shlex
import shutil
from typing import TYPE_CHECKING, cast

from ostrya._linux.process import run_and_listen
from ostrya.errors import CommandFailed
from ostrya.uptane.errors import ConfigError

if TYPE_CHECKING:
    from ostrya.uptane.metadata.json_text import Json

MAX_BYTES = 4 * 1024 * 1024
TIMEOUT_S = 120.0
_LSHW = ("lshw", "-json")


def find_hardware(command: str = "", given_file: str = "") -> Json:
    """Return what the device is made of; None where nobody can say.

    Args:
        command: What to run in place of ``lshw -json``; its words as in a shell.
        given_file: A JSON file that says it already.

    Raises:
        ConfigError: What is configured does not say it.
        CommandFailed: The command failed.
    """
    if given_file:
        return _parse(_read(given_file), given_file)
    argv = _words(command) if command else _LSHW
    if not command and shutil.which(argv[0]) is None:
        return None
    found = run_and_listen(argv, timeout_s=TIMEOUT_S, most_bytes=MAX_BYTES + 1)
    if found.status:
        raise CommandFailed(tuple(argv), found.status, found.stderr.decode(errors="replace"))
    return _parse(found.stdout, argv[0])


def _words(command: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(command))
    except ValueError as exc:
        raise ConfigError(f"hardware_command of [telemetry] is no command: {exc}") from None
    if not words:
        raise ConfigError("hardware_command of [telemetry] is no command")
    return words


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as exc:
        raise ConfigError(f"{path} cannot be read: {exc.strerror}") from exc


def _parse(data: bytes, where: str) -> Json:
    if len(data) > MAX_BYTES:
        raise ConfigError(f"what {where} says of the hardware is longer than {MAX_BYTES} bytes")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise ConfigError(f"what {where} says of the hardware is no JSON") from None
    if not isinstance(value, dict | list):
        raise ConfigError(f"what {where} says of the hardware is no object")
    # Old versions of lshw give a list of one.
    only = value[0] if isinstance(value, list) and len(value) == 1 else value
    # It may have fractions, which metadata may not; here nothing is signed.
    return cast("Json", only)
