# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pickle

import pytest

from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo import errors

SUM = "ab" * 32
FILE, TREE = ObjectName(SUM, ObjectType.FILE), ObjectName(SUM, ObjectType.DIR_TREE)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (errors.ObjectNotFound(FILE), f"Couldn't find file object '{SUM}'"),
        (errors.ObjectNotFound(TREE), f"No such metadata object {SUM}.dirtree"),
        (errors.RefNotFound("origin:x"), "Refspec 'origin:x' not found"),
        (errors.ObjectInvalid(TREE, "odd"), f"Object {SUM}.dirtree is invalid: odd"),
        (
            errors.ChecksumMismatch(TREE, "c" * 64),
            f"Corrupted dirtree object; checksum expected='{SUM}' actual='{'c' * 64}'",
        ),
    ],
)
def test_sentences_that_scripts_compare(error, sentence):
    assert str(error) == error.message == sentence
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == sentence
    assert getattr(again, "name", None) == getattr(error, "name", None)
