# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.customize.users import set_up_users
from ostrya.image.errors import SourceError
from ostrya.image.recipe.values import Account, Recipe

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJabcdefghij me"


def recipe(*users, root=None):
    return Recipe("r", users=users, root=root or Account("root"))


def test_an_account_has_a_home_and_keys(places, said):
    set_up_users(places, recipe(Account("me", ssh_keys=(KEY,))), said.append)
    home = "var/rootdirs/home/me"
    assert places.read_text("/home/me/.profile") == "# mine\n"
    assert places.read_text("/home/me/.ssh/authorized_keys") == f"{KEY}\n"
    header = places.editor.header(f"{home}/.ssh/authorized_keys")
    assert header[:3] == (1000, 1000, 0o100600)
    assert f"d /{home} 0700 1000 1000 -\n" in places.read_text(
        "/usr/lib/tmpfiles.d/ostrya-users.conf"
    )
    assert places.read_text("/usr/share/ostrya/ssh-keys/me") == f"{KEY}\n"
    assert said == ["account me (1000:1000)"]
    assert places.editor.header("usr/etc/shadow")[:3] == (0, 42, 0o100640)


def test_root_has_keys_where_it_is_at_home(places, said):
    set_up_users(places, recipe(root=Account("root", ssh_keys=(KEY,))), said.append)
    assert places.editor.read("var/roothome/.ssh/authorized_keys") == f"{KEY}\n".encode()


def test_keys_of_files(places, said, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text(f"# us\n{KEY}\n\n{KEY}\n")
    set_up_users(places, recipe(Account("me", ssh_key_files=(str(keys),))), said.append)
    assert places.read_text("/home/me/.ssh/authorized_keys") == f"{KEY}\n"
    keys.write_text("# us\nnonsense\n")
    with pytest.raises(SourceError, match=r"keys:2: this is no public SSH key"):
        set_up_users(places, recipe(Account("you", ssh_key_files=(str(keys),))), said.append)


def test_without_accounts_nothing_changes(places, said):
    before = places.read_text("/etc/passwd")
    set_up_users(places, recipe(), said.append)
    assert (places.read_text("/etc/passwd"), said) == (before, [])
