# SPDX-License-Identifier: Apache-2.0
from collections.abc import Buffer

def make_patch(old: Buffer, new: Buffer, depth: int, stride: int, /) -> tuple[bytes, int]: ...
