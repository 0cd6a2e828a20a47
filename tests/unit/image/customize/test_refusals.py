# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.customize.refusals import Refusals
from ostrya.image.errors import ConversionError, SourceError


def test_one_stays_what_it_was():
    refusals = Refusals()
    refusals.raise_any()
    only = SourceError("a", hint="b")
    with refusals.gather():
        raise only
    with pytest.raises(SourceError) as caught:
        refusals.raise_any()
    assert caught.value is only


def test_many_are_told_at_once():
    refusals = Refusals()
    for message, hint in (("a", "x"), ("b", ""), ("c", "x"), ("d", "y")):
        with refusals.gather():
            raise SourceError(message, hint=hint)
    with pytest.raises(ConversionError) as caught:
        refusals.raise_any()
    assert caught.value.problems == ("a", "b", "c", "d")
    assert caught.value.hint == "x; y"


def test_what_is_no_refusal_goes_on():
    with pytest.raises(OSError, match="disk"), Refusals().gather():
        raise OSError("disk")
