# SPDX-License-Identifier: Apache-2.0
from hypothesis import given, settings
from hypothesis import strategies as st

from ostrya.image.accounts import (
    Accounts,
    find_drift,
    merge_accounts,
    parse_accounts,
    rewrite_accounts,
    settle_numbers,
)

PASSWD = """\
root:x:0:0:root:/root:/bin/bash
# a comment
sshd:x:101:65534::/run/sshd:/usr/sbin/nologin
+nis::::::
broken:x:abc:1::/:/bin/sh
short:x:5
huge:x:99999999999:1::/:/bin/sh
"""


def accounts(**users: int) -> Accounts:
    return Accounts(users, {})


def sentences(old: dict[str, int], new: dict[str, int]) -> list[str]:
    return [one.sentence() for one in find_drift(Accounts(old, {}), Accounts(new, {}))]


def test_who_there_is():
    found = parse_accounts(PASSWD, "root:x:0:\nadm:x:4:syslog\n")
    assert found == ({"root": 0, "sshd": 101}, {"root": 0, "adm": 4})
    merged = merge_accounts(accounts(a=1), accounts(a=2, b=3))
    assert merged.users == {"a": 1, "b": 3}


def test_what_is_no_drift():
    assert sentences({"a": 1, "gone": 2}, {"a": 1, "new": 3}) == []


def test_what_is():
    assert sentences({"a": 101}, {"a": 102}) == ["user a has 102; it had 101"]
    assert sentences({"a": 101, "b": 102}, {"a": 102, "b": 101}) == [
        "user a has 102, which was b's; it had 101",
        "user b has 101, which was a's; it had 102",
    ]
    assert sentences({"a": 101}, {"b": 101}) == ["user b is new and has 101, which was a's"]


def test_groups_too():
    found = find_drift(Accounts({}, {"adm": 4}), Accounts({}, {"adm": 5}))
    assert [one.kind for one in found] == ["group"]


def test_numbers_that_were_shared_may_be_shared():
    assert sentences({"a": 0, "b": 0}, {"a": 0, "b": 0}) == []


def test_numbers_are_given_back():
    assert settle_numbers({"a": 101, "b": 102}, {"a": 102, "b": 101}) == {102: 101, 101: 102}
    assert settle_numbers({"a": 101}, {"a": 101, "c": 102}) == {}
    # Whoever is in the way gets another one.
    assert settle_numbers({"a": 101}, {"a": 102, "c": 101}) == {102: 101, 101: 999}
    assert settle_numbers({"gone": 1000}, {"c": 1000}) == {1000: 1001}


NAMES = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(100, 110), max_size=8).filter(
    lambda found: len(set(found.values())) == len(found)
)


@settings(deadline=None)
@given(NAMES, NAMES)
def test_afterwards_there_is_no_drift_and_nobody_shares(old, new):
    mapping = settle_numbers(old, new)
    after = {name: mapping.get(number, number) for name, number in new.items()}
    assert find_drift(Accounts(old, {}), Accounts(after, {})) == []
    assert len(set(after.values())) == len(after)


def test_files_are_rewritten_and_all_else_stays():
    changed = rewrite_accounts(PASSWD, "user", {101: 7}, {65534: 9})
    assert changed == PASSWD.replace("sshd:x:101:65534", "sshd:x:7:9")
    assert rewrite_accounts("adm:x:4:a,b", "group", {4: 1}, {4: 5}) == "adm:x:5:a,b"
