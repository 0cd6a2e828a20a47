# SPDX-License-Identifier: Apache-2.0
"""Options of HTTP, and headers as lines."""

from __future__ import annotations

import pytest

from ostrya.fetch.errors import FetchOptionError
from ostrya.fetch.http_options import HttpOptions, header_line


def test_defaults_are_those_of_libostree():
    options = HttpOptions()
    assert options.retry.retries == 5
    assert (options.low_speed_limit_bytes, options.low_speed_time_s) == (1000, 30)
    assert options.connect_timeout_s == 30
    assert options.http2


def test_headers():
    assert header_line("X-Foo", "a b\tü") == "X-Foo: a b\tü"
    assert header_line("X", "") == "X;"
    assert header_line("X", "  ") == "X;"


@pytest.mark.parametrize("value", ["a\n", "a\r\nX: y", "\0", "\x7f", "\x1b"])
def test_values_are_one_line(value):
    with pytest.raises(FetchOptionError, match="Invalid HTTP header 'X'"):
        header_line("X", value)


@pytest.mark.parametrize("name", ["", "a b", "a:", "ü", "a\n", "(x)"])
def test_names_are_tokens(name):
    with pytest.raises(FetchOptionError, match="Invalid HTTP header"):
        header_line(name, "x")
