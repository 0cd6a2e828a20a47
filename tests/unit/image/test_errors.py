# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.errors import ImageError
from ostrya.image import errors

ERRORS = [
    errors.LayoutError, errors.BoardError, errors.SourceError,
    errors.OutputError, errors.DiskError, errors.FlashError,
]  # fmt: skip


@pytest.mark.parametrize("kind", ERRORS)
def test_they_are_of_one_family(kind):
    assert issubclass(kind, ImageError)
    assert kind("a sentence").exit_code == 60
