# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.errors import FormatError
from ostrya.tree.whiteouts import OPAQUE_NAME, quoted_whiteout_target, whiteout_target


@pytest.mark.parametrize(
    ("name", "oci", "quoted"),
    [
        ("file", None, None),
        (".wh", None, None),
        (".wh.file", "file", None),
        (".wh..hidden", ".hidden", None),
        (".wh..wh.twice", ".wh.twice", None),
        (OPAQUE_NAME, ".wh..opq", None),
        (".ostree-wh.file", None, "file"),
    ],
)
def test_what_they_name(name, oci, quoted):
    assert whiteout_target(name) == oci
    assert quoted_whiteout_target(name) == quoted


@pytest.mark.parametrize("end", ["", ".", ".."])
def test_those_that_name_nothing_or_more_than_they_may(end):
    with pytest.raises(FormatError):
        whiteout_target(f".wh.{end}")
    with pytest.raises(FormatError):
        quoted_whiteout_target(f".ostree-wh.{end}")
