# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.cli.commit_metadata import detached_metadata, given_metadata
from ostrya.cli.commit_options import OPTIONS
from ostrya.cli.parser import parse_arguments


def arguments(*argv):
    return parse_arguments(OPTIONS, argv)


def test_order_is_strings_then_values():
    given = arguments("--add-metadata=v=true", "--add-metadata-string=s=x")
    assert given_metadata(None, given, None) == (("s", ("s", "x")), ("v", ("b", True)))


def test_double_keys_are_kept():
    given = arguments("--add-metadata-string=k=1", "--add-metadata-string=k=2")
    assert [value.value for _, value in given_metadata(None, given, None)] == ["1", "2"]


def test_detached():
    assert detached_metadata(arguments()) is None
    given = arguments("--add-detached-metadata-string=k=v=w")
    assert detached_metadata(given) == (("k", ("s", "v=w")),)
