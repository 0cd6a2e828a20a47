# SPDX-License-Identifier: Apache-2.0
from typing import overload

@overload
def make_patch(
    old: bytes | memoryview, new: bytes | memoryview, depth: int, stride: int, hashed: int,
    literal: int, /,
) -> tuple[bytes, int]: ...  # fmt: skip
@overload
def make_patch(
    old: bytes | memoryview, new: bytes | memoryview, depth: int, stride: int, hashed: int,
    literal: int, fd: int, /,
) -> tuple[int, int]: ...  # fmt: skip
