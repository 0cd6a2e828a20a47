# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.cli.line_files import read_lines, read_stat_overrides
from ostrya.errors import FormatError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "list"


def test_empty_lines_are_left_out(path):
    path.write_bytes(b"/a\n\n/b c\r\n/d")
    assert read_lines(str(path)) == ["/a", "/b c\r", "/d"]


def test_what_is_no_text(path):
    path.write_bytes(b"/\xff\n")
    with pytest.raises(FormatError, match="not UTF-8"):
        read_lines(str(path))


def test_modes(path):
    path.write_text("+1048 /a\n2048 /b c\n=384 /d\n")
    assert read_stat_overrides(str(path)) == ({"/a": 1048, "/b c": 2048}, {"/d": 384})


def test_the_type_is_left_out_of_modes(path):
    path.write_text("=65535 /a\n=33261 /b\n32776 /c\n")
    assert read_stat_overrides(str(path)) == ({"/c": 8}, {"/a": 0o7777, "/b": 0o755})


@pytest.mark.parametrize(
    "line",
    [
        *("x /a", "= /a", "1_0 /a", "-8 /a", "=-5 /a", "8x /a", "0x10 /a", "1e2 /a"),
        *("65536 /a", "99999999999 /a", "=99999999999 /a", "\N{FULLWIDTH DIGIT ONE} /a"),
    ],
)
def test_what_is_no_mode(path, line):
    path.write_text(f"8 /x\n\n{line}\n")
    with pytest.raises(FormatError, match=f"{path}, line 3: Malformed statoverride file"):
        read_stat_overrides(str(path))


def test_a_line_without_a_path_is_refused_in_the_words_of_libostree(path):
    path.write_text("8 /x\n2048\n")
    with pytest.raises(FormatError, match=r"^Malformed statoverride file \(no space found\)$") as e:
        read_stat_overrides(str(path))
    assert e.value.hint == f"see {path}, line 2"
