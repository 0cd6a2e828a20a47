# SPDX-License-Identifier: Apache-2.0
"""In interpreters of their own: what is loaded, and in which order, is what this is about."""

from __future__ import annotations

import subprocess
import sys

import pytest

SAME = "assert ours.error is pycurl.error and ours.Curl is pycurl.Curl; pycurl.AsyncCurlMulti"


def python(code: str, *, path: str = "") -> str:
    argv = [sys.executable, "-c", f"import sys; sys.path.insert(0, {path!r})\n{code}"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_asyncio_is_left_alone():
    code = "from ostrya.fetch.curl import pycurl\nprint('pycurl.async_multi' in sys.modules)"
    assert python(code) == "False"


@pytest.mark.parametrize(
    "imports",
    [
        "from ostrya.fetch.curl import pycurl as ours\nimport pycurl\n",
        "import pycurl\nfrom ostrya.fetch.curl import pycurl as ours\n",
    ],
    ids=["ours-first", "theirs-first"],
)
def test_others_get_the_same(imports):
    python(imports + SAME)


def test_one_that_is_no_package(tmp_path):
    (tmp_path / "pycurl.py").write_text("version = 'of one file'\n")
    code = "from ostrya.fetch.curl import pycurl\nprint(pycurl.version)"
    assert python(code, path=str(tmp_path)) == "of one file"


def test_one_that_is_not_there():
    code = (
        "from importlib.machinery import PathFinder\n"
        "real = PathFinder.find_spec.__func__\n"
        "PathFinder.find_spec = classmethod("
        "lambda cls, name, *more: None if name == 'pycurl' else real(cls, name, *more))\n"
        "try: import ostrya.fetch.curl\n"
        "except ModuleNotFoundError as exc: print(exc.name)\n"
    )
    assert python(code) == "pycurl"
