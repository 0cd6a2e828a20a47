# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from ostrya.formats.delta_name import DeltaName, delta_dir


def folder(sample, origin, to) -> str:
    return f"{sample.path}/{delta_dir(DeltaName(to, origin))}"


def test_from_the_parent(run, sample):
    done = run.ok("static-delta", "generate", sample.option, sample.second)
    assert done.out == (
        f"Generating static delta:\n  From: {sample.first}\n  To:   {sample.second}\n"
    )
    assert "part 1 n:" in done.err
    assert os.listdir(folder(sample, sample.first, sample.second))
    again = run.ok("static-delta", "generate", sample.option, "-n", f"--to={sample.second}")
    assert again.out == f"Delta {sample.first}-{sample.second} already exists.\n"


def test_from_nothing_as_json(run, sample, schema):
    argv = ("static-delta", "generate", sample.option, "--empty", "--json", sample.second)
    found = run.ok(*argv).json()
    schema(found, "static-delta-generate")
    assert found["from"] is None
    assert found["files"]["patch"] == 0


def test_elsewhere(run, sample, tmp_path):
    argv = ("static-delta", "generate", sample.option, "--empty", sample.second, "--inline")
    run.ok(*argv, f"--filename={tmp_path}/delta", "--swap-endianness", "--jobs=1")
    with open(tmp_path / "delta", "rb") as stream:
        assert b"ostree.endianness\0" in stream.read(200)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "TO revision must be specified"),
        (["--empty", "--from=r", "r"], "Cannot specify both --empty and --from=REV"),
        (["--empty", "--set-endianness=x", "COMMIT"], "Invalid endianness 'x'"),
        (["--empty", "--apply-memory=4", "COMMIT"], "less than 1M"),
        (["--empty", "--apply-memory=much", "COMMIT"], "is no size"),
        (["--empty", "--max-chunk-size=big", "COMMIT"], "is no number of megabytes"),
        (["--empty", "--jobs=0", "COMMIT"], "Invalid number of jobs 0"),
        (["--empty", "--filename=", "COMMIT"], "Invalid 'filename' parameter"),
        (["--empty", "--sign=x", "--sign-type=y", "COMMIT"], "y"),
    ],
)
def test_refused(run, sample, argv, message):
    words = [sample.second if word == "COMMIT" else word for word in argv]
    failed = run("static-delta", "generate", sample.option, *words)
    assert failed.status != 0
    assert message in failed.err
