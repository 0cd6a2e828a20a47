# SPDX-License-Identifier: Apache-2.0
import os

import pytest

from ostrya._linux.umask import umask


def test_it_is_another_one_until_the_end(tmp_path):
    before = os.umask(0o027)
    try:
        with umask(0o022):
            os.mkdir(tmp_path / "inside")
        os.mkdir(tmp_path / "outside")
        with pytest.raises(ValueError, match="x"), umask(0):
            raise ValueError("x")
        os.mkdir(tmp_path / "after")
    finally:
        os.umask(before)
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("inside", "outside", "after")]
    assert modes == [0o755, 0o750, 0o750]
