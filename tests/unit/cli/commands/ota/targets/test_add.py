# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest


def test_a_file_and_a_commit(run, made):
    folder, path = made
    words = ["--hardware-id=board", folder]
    assert run.ok("ota", "targets", "add", "fw-1", path, *words).out == "fw-1\n"
    commit = "ab" * 32
    done = run.ok("ota", "targets", "add", f"--commit={commit}", "--name=os", *words)
    assert done.out == f"os-{commit}\n"


@pytest.mark.parametrize(
    ("words", "status"),
    [([], 2), (["fw"], 2), (["--commit=x"], 2), (["fw", "{}"], 70), (["--commit=x", "fw", "--hardware-id=b"], 70), (["fw", "/nothing", "--hardware-id=b"], 1)],
)  # fmt: skip
def test_refused(run, made, words, status):
    folder, path = made
    run.fails("ota", "targets", "add", folder, *[one.format(path) for one in words], status=status)
    assert run.ok("ota", "targets", "list", folder).out == ""
