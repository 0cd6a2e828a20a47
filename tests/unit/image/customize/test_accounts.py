# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.customize.accounts import Accounts
from ostrya.image.errors import SourceError
from ostrya.image.recipe.values import Account, Group

TEXTS = {
    "passwd": "root:x:0:0:root:/root:/bin/bash\nme:x:1000:1000::/home/me:/bin/sh\n",
    "group": "root:x:0:\nsudo:x:27:other\nme:x:1000:\n",
    "shadow": "root:*:19000:0:99999:7:::\n",
    "gshadow": "sudo:*::other\n",
}


def accounts(**more):
    return Accounts({**TEXTS, **more}, shell="/bin/bash")


def test_without_changes_files_stay_as_they_are():
    assert accounts().texts() == TEXTS
    assert Accounts({"passwd": TEXTS["passwd"]}).texts() == {"passwd": TEXTS["passwd"]}


def test_a_new_user_has_the_first_free_number_and_a_group_of_its_own():
    found = accounts()
    identity = found.add_user(Account("new", groups=("sudo", "wheel"), comment="A person"))
    assert identity == ("new", 1001, 1001, "/home/new")
    texts = found.texts()
    assert texts["passwd"].endswith("new:x:1001:1001:A person:/home/new:/bin/bash\n")
    assert texts["shadow"].endswith("new:!::0:99999:7:::\n")
    assert "sudo:x:27:other,new\n" in texts["group"]
    assert texts["group"].endswith("new:x:1001:\nwheel:x:999:new\n")
    assert "sudo:*::other,new\n" in texts["gshadow"]


def test_one_that_is_there_is_changed_and_keeps_its_number():
    found = accounts()
    wanted = Account("root", password_hash="$y$x$y", shell="/bin/sh")
    assert found.add_user(wanted).uid == 0
    texts = found.texts()
    assert texts["passwd"].startswith("root:x:0:0:root:/root:/bin/sh\n")
    assert texts["shadow"] == "root:$y$x$y::0:99999:7:::\n"
    with pytest.raises(SourceError, match="user me is 1000 in the tree, and 7 in the recipe"):
        found.add_user(Account("me", uid=7))


def test_system_users_come_from_the_top():
    found = accounts()
    assert found.add_user(Account("svc", system=True))[1:] == (999, 999, "/nonexistent")
    assert "svc:x:999:999::/nonexistent:/usr/sbin/nologin\n" in found.texts()["passwd"]


def test_no_number_is_given_twice():
    found = accounts()
    with pytest.raises(SourceError, match="number 1000 is to be new's, and me has it"):
        found.add_user(Account("new", uid=1000))
    with pytest.raises(SourceError, match="number 27 is to be new's, and sudo has it"):
        found.add_group(Group("new", 27))
    with pytest.raises(SourceError, match="group sudo is 27 in the tree, and 28 in the recipe"):
        found.add_group(Group("sudo", 28))


def test_the_same_twice_is_the_same():
    found = accounts()
    found.add_user(Account("new", groups=("sudo",)))
    first = found.texts()
    found.add_user(Account("new", groups=("sudo",)))
    assert found.texts() == first
