# SPDX-License-Identifier: Apache-2.0
from ostrya.image.ext4.wanted import ROOTS, Inode


def test_what_is_not_said_is_roots():
    assert Inode() == ROOTS == (0, 0, None, (), False)
