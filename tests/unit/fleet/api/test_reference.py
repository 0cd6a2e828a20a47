# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.fleet.api.reference import main, pages


def test_all_pages_are_written(tmp_path):
    (tmp_path / "json").mkdir()
    main(str(tmp_path))
    for name, text in pages().items():
        assert (tmp_path / name).read_text() == text
