# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import UTC

from ostrya.cli.ota_author import time_now


def test_times_are_in_utc():
    assert time_now().tzinfo is UTC


def test_missing_signatures_go_to_stderr(run, tmp_path):
    folder = f"--dir={tmp_path / 'img'}"
    run.ok(
        "ota", "keys", "create", folder, f"--keep=root={tmp_path / 'safe'}", "--threshold=root=2"
    )
    done = run("ota", "targets", "sign", folder)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("root: 0 of 2 signatures; 2 more by any of ")
