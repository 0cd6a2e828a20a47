# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.repo.errors import RepoConfigError
from ostrya.repo.modes import TRAITS, RepoMode, parse_mode


@pytest.mark.parametrize("mode", RepoMode)
def test_every_mode_is_spelled_as_the_configuration_has_it(mode):
    assert parse_mode(str(mode)) is mode
    assert mode in TRAITS


def test_links_are_links_where_files_are_files():
    real = {mode for mode, traits in TRAITS.items() if traits.real_symlinks}
    assert real == {RepoMode.BARE, RepoMode.BARE_USER_ONLY, RepoMode.BARE_SPLIT_XATTRS}


@pytest.mark.parametrize("text", ["", "BARE", "archive-z3", "bare-user "])
def test_others_are_refused(text):
    with pytest.raises(RepoConfigError, match=f"Invalid mode '{text}'"):
        parse_mode(text)
