# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import subprocess

from ostrya.image.outputs.checksums import with_others


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_sha256sum_is_content_with_it(tmp_path):
    (tmp_path / "a file").write_bytes(b"1")
    (tmp_path / "other").write_bytes(b"2")
    sums = {name: digest(tmp_path / name) for name in ("other", "a file")}
    text = with_others(str(tmp_path / "SHA256SUMS"), sums)
    assert [line[66:] for line in text.decode().splitlines()] == ["a file", "other"]
    (tmp_path / "SHA256SUMS").write_bytes(text)
    subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=tmp_path, check=True)


def test_lines_of_other_builds_are_kept_while_their_files_are_there(tmp_path):
    path = tmp_path / "SHA256SUMS"
    for name in ("mine", "theirs"):
        (tmp_path / name).write_bytes(b"")
    old = [f"{'1' * 64}  {name}" for name in ("mine", "theirs", "gone", "../up")]
    path.write_text("\n".join([*old, "nonsense", ""]))
    text = with_others(str(path), {"mine": "2" * 64}).decode()
    assert text == f"{'2' * 64}  mine\n{'1' * 64}  theirs\n"
