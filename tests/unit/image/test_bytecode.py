# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import py_compile
import subprocess
import sys

import pytest

from ostrya.image.bytecode import HEADER_BYTES, unbind


def compiled(source, mode=py_compile.PycInvalidationMode.TIMESTAMP):
    return py_compile.compile(str(source), invalidation_mode=mode)


def test_python_takes_it_whatever_the_time_is(tmp_path):
    source = tmp_path / "module.py"
    source.write_text("print('compiled')\n")
    cached = compiled(source)
    with open(cached, "rb+") as file:
        data = unbind(file.read())
        assert data is not None
        file.seek(0)
        file.write(data)
    source.write_text("print('from source')\n")
    os.utime(source, (0, 0))
    done = subprocess.run(
        [sys.executable, "-c", "import module"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "compiled\n"


def test_only_what_is_bound_to_a_time(tmp_path):
    source = tmp_path / "module.py"
    source.write_text("x = 1\n")
    with open(compiled(source), "rb") as file:
        data = unbind(file.read())
    assert unbind(data) is None
    with open(compiled(source, py_compile.PycInvalidationMode.CHECKED_HASH), "rb") as file:
        assert unbind(file.read()) is None


@pytest.mark.parametrize("data", [b"", b"x" * 100, b"ab\r\n", b"ab\r\n" + bytes(HEADER_BYTES - 4)])
def test_no_compiled_python(data):
    assert unbind(data) is None
