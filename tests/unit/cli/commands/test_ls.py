# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest


def test_columns(run, sample):
    assert run.ok(sample.option, "ls", "main").lines == [
        "d00755 0 0      0 /",
        "-00644 0 0      8 /file",
        "l00777 0 0      0 /link -> dir/inner",
        "-00644 0 0      6 /other",
        "d00755 0 0      0 /dir",
    ]


@pytest.mark.parametrize(
    ("options", "paths"),
    [
        (["-d", "main", "/dir"], ["/dir"]),
        (["main", "/dir"], ["/dir", "/dir/inner", "/dir/sub"]),
        (["main", "dir/inner", "file"], ["/dir/inner", "/file"]),
        (["-R", "main"], ["/", "/file", "/link", "/other", "/dir", "/dir/inner", "/dir/sub"]),
    ],
)
def test_what_is_listed(run, sample, options, paths):
    found = run.ok(sample.option, "ls", "--nul-filenames-only", *options).out
    assert found == "".join(f"{path}\0" for path in paths)
    assert len(run.ok(sample.option, "ls", *options).lines) == len(paths)


def test_checksums_and_attributes(run, sample):
    directory, file = run.ok(sample.option, "ls", "-C", "main", "/dir").lines[:2]
    assert [len(word) for word in directory.split()[4:6]] == [64, 64]
    assert [len(word) for word in file.split()[4:5]] == [64]
    found = run.ok(sample.option, "ls", "-X", "main", "/file").out
    assert found == "-00644 0 0      8 { @a(ayay) [] } /file\n"


def test_errors(run, sample):
    assert run.fails(sample.option, "ls") == "An COMMIT argument is required"
    message = run.fails(sample.option, "ls", "main", "/nope")
    assert message == "Inspecting path '/nope': No such file or directory: /nope"
    assert "Not a directory" in run.fails(sample.option, "ls", "main", "/file/x")


def test_json(run, sample, schema):
    found = run.ok(sample.option, "ls", "--json", "-R", "main").json()
    schema(found, "ls")
    assert [entry["path"] for entry in found][:3] == ["/", "/file", "/link"]
    assert found[2]["target"] == "dir/inner"
    assert found[0]["contents_checksum"]
