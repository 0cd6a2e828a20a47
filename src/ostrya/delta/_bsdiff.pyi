# SPDX-License-Identifier: Apache-2.0
def make_patch(
    old: bytes | memoryview, new: bytes | memoryview, depth: int, stride: int, hashed: int, /
) -> tuple[bytes, int]: ...
