# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import tarfile


def names(data: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return archive.getnames()


def test_to_the_standard_output(run, sample):
    data = run.ok(sample.option, "export", "main").out.encode("utf-8", "surrogateescape")
    assert names(data) == [".", "file", "link", "other", "dir", "dir/inner", "dir/sub"]
    assert len(data) % 10240 == 0


def test_to_a_file(run, sample, tmp_path):
    run.ok(
        sample.option, "export", "-o", tmp_path / "x.tar", "--subpath=dir", "--prefix=p/", "main"
    )
    assert names((tmp_path / "x.tar").read_bytes()) == ["p", "p/inner", "p/sub"]


def test_no_file_is_left_where_there_is_no_commit(run, sample, tmp_path):
    run.fails(sample.option, "export", "-o", tmp_path / "x.tar", "nope")
    assert not (tmp_path / "x.tar").exists()


def test_errors(run, sample):
    assert run.fails(sample.option, "export") == "A COMMIT argument is required"
    assert "Not a directory" in run.fails(sample.option, "export", "main", "--subpath=file")


def test_no_room_for_the_file(run, sample):
    shown = run.fails(sample.option, "export", "main", "-o", "/dev/full", status=1)
    assert shown == "/dev/full: No space left on device"
