# SPDX-License-Identifier: Apache-2.0
from ostrya.image.ext4.crc32c import INITIAL, crc32c


def test_the_value_that_everybody_knows():
    """That of RFC 3720 for the nine digits, whose last inversion ext4 leaves out."""
    assert crc32c(b"123456789") ^ INITIAL == 0xE3069283


def test_it_can_be_continued():
    data = bytes(range(256)) + bytes(1000) + b"end"
    for cut in (0, 1, 7, 256, 300, 1255):
        assert crc32c(data[cut:], crc32c(data[:cut])) == crc32c(data)
