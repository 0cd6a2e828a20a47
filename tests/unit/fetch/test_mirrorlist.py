# SPDX-License-Identifier: Apache-2.0
"""Mirror lists."""

from __future__ import annotations

import pytest

from ostrya.fetch.errors import MirrorListError
from ostrya.fetch.mirrorlist import MAX_MIRRORS, parse_mirrorlist


def test_a_list():
    text = "\n# a comment\n\nhttp://a/repo\r\n  https://b/repo  \nftp://c\nfile:///d\nhttp://\nx\nhttp://a/repo\n"
    assert parse_mirrorlist(text, "u") == ("http://a/repo", "https://b/repo")


@pytest.mark.parametrize("text", ["", "\n\n", "# http://a", "ftp://a\nfile:///b\n"])
def test_no_mirrors(text):
    with pytest.raises(
        MirrorListError, match="No valid mirrors were found in mirrorlist 'http://l'"
    ):
        parse_mirrorlist(text, "http://l")


def test_a_long_list():
    text = "".join(f"http://h{number}/\n" for number in range(10_000))
    assert len(parse_mirrorlist(text, "u")) == MAX_MIRRORS
