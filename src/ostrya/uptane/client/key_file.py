# SPDX-License-Identifier: Apache-2.0
"""The key of an ECU in a file of its own, for nobody else to read."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import open_dir
from ostrya.uptane.client.primary_key import MAX_KEY_BYTES, key_to_keep
from ostrya.uptane.metadata.json_text import parse_json
from ostrya.uptane.metadata.secret_keys import make_secret_key, read_secret_key

if TYPE_CHECKING:
    from ostrya.uptane.metadata.secret_keys import SecretKey


def load_key(path: str, kind: str) -> SecretKey:
    """Return the key in a file; it is made if it is not there.

    Raises:
        MetadataInvalid: What is there is none.
        OSError: It cannot be read or written.
    """
    with suppress(FileNotFoundError), open(path, "rb") as file:
        return read_secret_key(parse_json(file.read(MAX_KEY_BYTES), MAX_KEY_BYTES, path), path)
    secret = make_secret_key(kind)
    write_key(path, key_to_keep(secret))
    return secret


def write_key(path: str, data: bytes) -> None:
    """Write a key, as ``key_to_keep`` returns it.

    Raises:
        OSError: It cannot be written.
    """
    folder = os.path.dirname(path) or "."
    os.makedirs(folder, mode=0o700, exist_ok=True)
    folder_fd = open_dir(folder, follow=True)
    try:
        replace_file(os.path.basename(path), data, dir_fd=folder_fd, mode=0o600)
    finally:
        os.close(folder_fd)
