# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.boot import kargs
from ostrya.boot.errors import KernelArgumentError
from ostrya.boot.kargs import KernelArgument, KernelArguments

LINE = "root=LABEL=a quiet console=tty0 empty= console=ttyS0"


@pytest.fixture
def line() -> KernelArguments:
    return KernelArguments.parse(LINE)


def test_what_is_read_is_written(line):
    assert str(line) == LINE
    assert line[:2] == (KernelArgument("root", "LABEL=a"), KernelArgument("quiet", None))
    assert line.values("console") == ("tty0", "ttyS0")
    assert line.last_value("console") == "ttyS0"
    assert line.last_value("nothing") is None
    assert line.values("empty") == ("",)
    assert line.has("quiet")
    assert not line.has("qui")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("   ", []),
        (" a  b ", ["a", "b"]),
        ('a="b c" d', ['a="b c"', "d"]),
        ('"a b"=c d', ['"a b"=c', "d"]),
        ('a "b c', ["a", '"b', "c"]),
        ('a="b c" d="e  f g', ['a="b c"', 'd="e', "f", "g"]),
        ("a\tb", ["a\tb"]),
    ],
)
def test_words(text, words):
    assert list(map(str, KernelArguments.parse(text))) == words


def test_the_running_kernels(line):
    text = 'BOOT_IMAGE=(hd0)/vmlinuz root=/dev/vda1 initrd=\\x.img init="a b"\n'
    assert str(KernelArguments.running(text)) == 'root=/dev/vda1 init="a b"'


def test_append(line):
    assert str(line.append("a=1 b")) == f"{LINE} a=1 b"
    assert str(line.append_if_missing("console=x")) == LINE
    assert str(line.append_if_missing("new=x")) == f"{LINE} new=x"
    assert kargs.join(["a", "b=c"]) == KernelArguments.parse("a b=c")


def test_set(line):
    changed = line.set("console=one")
    assert str(changed) == "root=LABEL=a quiet console=one empty="
    assert str(line.set("ostree=/x")) == f"{LINE} ostree=/x"
    assert str(line.without("console")) == "root=LABEL=a quiet empty="


def test_replace(line):
    assert str(line.replace("quiet")) == LINE
    assert line.replace("quiet=0").values("quiet") == ("0",)
    assert line.replace("console=tty0=tty1").values("console") == ("tty1", "ttyS0")
    assert line.replace("root=LABEL=a=LABEL=b").values("root") == ("LABEL=b",)
    assert line.replace("empty").values("empty") == (None,)
    both = line.replace("quiet=1 empty=2")
    assert (both.values("quiet"), both.values("empty")) == (("1",), ("2",))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("new=1", "No key 'new' found"),
        ("console=x", "Multiple values for key 'console' found"),
        ("console=x=y", "No karg 'console=x' found"),
    ],
)
def test_what_cannot_be_replaced(line, text, words):
    with pytest.raises(KernelArgumentError, match=words):
        line.replace(text)


def test_delete(line):
    assert line.delete("quiet").without("console") == KernelArguments.parse("root=LABEL=a empty=")
    assert line.delete("console=tty0").values("console") == ("ttyS0",)
    assert line.delete("console=tty0 console=ttyS0").values("console") == ()
    assert not line.delete("empty").has("empty")
    twice = KernelArguments.parse("a a=1 a=2")
    assert str(twice.delete("a")) == "a=1 a=2"
    assert line.delete_if_present("new=1") is line
    assert not line.delete_if_present("quiet").has("quiet")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("new", "No key 'new' found"),
        ("console", "Multiple values for key 'console' found"),
        ("console=x", "No karg 'console=x' found"),
        ("quiet=1", "No karg 'quiet=1' found"),
        ("quiet quiet", "No key 'quiet' found"),
    ],
)
def test_what_cannot_be_deleted(line, text, words):
    with pytest.raises(KernelArgumentError, match=words):
        line.delete(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('a="b c', "Kernel argument 'a=\"b' has a quote that does not end"),
        ("a=b\nc", "has more than one line"),
        ("a=\udcff", "is not valid UTF-8"),
    ],
)
def test_what_no_entry_can_hold(text, words):
    with pytest.raises(KernelArgumentError, match=words):
        KernelArguments.parse(f"quiet {text}").check()


def test_what_an_entry_can_hold():
    line = KernelArguments.parse('quiet dyndbg="file a.c +p" a= =b äöü')
    assert line.check() is line
