# SPDX-License-Identifier: Apache-2.0
"""``ex-integrity``: whether the kernel seals objects."""

from __future__ import annotations

import pytest

from ostrya.formats.keyfile import KeyFile
from ostrya.repo.config import Tristate, parse_config
from ostrya.repo.errors import RepoConfigError


def wanted(more: str) -> Tristate:
    return parse_config(KeyFile.parse(f"[core]\nrepo_version=1\nmode=bare\n{more}")).fsverity


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", Tristate.NO),
        ("[ex-integrity]\nfsverity=yes\n", Tristate.YES),
        ("[ex-integrity]\nfsverity=true\n", Tristate.YES),
        ("[ex-integrity]\nfsverity=1\n", Tristate.YES),
        ("[ex-integrity]\nfsverity=maybe\n", Tristate.MAYBE),
        ("[ex-integrity]\nfsverity=no\n", Tristate.NO),
        ("[ex-integrity]\ncomposefs=no\n", Tristate.NO),
        ("[ex-integrity]\ncomposefs=maybe\n", Tristate.MAYBE),
        ("[ex-integrity]\ncomposefs=yes\n", Tristate.MAYBE),
        ("[ex-integrity]\ncomposefs=yes\nfsverity=no\n", Tristate.NO),
        ("[ex-integrity]\ncomposefs=yes\nfsverity=yes\n", Tristate.YES),
        ("[ex-fsverity]\nrequired=true\n", Tristate.YES),
        ("[ex-fsverity]\nopportunistic=true\n", Tristate.MAYBE),
        ("[ex-fsverity]\nrequired=false\nopportunistic=false\n", Tristate.NO),
        ("[ex-fsverity]\nrequired=true\n[ex-integrity]\nfsverity=maybe\n", Tristate.MAYBE),
    ],
)
def test_what_is_wanted(more, expected):
    assert wanted(more) == expected


@pytest.mark.parametrize("key", ["fsverity", "composefs"])
def test_other_words_are_refused(key):
    with pytest.raises(RepoConfigError, match="Invalid tri-state value: perhaps"):
        wanted(f"[ex-integrity]\n{key}=perhaps\n")
