# SPDX-License-Identifier: Apache-2.0
import pytest

from ostrya.image.errors import SourceError
from ostrya.image.policies import (
    LinkPolicy,
    LinkRule,
    VarPolicy,
    VarRule,
    check_link_rules,
    check_var_rules,
)


def test_rules_by_path():
    rules = (VarRule("/var/lib/x/", VarPolicy.DROP), VarRule("var", VarPolicy.FACTORY))
    assert check_var_rules(rules) == {"var/lib/x": VarPolicy.DROP, "var": VarPolicy.FACTORY}
    assert check_link_rules((LinkRule("/opt", LinkPolicy.KEEP),)) == {"/opt": LinkPolicy.KEEP}


@pytest.mark.parametrize("path", ["/etc", "", "/", "/var/../etc", "/var/./x", "/variety"])
def test_rules_for_var_are_about_var(path):
    with pytest.raises(SourceError, match="cannot be about"):
        check_var_rules((VarRule(path, VarPolicy.DROP),))


def test_rules_that_contradict_or_mean_nothing():
    with pytest.raises(SourceError, match="two policies for /var/x"):
        check_var_rules((VarRule("/var/x", VarPolicy.DROP), VarRule("/var/x/", VarPolicy.SEED)))
    with pytest.raises(SourceError, match="two policies for /opt"):
        check_link_rules((LinkRule("/opt", LinkPolicy.KEEP), LinkRule("/opt", LinkPolicy.LINK)))
    with pytest.raises(SourceError, match="/usr is not one of") as caught:
        check_link_rules((LinkRule("/usr", LinkPolicy.KEEP),))
    assert "/usr/local" in caught.value.hint
