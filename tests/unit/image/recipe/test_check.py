# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.recipe.check import find_missing, find_problems
from ostrya.image.recipe.located import parse_located


def problems(text):
    return [str(one) for one in find_problems(parse_located(text, "r"))]


def test_all_that_is_wrong_is_told_in_the_order_of_lines():
    text = 'nam = "x"\n[kernel]\narguments = ["a b", 3]\n[[users]]\nuid = -1\nname = "Bad"\n'
    assert problems(text) == [
        "r:1: nobody knows the key 'nam'; did you mean 'name'?",
        "r:3: kernel.arguments: 'a b' is no kernel argument: one word",
        "r:3: kernel.arguments is a number, not text",
        "r:5: users.uid is -1, not from 0 to 4294967294",
        "r:6: users.name: 'Bad' is no account's name: small letters, digits, - and _",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("size = 5", "size is a number, not text"),
        ("timestamp = true", "timestamp is a truth value, not a number"),
        ("timestamp = 1.5", "timestamp is a fraction, not a number"),
        ("version = 2020-01-01", "version is a time, not text"),
        ("source = []", "source is a list, not a table"),
        ("users = {}", "users is a table, not a list of tables"),
        ("users = ['x']", "users is text, not a table"),
        ("outputs = 'raw'", "outputs is text, not a list of texts"),
        ("provisioning = {enable = 'yes'}", "provisioning.enable is text, not true or false"),
        ("remotes = [{settings = {x = []}}]", "remotes.settings.x is neither text nor number nor"),
        ("source = {kind = 'tra'}", "not one of auto, directory"),
        ("source = {kind = 'tra'}", "did you mean 'tar'?"),
        ("source = {path = ''}", "source.path is empty"),
        ('version = "\\u0000"', "version has a zero byte in it"),
        ("profile = {x = 3}", "profile.x is a number, not a table"),
        ("profile = {x = {include = []}}", "nobody knows the key 'include' in [profile.x]"),
        ("profile = {x = {kernel = {argument = []}}}", "did you mean 'arguments'?"),
        ("zzzzzzzz = 1", "known are board, convert, "),
    ],
)
def test_wrong_values(text, said):
    (problem,) = problems(text)
    assert said in problem


def test_what_is_right_is_taken():
    text = """
    size = "4G"
    [update.settings]
    "core.min-free-space-percent" = 5
    [[network.interfaces]]
    name = "eth0"
    addresses = ["192.0.2.7/24", "2001:db8::7/64"]
    [profile.debug]
    kernel.arguments = ["debug"]
    """
    assert problems(text) == []


def test_what_is_required_may_be_missing_until_all_is_joined():
    found = parse_located("[[users]]\nuid = 5\n[[overlays]]\n", "r")
    assert find_problems(found) == []
    assert [str(one) for one in find_missing(found)] == [
        "r:3: overlays.path is missing",
        "r:1: users.name is missing",
    ]
