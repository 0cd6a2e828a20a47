# SPDX-License-Identifier: Apache-2.0
"""U-Boot's environment, and the file that says where it lies."""

from __future__ import annotations

from zlib import crc32

from ostrya.boot.errors import EnvironmentInvalid
from ostrya.boot.uboot_env import decode_environment, encode_environment, parse_fw_env_config


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Decode, with the checksum mended: what is written again says the same."""
    if data[:1] == b"/":
        try:
            return parse_fw_env_config(data.decode(errors="replace"))
        except EnvironmentInvalid as exc:
            return exc
    mended = crc32(data[4:]).to_bytes(4, "little") + data[4:]
    try:
        found = decode_environment(mended)
    except EnvironmentInvalid as exc:
        return exc
    kept = {name: value for name, value in found.variables.items() if value}
    assert decode_environment(encode_environment(kept, len(data) + 8)).variables == kept
    return found
