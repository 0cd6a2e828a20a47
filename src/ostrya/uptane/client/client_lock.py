# SPDX-License-Identifier: Apache-2.0
"""One client of a device's database at a time; and a file with which others hold updates back."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ostrya._linux.flock import find_holders, try_lock
from ostrya.uptane.client.errors import ClientBusy
from ostrya.uptane.client.storage import in_its_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NOCTTY


@contextmanager
def only_client(database_path: str) -> Iterator[None]:
    """Be the only client of a database; the lock goes with the process, however that ends.

    Raises:
        ClientBusy: Another one runs.
        StorageError: There can be no such file.
    """
    with in_its_folder(database_path):
        fd = os.open(f"{database_path}.lock", _FLAGS, 0o600)
    try:
        if not try_lock(fd, exclusive=True):
            holders = "; ".join(map(str, find_holders(fd))) or "another user's"
            raise ClientBusy(
                f"a client works with {database_path} already: {holders}",
                hint="speak to it with `ostrya ota control`, or stop it first",
            )
        yield
    finally:
        os.close(fd)


@contextmanager
def updates_allowed(lock_path: str) -> Iterator[None]:
    """Hold the file that other programs lock to hold updates back; nothing where none is named.

    Raises:
        ClientBusy: One of them does.
        OSError: There can be no such file.
    """
    if not lock_path:
        yield
        return
    fd = os.open(lock_path, _FLAGS, 0o644)
    try:
        if not try_lock(fd, exclusive=True):
            raise ClientBusy(f"updates are held back: {lock_path} is locked")
        yield
    finally:
        os.close(fd)
