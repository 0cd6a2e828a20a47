# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

from ostrya.cli.ota_config_reference import main, ota_config_reference
from ostrya.uptane.client.config import ClientConfig

PAGE = Path(__file__).resolve().parents[3] / "docs/reference/ota-config.md"


def test_the_page_is_that_of_the_code():
    assert PAGE.read_text() == ota_config_reference(), (
        "python -m ostrya.cli.ota_config_reference docs/reference/ota-config.md"
    )


def test_every_key_is_explained():
    text = ota_config_reference()
    for name, section in ClientConfig()._asdict().items():
        assert f"## `[{name.rstrip('_')}]`" in text
        for field in set(section._fields) - {"extra"}:
            assert f"| `{field.rstrip('_')}` |" in text
    assert "| `polling_sec` | `10` | Seconds between two questions for updates. |" in text


def test_the_page_is_written(tmp_path):
    assert main([str(tmp_path / "page.md")]) == 0
    assert (tmp_path / "page.md").read_text() == ota_config_reference()
