# SPDX-License-Identifier: Apache-2.0
from array import array

def run_steps(
    state: array[int], fd: int, begin: int, size: int, window: bytearray, patch: bytes,
    room: bytearray, /,
) -> int: ...  # fmt: skip
