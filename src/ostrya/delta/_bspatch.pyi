# SPDX-License-Identifier: Apache-2.0
from array import array

def run_steps(
    state: array[int], old: bytes, start: int, whole: int, patch: bytes, room: bytearray, /
) -> int: ...
