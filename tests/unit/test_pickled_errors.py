# SPDX-License-Identifier: Apache-2.0
"""Errors that cross process borders; from real workers, see ``test_workers``."""

from __future__ import annotations

import pytest

from ostrya.errors import OstryaError
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.pickled_errors import pickle_error, raise_pickled
from ostrya.repo.errors import ObjectInvalid, ObjectNotFound

NAME = ObjectName("ab" * 32, ObjectType.COMMIT)


def test_it_is_the_same_error():
    with pytest.raises(ObjectNotFound) as caught:
        raise_pickled(pickle_error(ObjectNotFound(NAME)))
    assert caught.value.name == NAME


def test_what_it_is_about_is_kept():
    error = ObjectInvalid(NAME, "no end")
    error.put_first("While fetching it")
    with pytest.raises(ObjectInvalid, match=r"^While fetching it: Object .* is invalid: no end$"):
        raise_pickled(pickle_error(error))


def test_words_are_kept_of_what_cannot_be_pickled():
    class Local(Exception):
        pass

    with pytest.raises(OstryaError, match="Local: words"):
        raise_pickled(pickle_error(Local("words")))
