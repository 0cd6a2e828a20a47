# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from pathlib import Path

import pytest

from ostrya.cli.reference import main, make_pages

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "reference"
HOW = "write them anew: python -m ostrya.cli.reference docs/reference/cli"


@pytest.mark.parametrize("name", sorted(make_pages()))
def test_the_pages_are_those_of_the_program(name):
    assert (FOLDER / "cli" / name).read_text() == make_pages()[name], HOW


def test_there_are_no_others():
    assert {path.name for path in (FOLDER / "cli").iterdir()} == set(make_pages()), HOW


def test_every_schema_that_a_page_names_is_there():
    for text in make_pages().values():
        for piece in text.split("(../json/")[1:]:
            assert (FOLDER / "json" / piece.partition(")")[0]).exists()


def test_writing(tmp_path):
    assert main([str(tmp_path / "pages")]) == 0
    assert {path.name for path in (tmp_path / "pages").iterdir()} == set(make_pages())


@pytest.mark.parametrize("name", sorted(make_pages()))
def test_every_table_stands_below_a_heading_of_its_own(name):
    for section in re.split(r"^##? ", make_pages()[name], flags=re.MULTILINE):
        assert section.count("| option |") <= 1
        letters = re.findall(r"^\| `(-\w)`", section, re.MULTILINE)
        assert len(letters) == len(set(letters))
