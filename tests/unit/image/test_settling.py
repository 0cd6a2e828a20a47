# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.errors import ConversionError
from ostrya.image.owners import read_accounts
from ostrya.image.recipe.values import ConvertWish
from ostrya.image.settling import accounts_before, settle
from ostrya.image.tree import TreeEditor
from ostrya.tree.mutable_tree import MutableTree

PASSWD = b"a:x:%d:1000::/:/bin/sh\n"


@pytest.fixture
def editor(tx):
    editor = TreeEditor(tx, MutableTree())
    editor.write("usr/etc/passwd", PASSWD % 1000)
    editor.write("usr/etc/group", b"")
    return editor


def test_what_differs_from_before_is_an_error(editor):

    before = read_accounts(editor)
    assert settle(editor, before, ConvertWish()) == ()
    editor.write("usr/etc/passwd", PASSWD % 1001)
    with pytest.raises(ConversionError):
        settle(editor, before, ConvertWish())
    assert settle(editor, before, ConvertWish(accounts="accept"))
    assert settle(editor, None, ConvertWish()) == ()


def test_the_first_release_has_none_before_it(repo):
    assert accounts_before(repo, repo, "os/stable") is None
