# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.image.errors import OutputError
from ostrya.image.outputs.kinds import Kind, known_kinds, parse_kind, parse_kinds


@pytest.mark.parametrize(
    ("word", "kind", "file"),
    [
        ("raw", Kind("raw"), "os.img"),
        ("wic.xz", Kind("wic", "xz"), "os.wic.xz"),
        ("wic.bmap", Kind("bmap", mapped="wic"), "os.wic.bmap"),
        ("raw.bmap", Kind("bmap", mapped="raw"), "os.img.bmap"),
        ("ota.tar.zst", Kind("ota.tar", "zst"), "os.ota.tar.zst"),
        ("ostree.tar", Kind("ostree.tar"), "os.ostree.tar"),
        ("ota-ext4.gz", Kind("ota-ext4", "gz"), "os.ota-ext4.gz"),
        ("spdx", Kind("spdx"), "os.spdx.json"),
        ("sha256sums", Kind("sha256sums"), "SHA256SUMS"),
    ],
)
def test_a_word_is_an_output_and_a_file(word, kind, file):
    assert parse_kind(word) == kind
    assert kind.file_name("os") == file
    assert kind.word == word


def test_a_delta_is_named_by_the_commit_it_leads_from():
    kind = parse_kind("delta-from=os/stable^")
    assert kind == Kind("delta-from", revision="os/stable^")
    assert kind.word == "delta-from=os/stable^"
    assert kind._replace(revision="ab" * 32).file_name("os") == "os.from-abababababab.delta"


@pytest.mark.parametrize(
    "word",
    ["", "iso", "wic.lzo", "bmap", "qcow2.bmap", "spdx.gz", "delta-from", "delta-from=", "raw=x"],
)
def test_what_nobody_knows_is_refused(word):
    with pytest.raises(OutputError) as caught:
        parse_kind(word)
    assert f"'{word}'" in caught.value.message
    assert all(name in caught.value.hint for name in known_kinds())


def test_each_comes_once_and_what_speaks_of_others_comes_last():
    words = ["sha256sums", "manifest", "raw", "spdx", "wic.bmap", "raw", "ota.tar.xz"]
    assert [kind.word for kind in parse_kinds(words)] == [
        "raw", "ota.tar.xz", "wic.bmap", "spdx", "manifest", "sha256sums",
    ]  # fmt: skip
