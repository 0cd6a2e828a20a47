# SPDX-License-Identifier: Apache-2.0
import os

import pytest

from ostrya._linux import partitions


def test_what_is_no_device_is_refused_by_the_kernel(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        for call in (
            lambda: partitions.device_bytes(fd),
            lambda: partitions.resize_partition(fd, 1, 0, 512),
        ):
            with pytest.raises(OSError, match="ioctl"):
                call()
    finally:
        os.close(fd)


def test_structures_are_as_large_as_the_kernels():
    assert partitions._PARTITION.size == 152
    assert partitions._ARGUMENT.size == 24
