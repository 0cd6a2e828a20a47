# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.errors import ImageError
from ostrya.image import errors


@pytest.mark.parametrize("kind", [errors.LayoutError, errors.BoardError, errors.SourceError])
def test_they_are_of_one_family(kind):
    assert issubclass(kind, ImageError)
    assert kind("a sentence").exit_code == 60
