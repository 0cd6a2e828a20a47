# SPDX-License-Identifier: Apache-2.0
"""The jar of a remote."""

from __future__ import annotations

import os
import stat

import pytest

from ostrya.fetch.cookies import (
    Cookie,
    add_cookie,
    delete_cookie,
    format_cookie,
    list_cookies,
    new_cookie,
    parse_cookie,
)
from ostrya.fetch.errors import CookieError

NOW = 1_700_000_000
LATER = 2_489_004_800


@pytest.fixture
def repo_fd(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    yield fd
    os.close(fd)


def test_adding_and_deleting(repo_fd, tmp_path):
    assert list_cookies(repo_fd, "origin") == []
    add_cookie(repo_fd, "origin", new_cookie("127.0.0.1", "/", "foo", "bar", now=NOW))
    add_cookie(repo_fd, "origin", new_cookie(".example.com", "/x", "baz", "badger", now=NOW))
    jar = tmp_path / "origin.cookies.txt"
    assert jar.read_text() == (
        f"127.0.0.1\tFALSE\t/\tFALSE\t{LATER}\tfoo\tbar\n"
        f".example.com\tTRUE\t/x\tFALSE\t{LATER}\tbaz\tbadger\n"
    )
    assert stat.S_IMODE(jar.stat().st_mode) == 0o600
    assert [cookie.name for cookie in list_cookies(repo_fd, "origin")] == ["foo", "baz"]
    delete_cookie(repo_fd, "origin", domain="127.0.0.1", path="/", name="foo")
    assert list_cookies(repo_fd, "origin") == [
        Cookie(".example.com", "TRUE", "/x", "FALSE", LATER, "baz", "badger")
    ]


@pytest.mark.parametrize("other", [("x", "/", "foo"), ("h", "/x", "foo"), ("h", "/", "x")])
def test_a_cookie_that_is_not_there(repo_fd, other):
    add_cookie(repo_fd, "origin", new_cookie("h", "/", "foo", "bar", now=NOW))
    domain, path, name = other
    with pytest.raises(CookieError, match="Cookie not found in jar"):
        delete_cookie(repo_fd, "origin", domain=domain, path=path, name=name)
    assert len(list_cookies(repo_fd, "origin")) == 1


def test_the_rest_of_a_jar_stays(repo_fd, tmp_path):
    jar = tmp_path / "origin.cookies.txt"
    before = "# Netscape HTTP Cookie File\n#HttpOnly_h\tFALSE\t/\tTRUE\t0\ta\tb\nnonsense\n"
    jar.write_text(before.rstrip("\n"))
    jar.chmod(0o644)
    add_cookie(repo_fd, "origin", new_cookie("h", "/", "foo", "bar", now=NOW))
    delete_cookie(repo_fd, "origin", domain="h", path="/", name="foo")
    assert jar.read_text() == before
    assert stat.S_IMODE(jar.stat().st_mode) == 0o644


def test_a_leap_day():
    assert new_cookie("h", "/", "a", "b", now=1_709_208_000).expires == 2_498_126_400


@pytest.mark.parametrize("bad", ["", "a b", "a\tb", "a\n", "\0"])
def test_fields_that_cannot_be_written(repo_fd, bad):
    for fields in (
        (bad, "/", "n", "v"),
        ("h", bad, "n", "v"),
        ("h", "/", bad, "v"),
        ("h", "/", "n", bad),
    ):
        with pytest.raises(CookieError, match="Invalid part of a cookie"):
            add_cookie(repo_fd, "origin", new_cookie(*fields, now=NOW))


def test_a_domain_is_no_comment():
    with pytest.raises(CookieError, match="Invalid domain"):
        format_cookie(new_cookie("#x", "/", "n", "v", now=NOW))


@pytest.mark.parametrize(
    "line",
    ["", "# a comment of seven words and more", "a b c d e f g", "h\tFALSE\t/\tFALSE\t1\tname"],
)
def test_lines_without_a_cookie(line):
    assert parse_cookie(line) is None


def test_a_huge_jar(repo_fd, tmp_path):
    (tmp_path / "origin.cookies.txt").write_bytes(b"x" * (2 << 20))
    with pytest.raises(CookieError, match="is longer than"):
        list_cookies(repo_fd, "origin")
