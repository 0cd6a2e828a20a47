# SPDX-License-Identifier: Apache-2.0
"""What is expected where aktualizr and Ostrya meet, and where the peer's programs are."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

START_S = 30
PROGRAMS = {
    "aktualizr": "aktualizr_primary", "aktualizr-info": "aktualizr_info",
    "aktualizr-secondary": "aktualizr_secondary", "garage-push": "sota_tools",
    "garage-check": "sota_tools", "aktualizr-get": "aktualizr_get",
    "aktualizr-cert-provider": "cert_provider",
}  # fmt: skip
"""The peer's programs, and where a build of it leaves each."""


class Unexpected(Exception):
    """Something is not as it has to be."""


def find_program(peer: Path, name: str) -> Path:
    """Find a program in a folder of programs, or in one where the peer was built.

    Raises:
        Unexpected: It is not there.
    """
    for path in (peer / name, peer / "src" / PROGRAMS[name] / name):
        if path.is_file():
            return path
    raise Unexpected(f"{name} is not in {peer}")


def wait_for(
    happened: Callable[[], bool], what: str, process: subprocess.Popen[bytes] | None = None
) -> None:
    """Wait until something happened.

    Raises:
        Unexpected: It does not.
    """
    for _ in range(START_S * 10):
        if happened():
            return
        if process is not None and process.poll() is not None:
            break
        time.sleep(0.1)
    raise Unexpected(f"not so: {what}")


def expect(found: object, wanted: object, what: str) -> None:
    """Compare.

    Raises:
        Unexpected: They differ.
    """
    if found != wanted:
        raise Unexpected(f"{what}: {found!r} and not {wanted!r}")


def expect_so(found: object, what: str) -> None:
    """See whether something is so.

    Raises:
        Unexpected: It is not.
    """
    if not found:
        raise Unexpected(f"not so: {what}")


def expect_in(wanted: Sequence[object], found: Sequence[object], what: str) -> None:
    """See whether all of some things are there.

    Raises:
        Unexpected: One is not.
    """
    missing = [one for one in wanted if one not in found]
    if missing:
        raise Unexpected(f"{what}: {missing!r} is not in {found!r}")


def listed(found: object) -> list[Mapping[str, object]]:
    """A list of objects, as JSON has it."""
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def last_words(said: str) -> str:
    """The end of what a program said."""
    return " / ".join(line.strip() for line in said.strip().splitlines()[-3:])[-400:]
