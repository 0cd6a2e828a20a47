# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pickle
from errno import EEXIST, ENOSPC

import pytest

from ostrya._linux.naming import Below, KnownPath, has_name, name_below, name_error, names_repo

FULL = "No space left on device"


@pytest.mark.parametrize(
    ("names", "path"),
    [
        ((), "place"),
        ((7,), "place"),
        (("a/b",), "place/a/b"),
        ((".",), "place"),
        (("place",), "place"),
        (("/absolute",), "/absolute"),
        (("/proc/self/fd/7",), "place"),
        (("/proc/self/fd/7/a",), "place/a"),
        (("from", None, "to"), "place/to"),
    ],
)
def test_below_a_place(names, path):
    error = OSError(ENOSPC, FULL, *names)
    name_below(error, "place")
    assert (error.filename, error.filename2) == (path, None)


def test_only_once():
    error = OSError(ENOSPC, FULL)
    name_error(error, "first")
    name_error(error, "second")
    name_below(error, "third")
    again = pickle.loads(pickle.dumps(error))
    name_below(again, "fourth")
    assert error.filename == again.filename == "first"
    assert isinstance(again.filename, KnownPath)


def test_a_sentence_of_our_own_is_left_alone():
    error = FileExistsError(EEXIST, "mkdirat(out): File exists")
    name_below(error, "place")
    assert error.filename is None


@pytest.mark.parametrize(
    ("name", "has"), [(None, False), (3, False), ("/proc/self/fd/3", False), ("a", True)]
)
def test_whether_there_is_a_name(name, has):
    error = OSError(ENOSPC, FULL) if name is None else OSError(ENOSPC, FULL, name)
    assert has_name(error) == has


def test_a_block():
    with pytest.raises(OSError, match="place/a"), Below("place"):
        raise OSError(ENOSPC, FULL, "a")


def test_a_function_of_a_repository():
    class Repo:
        path = "repo"

    @names_repo
    def fail(_repo, name):
        raise OSError(ENOSPC, FULL, name)

    with pytest.raises(OSError, match="repo/a"):
        fail(Repo(), "a")
