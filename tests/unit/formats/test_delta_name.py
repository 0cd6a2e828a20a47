# SPDX-License-Identifier: Apache-2.0
"""Names of deltas: as people write them, and as paths."""

from __future__ import annotations

import pytest

from ostrya.formats.delta_name import (
    DeltaName,
    commitmeta_path,
    delta_dir,
    index_path,
    parse_delta_id,
    parse_delta_name,
    part_path,
    superblock_path,
)
from ostrya.formats.errors import ObjectFormatError

A, B = "a" * 64, "0f" * 32


@pytest.mark.parametrize("name", [DeltaName(A, None), DeltaName(A, B)], ids=["scratch", "between"])
def test_there_and_back(name):
    assert parse_delta_id(str(name)) == name
    folder = delta_dir(name)
    assert parse_delta_name(folder.removeprefix("deltas/").replace("/", "", 1)) == name
    assert superblock_path(name) == f"{folder}/superblock"
    assert part_path(name, 12) == f"{folder}/12"
    assert commitmeta_path(name) == f"{folder}/commitmeta"


def test_index():
    assert index_path(A) == "delta-indexes/qq/qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo.index"


@pytest.mark.parametrize("text", ["", "-", A + "-", "-" + A, f"{A}-{B}-{A}", A[1:], A + "x"])
def test_no_name(text):
    with pytest.raises(ObjectFormatError, match="Invalid"):
        parse_delta_id(text)


@pytest.mark.parametrize("text", ["", "x", "!" * 43, "a" * 43 + "-", "-"])
def test_no_directory(text):
    assert parse_delta_name(text) is None
