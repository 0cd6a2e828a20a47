# SPDX-License-Identifier: Apache-2.0
"""Errors that cross process borders; from real workers, see ``test_workers``."""

from __future__ import annotations

import pytest

from ostrya.errors import OstryaError
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.pickled_errors import pickle_error, raise_pickled
from ostrya.repo.errors import ObjectNotFound

NAME = ObjectName("ab" * 32, ObjectType.COMMIT)


def test_it_is_the_same_error():
    with pytest.raises(ObjectNotFound) as caught:
        raise_pickled(pickle_error(ObjectNotFound(NAME)))
    assert caught.value.name == NAME


def test_words_are_kept_of_what_cannot_be_pickled():
    class Local(Exception):
        pass

    with pytest.raises(OstryaError, match="Local: words"):
        raise_pickled(pickle_error(Local("words")))
