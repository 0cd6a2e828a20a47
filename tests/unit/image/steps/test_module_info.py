# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.errors import SourceError
from ostrya.image.steps.module_info import close_dependencies, decode_module
from support.kernel_modules import make_module

ITEMS = ("name=ext4", "depends=jbd2,crc16", "alias=fs-ext4", "alias=ext3", "softdep=pre: crc32c")


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("order", ["<", ">"])
def test_what_a_module_says(bits, order):
    info = decode_module(make_module(*ITEMS, bits=bits, order=order))
    assert info == (("jbd2", "crc16"), ("fs-ext4", "ext3"), ("pre: crc32c",))


def test_a_module_that_says_nothing():
    assert decode_module(make_module()) == ((), (), ())
    assert decode_module(make_module("depends=", "odd", "alias=a\nb")) == ((), ("a b",), ())


@pytest.mark.parametrize("data", [b"", b"no module", make_module()[:70], b"\x7fELF" + bytes(60)])
def test_what_is_none(data):
    with pytest.raises(SourceError):
        decode_module(data)


def test_what_is_needed_by_others_stands_behind_them():
    needs = {"a": ("b", "c"), "b": ("d",), "c": ("d", "builtin"), "d": ()}
    found = close_dependencies(needs, "a")
    assert set(found) == {"b", "c", "d"}
    assert found[-1] == "d"
    assert close_dependencies(needs, "d") == []


def test_circles_end():
    needs = {"a": ("b",), "b": ("c",), "c": ("a", "b")}
    assert set(close_dependencies(needs, "a")) == {"b", "c"}


def test_long_chains():
    needs = {f"m{at}": (f"m{at + 1}",) for at in range(5000)}
    assert len(close_dependencies(needs, "m0")) == 4999
