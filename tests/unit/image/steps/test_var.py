# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.policies import VarPolicy
from ostrya.image.steps.fragment import Wanted
from ostrya.image.steps.var import settle_var


@pytest.fixture
def var(editor):
    for path in ("lib/a/x", "lib/a/y", "lib/b/x", "cache/c"):
        editor.write(f"var/{path}", path.encode())
    editor.make_dir("var/empty")
    return editor


def left(editor) -> list[str]:
    return list(editor.files_below("var"))


def test_a_device_begins_with_all_of_it(var, report):
    assert settle_var(var, report, {}) == []
    assert len(left(var)) == 4
    assert report.decisions[0].sentence.endswith("/var/cache, /var/lib")


def test_the_longest_path_counts(var, report):
    policies = {
        "var": VarPolicy.DROP,
        "var/lib": VarPolicy.SEED,
        "var/lib/a": VarPolicy.DROP,
        "var/lib/a/y": VarPolicy.FACTORY,
    }
    wanted = settle_var(var, report, policies)
    assert left(var) == ["var/lib/b/x"]
    assert var.names("var") == ["lib"]
    assert wanted == [Wanted("C", "/var/lib/a/y")]
    assert var.read("usr/share/factory/var/lib/a/y") == b"lib/a/y"
    assert {(one.code, one.path) for one in report.decisions} == {
        ("var.drop", "/var/cache"),
        ("var.drop", "/var/empty"),
        ("var.drop", "/var/lib/a/x"),
        ("var.factory", "/var/lib/a/y"),
        ("var.seed", "/var"),
    }


def test_what_must_not_be_there(var, report):
    settle_var(var, report, {"var": VarPolicy.FAIL, "var/cache": VarPolicy.DROP})
    assert [one.sentence for one in report.conflicts] == ["there is something in /var/lib: 3 files"]


def test_empty_directories_are_nothing(editor, report):
    editor.make_dir("var/lib/empty")
    settle_var(editor, report, {"var": VarPolicy.FAIL})
    assert report.conflicts == []


def test_a_policy_for_what_is_not_there_is_told(var, report):
    settle_var(var, report, {"var/lib/none": VarPolicy.DROP})
    assert ("var.absent", "/var/lib/none") in {(d.code, d.path) for d in report.decisions}


def test_a_factory_that_has_another_one(var, report):
    var.write("usr/share/factory/var/lib/a/x", b"other")
    assert settle_var(var, report, {"var/lib/a": VarPolicy.FACTORY}) == []
    assert "there is another /usr/share/factory/var/lib/a/x" in report.conflicts[0].sentence
