# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.cli.commands.admin import grow_disk
from ostrya.image.grow import Grown


def test_it_says_how_much_it_grew_and_leaves_a_stamp(run, tmp_path, monkeypatch):
    asked = []

    def grow(path):
        asked.append(path)
        return Grown(100 << 20, (100 << 20) * len(asked))

    monkeypatch.setattr(grow_disk, "grow_mounted", grow)
    stamp = tmp_path / "state/grown"
    assert "/var has 100 MiB" in run.ok("admin", "grow-disk", f"--stamp={stamp}").out
    assert stamp.exists()
    assert "from 100 to 200 MiB" in run.ok("admin", "grow-disk", "/data").out
    assert asked == ["/var", "/data"]


def test_what_does_not_grow_leaves_no_stamp(run, tmp_path):
    stamp = tmp_path / "grown"
    said = run.fails("admin", "grow-disk", f"--stamp={stamp}", "/proc", status=60)
    assert "/proc is proc, not ext4" in said
    assert not stamp.exists()
