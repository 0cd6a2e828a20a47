# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest


def test_a_repository(run, tmp_path):
    done = run.ok(
        "ota",
        "keys",
        "create",
        f"--dir={tmp_path / 'img'}",
        f"--keep=root={tmp_path / 'safe'}",
        "--threshold=root=2",
    )
    assert [line.split()[0] for line in done.lines].count("root") == 2
    assert len(list((tmp_path / "safe").glob("*.sec"))) == 2
    assert run.fails("ota", "keys", "create", f"--dir={tmp_path / 'img'}", status=70).endswith(
        "is kept already"
    )


def test_a_director_of_other_lifetimes(run, tmp_path):
    run.ok(
        "ota",
        "keys",
        "create",
        f"--dir={tmp_path}",
        "--director",
        "--days=timestamp=1",
        "--dialect=uptane",
    )
    text = (tmp_path / "author.json").read_text()
    assert '"timestamp":1' in text
    assert '"director":true' in text


def test_a_pair(run, tmp_path):
    run.ok("ota", "keys", "create", "supplier", f"--dir={tmp_path}", "--key-type=ed25519")
    assert (tmp_path / "supplier.sec").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "supplier.pub").exists()


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["--dialect=x"], 2), (["--days=x=1"], 2), (["--days=root=x"], 2), (["a", "b"], 2), (["a/b"], 2),
        (["--threshold=root"], 70), (["--threshold=nobody=1"], 70), (["--key-type=dsa", "x"], 70),
    ],
)  # fmt: skip
def test_refused(run, tmp_path, words, status):
    run.fails("ota", "keys", "create", f"--dir={tmp_path / 'x'}", *words, status=status)
    assert not (tmp_path / "x").exists() or not list((tmp_path / "x").iterdir())
