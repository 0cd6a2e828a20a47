# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time

import pytest

from ostrya.cli import dump
from ostrya.errors import FormatError
from ostrya.formats.checksum import Checksum
from ostrya.formats.commit import Commit, content_checksum
from ostrya.formats.gvariant.vardict import VarDict, Variant

A, B = Checksum("a" * 64), Checksum("b" * 64)


def commit(**changes):
    return Commit(VarDict(), None, (), "", "", 0, A, B)._replace(**changes)


def test_all_there_is():
    found = commit(
        parent=A,
        subject="One\ntwo",
        body="Body\n\nmore\n",
        timestamp=1234567890,
        metadata=VarDict.of({"version": Variant("s", "7")}),
    )
    assert dump.format_commit(found) == (
        f"Parent:  {A}\n"
        f"ContentChecksum:  {content_checksum(found)}\n"
        "Date:  2009-02-13 23:31:30 +0000\n"
        "Version: 7\n"
        "\n    One\n    two\n"
        "\n    Body\n    \n    more\n"
        "\n"
    )


def test_as_little_as_possible():
    assert dump.format_commit(commit()).endswith(
        "Date:  1970-01-01 00:00:00 +0000\n(no subject)\n\n"
    )


def test_a_version_that_is_no_text_is_not_shown():
    found = commit(metadata=VarDict.of({"version": Variant("u", 7)}))
    assert "Version" not in dump.format_commit(found)
    assert dump.commit_as_json(A, found)["version"] is None
    assert dump.commit_as_json(A, found)["metadata"] == {"version": "uint32 7"}


def test_a_time_after_the_last_year():
    with pytest.raises(FormatError, match="Invalid timestamp"):
        dump.format_utc(253402300800)
    assert dump.format_local(253402300800) == "invalid"


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("UTC", "2009-02-13T23:31:30+00"),
        ("Asia/Kolkata", "2009-02-14T05:01:30+05:30"),
        ("America/St_Johns", "2009-02-13T20:01:30-03:30"),
    ],
)
def test_local_time(monkeypatch, zone, expected):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert dump.format_local(1234567890) == expected
    finally:
        monkeypatch.undo()
        time.tzset()


def test_extended_attributes():
    assert dump.format_xattrs(()) == "{ @a(ayay) [] }"
    assert dump.format_xattrs(((b"user.k", b"v"),)) == "{ [(b'user.k', [byte 0x76])] }"
    assert dump.xattrs_as_json(((b"user.k", b"\xff"),)) == [{"name": "user.k", "value_hex": "ff"}]
    # Two names stay two.
    names = [x["name"] for x in dump.xattrs_as_json(((b"user.\xfe", b""), (b"user.\xff", b"")))]
    assert names == ["user.\udcfe", "user.\udcff"]
