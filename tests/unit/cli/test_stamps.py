# SPDX-License-Identifier: Apache-2.0
from ostrya.cli.stamps import write_stamp


def test_a_stamp_is_written_with_its_directory(tmp_path):
    write_stamp(str(tmp_path / "a/b/done"))
    assert (tmp_path / "a/b/done").read_bytes() == b""
    write_stamp(str(tmp_path / "a/b/done"))
    write_stamp(None)
