# SPDX-License-Identifier: Apache-2.0
"""Verbs that are other programs: ``ostree-foo`` is run for ``ostree foo``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya.errors import CommandFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.cli.environment import Environment

_EXTENSION_DIR = "/usr/libexec/libostree/ext"


def find_extension(verb: str, environment: Environment, *, drop_in: bool) -> str | None:
    """Return the path of the program behind a verb, None if there is none.

    Under our own name ``ostrya-VERB`` is preferred to ``ostree-VERB``.
    """
    if not verb or "/" in verb:
        return None
    names = (f"ostree-{verb}",) if drop_in else (f"ostrya-{verb}", f"ostree-{verb}")
    for name in names:
        for directory in (_EXTENSION_DIR, *environment.path.split(os.pathsep)):
            path = os.path.join(directory or ".", name)
            if os.access(path, os.X_OK) and not os.path.isdir(path):
                return path
    return None


def run_extension(path: str, arguments: Sequence[str]) -> int:
    """Become the program; its arguments are ours, the verb included.

    Raises:
        CommandFailed: It cannot be run.
    """
    name = os.path.basename(path)
    try:
        os.execv(path, [name, *arguments])  # noqa: S606 - the user's own program, no shell
    except OSError as exc:
        raise CommandFailed((name,), 126, exc.strerror or "") from exc
