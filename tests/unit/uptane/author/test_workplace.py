# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.author.workplace import DAYS, Settings, make_workplace, open_workplace
from ostrya.uptane.errors import AuthoringError, MetadataInvalid
from ostrya.uptane.metadata.dialect import Dialect


def test_settings_are_kept(tmp_path):
    settings = Settings(Dialect.TUF, {**DAYS, "timestamp": 1}, is_director=True)
    make_workplace(str(tmp_path), settings)
    assert open_workplace(str(tmp_path)).settings == settings
    with pytest.raises(AuthoringError, match="is kept already"):
        make_workplace(str(tmp_path), settings)


def test_nothing_there(tmp_path):
    with pytest.raises(AuthoringError, match="no repository is kept in"):
        open_workplace(str(tmp_path))
    make_workplace(str(tmp_path), Settings(Dialect.UPTANE, DAYS))
    with pytest.raises(AuthoringError, match="no folder of keys"):
        open_workplace(str(tmp_path), [str(tmp_path / "usb")])
    with pytest.raises(AuthoringError, match="has no root yet"):
        open_workplace(str(tmp_path)).root()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        '{"dialect": "x", "days": {}, "director": false}',
        '{"dialect": "tuf", "days": {"root": 0}, "director": false}',
    ],
)
def test_damaged_settings(tmp_path, text):
    (tmp_path / "author.json").write_text(text)
    with pytest.raises(MetadataInvalid):
        open_workplace(str(tmp_path))


def test_published_and_staged(work):
    assert work.staged_roles() == ()
    assert work.root_version() == 1
    assert work.published("targets").signed["version"] == 1
    assert work.published("nobody") is None
    work.stage("nobody", work.published("targets"))
    work.stage("targets", work.published("targets"))
    assert work.staged_roles() == ("targets", "nobody")
    assert work.newest("nobody") == work.staged("nobody")
    work.unstage("nobody")
    work.unstage("nobody")
    assert work.staged("nobody") is None
