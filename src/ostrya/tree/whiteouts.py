# SPDX-License-Identifier: Apache-2.0
"""Whiteouts: entries of a layer that remove what a lower layer put there.

::

    .wh.NAME              OCI and Docker: remove NAME
    .wh..wh..opq          OCI and Docker: the directory hides all of its lower self
    .ostree-wh.NAME       an overlayfs whiteout (character device 0:0) quoted for committing

Source: the OCI image layer specification; ``ostree-checkout(1)``.
"""

from __future__ import annotations

from ostrya.errors import FormatError

WHITEOUT_PREFIX = ".wh."
OPAQUE_NAME = ".wh..wh..opq"
QUOTED_PREFIX = ".ostree-wh."


def whiteout_target(name: str) -> str | None:
    """Return what an OCI whiteout removes; None if the name is no whiteout.

    Raises:
        FormatError: It removes nothing.
    """
    return _after(name, WHITEOUT_PREFIX, "whiteout")


def quoted_whiteout_target(name: str) -> str | None:
    """Return the name of a quoted overlayfs whiteout; None if the name is none.

    Raises:
        FormatError: It has no name.
    """
    return _after(name, QUOTED_PREFIX, "overlayfs whiteout")


def _after(name: str, prefix: str, what: str) -> str | None:
    if not name.startswith(prefix):
        return None
    target = name[len(prefix) :]
    if target in ("", ".", ".."):
        raise FormatError(f"Invalid empty {what} '{target}'")
    return target
