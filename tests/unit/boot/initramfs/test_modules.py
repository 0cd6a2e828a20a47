# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.boot.errors import InitramfsError
from ostrya.boot.initramfs.modules import (
    aliases_of,
    buses_of,
    close_modules,
    format_dep,
    has_module,
    module_name,
    parse_index,
)

DEP = """\
kernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko kernel/fs/mbcache.ko kernel/lib/crc16.ko
kernel/fs/jbd2/jbd2.ko:
kernel/fs/mbcache.ko:
kernel/lib/crc16.ko:
kernel/crypto/crc32c-generic.ko:
kernel/arch/crc32c-intel.ko: kernel/lib/crc16.ko
kernel/drivers/virtio-pci.ko: kernel/drivers/virtio_ring.ko kernel/drivers/virtio.ko
kernel/drivers/virtio_ring.ko: kernel/drivers/virtio.ko
kernel/drivers/virtio.ko:
kernel/drivers/late.ko:
kernel/lib/soft.ko:
"""
SOFT = """\
# Soft dependencies
softdep ext4 pre: crc32c soft absent built_in
softdep virtio_pci pre: post: late
"""
ALIAS = """\
alias crc32c crc32c_generic
alias crc32c crc32c_intel
alias pci:v1AF4d*sv* virtio_pci
alias fs-ext4 ext4
nonsense
"""
INDEX = parse_index(DEP, builtin="kernel/drivers/built-in.ko\n", softdep=SOFT, alias=ALIAS)


def test_a_module_comes_after_what_it_needs():
    assert close_modules(INDEX, ["virtio-pci"]) == ["virtio", "virtio_ring", "virtio_pci", "late"]


def test_soft_dependencies_by_alias_too():
    order = close_modules(INDEX, ["ext4"])
    assert order[-1] == "ext4"
    assert set(order[:-1]) == {
        "crc16", "mbcache", "jbd2", "crc32c_generic", "crc32c_intel", "soft",
    }  # fmt: skip
    assert order.index("crc16") < order.index("crc32c_intel")


def test_none_comes_twice():
    order = close_modules(INDEX, ["ext4", "crc16", "ext4", "jbd2"])
    assert len(order) == len(set(order))


def test_what_is_built_in_needs_no_file():
    assert close_modules(INDEX, ["built-in"]) == []
    assert not has_module(INDEX, "built_in")


def test_what_is_not_there():
    with pytest.raises(InitramfsError, match="'absent' is not there"):
        close_modules(INDEX, ["absent"])
    broken = parse_index("a.ko: b.ko\n")
    with pytest.raises(InitramfsError, match="'b' is not there"):
        close_modules(broken, ["a"])


def test_circles_of_soft_dependencies_end():
    index = parse_index("a.ko:\nb.ko:\n", softdep="softdep a pre: b\nsoftdep b pre: a\n")
    assert sorted(close_modules(index, ["a"])) == ["a", "b"]
    assert format_dep(index, ["a", "b"]) == "a.ko: b.ko\nb.ko: a.ko\n"


def test_a_line_that_is_none():
    with pytest.raises(InitramfsError, match="is no line of it"):
        parse_index("kernel/a.ko\n")
    with pytest.raises(InitramfsError, match="is no line of it"):
        parse_index("kernel/a b.ko:\n")
    with pytest.raises(InitramfsError, match="is no line of it"):
        parse_index("../../etc/a.ko:\n")
    with pytest.raises(InitramfsError, match="is no line of it"):
        parse_index("a.ko.ko:\n")


def test_what_is_written_says_all_that_must_be_loaded_first_and_nothing_that_follows():
    written = format_dep(INDEX, close_modules(INDEX, ["ext4", "virtio_pci"]))
    again = parse_index(written)
    assert again.paths["ext4"] == "kernel/fs/ext4/ext4.ko"
    assert set(again.needs["ext4"]) == {
        "jbd2",
        "mbcache",
        "crc16",
        "soft",
    }
    # The last one is loaded first.
    assert again.needs["virtio_pci"] == ("virtio_ring", "virtio")
    assert written == format_dep(INDEX, reversed(close_modules(INDEX, ["ext4", "virtio_pci"])))


def test_aliases_of_what_is_there():
    order = close_modules(INDEX, ["virtio_pci"])
    pattern = "pci:v1AF4d*sv*"
    assert aliases_of(INDEX, order) == [(pattern, "virtio_pci"), (pattern, "late")]


def test_buses_of_what_is_there():
    text = "alias of:N*T*Cbrcm,x a\nalias fs-x b\nalias virtio:d2v* c\nalias usb:v* d\nalias pci:v* e\n"
    index = parse_index("a.ko:\nb.ko:\nc.ko:\nd.ko:\n", alias=text)
    assert buses_of(index, ["a", "b", "c", "d"]) == ["amba", "platform", "usb", "virtio"]
    assert buses_of(index, ["b"]) == []


@pytest.mark.parametrize("name", ["a-b", "a_b", "kernel/x/a-b.ko", "x/a_b.ko.zst", "a-b.ko.xz"])
def test_names(name):
    assert module_name(name) == "a_b"
