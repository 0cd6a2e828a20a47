# SPDX-License-Identifier: Apache-2.0
"""The errors of trees: their families, and their way out of a worker process."""

from __future__ import annotations

import pickle

import pytest

from ostrya.errors import FormatError, IntegrityError, RepoError
from ostrya.formats.checksum import Checksum
from ostrya.tree import errors

ACTUAL, EXPECTED = Checksum("a" * 64), Checksum("e" * 64)


@pytest.mark.parametrize(
    ("error", "family"),
    [
        (errors.ImageDigestMismatch(ACTUAL, EXPECTED), IntegrityError),
        (errors.PolicyError("x"), RepoError),
        (errors.ContextsError("x"), FormatError),
    ],
)
def test_families(error, family):
    assert isinstance(error, family)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (again.message, again.__dict__) == (error.message, error.__dict__)


def test_a_mismatch_says_what_and_what_instead():
    assert errors.ImageDigestMismatch(ACTUAL, EXPECTED).message == (
        f"Generated composefs image digest ({ACTUAL}) doesn't match expected digest ({EXPECTED})"
    )
