# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from support.fleet_server import make, start


def test_it_says_where_it_answers(tmp_path):
    with start(make(tmp_path / "f")) as server:
        assert server.addresses["devices"].startswith("https://127.0.0.1:")
        assert server.stop() == 0


def test_no_server(run, tmp_path):
    assert "there is no server in" in run.fails("fleet", "serve", tmp_path, status=80)
    assert "one DIR" in run.fails("fleet", "serve", status=2)
