# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.boot.initramfs.build import InitramfsOptions
from ostrya.image import ramdisk as module
from ostrya.image.cache import Cache
from ostrya.image.ramdisk import is_known, ramdisk_for
from ostrya.image.tree import TreeEditor
from ostrya.tree.mutable_tree import MutableTree

OPTIONS = InitramfsOptions("6.1")


class Made:
    def __init__(self, data):
        self.data = data


@pytest.fixture
def editor(tx):
    editor = TreeEditor(tx, MutableTree())
    editor.write("usr/lib/modules/6.1/modules.dep", b"dep")
    editor.link("lib", "usr/lib")
    return editor


@pytest.fixture
def built(monkeypatch):
    """Stand in for the builder, which asks in all ways that there are; say how often it ran."""
    runs = []

    def build(tree, options):
        runs.append(options)
        parts = [
            tree.read("lib/modules/6.1/modules.dep"),
            repr(tree.names("usr/lib/modules")).encode(),
            repr(tree.find_file("etc/absent")).encode(),
            repr(tree.find_dir("usr/lib/firmware")).encode(),
            tree.resolve("usr/bin/sh").encode(),
            tree.read_text("usr/lib/x.conf").encode(),
        ]
        return Made(b"|".join(parts))

    monkeypatch.setattr(module, "build_initramfs", build)
    return runs


def test_it_is_built_again_when_an_answer_changes(editor, built, tmp_path):
    cache = Cache(str(tmp_path / "cache"))
    first, was_there = ramdisk_for(editor, OPTIONS, cache, "code")
    assert not was_there
    assert ramdisk_for(editor, OPTIONS, cache, "code") == (first, True)
    editor.write("usr/bin/unrelated", b"x")
    assert ramdisk_for(editor, OPTIONS, cache, "code") == (first, True)
    assert len(built) == 1
    for change in (
        lambda: editor.write("usr/lib/modules/6.1/modules.dep", b"other"),
        lambda: editor.make_dir("usr/lib/modules/6.2"),
        lambda: editor.write("etc/absent", b""),
        lambda: editor.make_dir("usr/lib/firmware"),
        lambda: editor.link("usr/bin/sh", "dash"),
        lambda: editor.write("usr/lib/x.conf", b"set"),
    ):
        change()
        assert not is_known(editor, OPTIONS, cache, "code")
        data, was_there = ramdisk_for(editor, OPTIONS, cache, "code")
        assert not was_there
        assert ramdisk_for(editor, OPTIONS, cache, "code") == (data, True)
        assert is_known(editor, OPTIONS, cache, "code")
    assert len(built) == 7


def test_options_and_code_are_part_of_it(editor, built, tmp_path):
    cache = Cache(str(tmp_path / "cache"))
    ramdisk_for(editor, OPTIONS, cache, "code")
    assert not ramdisk_for(editor, OPTIONS._replace(modules=("loop",)), cache, "code")[1]
    assert not ramdisk_for(editor, OPTIONS, cache, "newer")[1]
