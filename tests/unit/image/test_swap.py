# SPDX-License-Identifier: Apache-2.0
import subprocess
from uuid import UUID

import pytest

from ostrya.image.errors import LayoutError
from ostrya.image.filesystem import find_program
from ostrya.image.swap import encode_swap
from support.image_world import missing

UUID_OF_IT = UUID("11111111-2222-3333-4444-555555555555")


@pytest.mark.skipif(bool(missing("mkswap")), reason=missing("mkswap") or "none")
def test_it_is_what_mkswap_writes(tmp_path):
    theirs = tmp_path / "theirs"
    with theirs.open("wb") as stream:
        stream.truncate(8 << 20)
    subprocess.run(
        [find_program("mkswap"), "-L", "swapped", "-U", str(UUID_OF_IT), theirs],
        check=True,
        capture_output=True,
    )
    ours = encode_swap(8 << 20, "swapped", UUID_OF_IT)
    assert theirs.read_bytes() == ours.ljust(8 << 20, b"\0")


def test_what_is_too_small():
    with pytest.raises(LayoutError, match="36864 bytes are too few"):
        encode_swap(9 * 4096, "x", UUID_OF_IT)
