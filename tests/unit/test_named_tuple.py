# SPDX-License-Identifier: Apache-2.0
"""It is held against ``typing``'s, which it stands for."""

from __future__ import annotations

import copy
import pickle
import typing
from typing import Generic, Self, TypeVar

import pytest

from ostrya import named_tuple

T = TypeVar("T")


class Ours(named_tuple.NamedTuple):
    """A value."""

    one: int
    two: str = "2"
    three: bytes | None = None

    @property
    def both(self) -> str:
        return f"{self.one}{self.two}"

    @classmethod
    def of(cls, one: int) -> Ours:
        return cls(one)


class Theirs(typing.NamedTuple):
    """A value."""

    one: int
    two: str = "2"
    three: bytes | None = None


class Below(Ours):
    def __new__(cls, one: int) -> Self:
        return super().__new__(cls, one, "below")


class Nothing(named_tuple.NamedTuple):
    pass


class Of(named_tuple.NamedTuple, Generic[T]):
    what: T


class WithSuper(named_tuple.NamedTuple):
    one: int

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other)

    def __hash__(self) -> int:
        return super().__hash__()


@pytest.mark.parametrize("cls", [Ours, Theirs])
def test_what_typing_promises(cls):
    value = cls(1, three=b"3")
    assert value == (1, "2", b"3")
    assert (value.one, value.two, value.three) == (1, "2", b"3")
    assert cls._fields == cls.__match_args__ == ("one", "two", "three")
    assert cls._field_defaults == {"two": "2", "three": None}
    assert value._replace(two="x") == (1, "x", b"3")
    assert type(value._replace(two="x")) is cls
    assert value._asdict() == {"one": 1, "two": "2", "three": b"3"}
    assert cls._make(iter([1, 2, 3])) == (1, 2, 3)
    assert repr(value) == f"{cls.__name__}(one=1, two='2', three=b'3')"
    assert type(value).__mro__ == (cls, tuple, object)
    assert (cls.__doc__, cls.__module__) == ("A value.", __name__)
    assert not hasattr(value, "__dict__")
    for other in (pickle.loads(pickle.dumps(value)), copy.copy(value), copy.deepcopy(value)):
        assert (other, type(other)) == (value, cls)
    match value:
        case cls(one, two):
            assert (one, two) == (1, "2")


@pytest.mark.parametrize("cls", [Ours, Theirs])
def test_what_typing_refuses(cls):
    for arguments, named in (((), {}), ((1, 2, 3, 4), {}), ((1,), {"four": 4}), ((1,), {"one": 1})):
        with pytest.raises(TypeError):
            cls(*arguments, **named)
    with pytest.raises(TypeError, match="Expected 3 arguments, got 1"):
        cls._make([1])
    with pytest.raises(ValueError, match="unexpected field names"):
        cls(1)._replace(four=4)
    with pytest.raises(AttributeError):
        cls(1).one = 2


@pytest.mark.parametrize("module", [named_tuple, typing])
def test_a_field_behind_a_default_needs_one(module):
    base = module.NamedTuple
    with pytest.raises(TypeError):

        class Wrong(base):
            one: int = 1
            two: int


def test_methods_and_heirs():
    assert (Ours(1).both, Ours.of(3)) == ("12", (3, "2", None))
    assert (Below(7), type(Below(7))) == ((7, "below", None), Below)
    assert Below(7).both == "7below"


def test_an_heir_may_come_first():
    class Base(named_tuple.NamedTuple):
        one: int

    class Heir(Base):
        pass

    assert type(Heir(1)) is Heir
    assert type(Base(1)) is Base


def test_generic_empty_and_super():
    assert Of[int](3) == (3,)
    assert Of.__parameters__ == (T,)
    assert Nothing() == ()
    assert WithSuper(1) == WithSuper(1)
    assert len({WithSuper(1), WithSuper(1)}) == 1
