# SPDX-License-Identifier: Apache-2.0
"""``--help`` and the reference pages agree, and both know every option of Debian's manual pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.commands import OURS, OURS_PATH, PEER, Command

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "cli"
VERBS = (
    "cat", "checkout", "checksum", "commit", "config", "create-usb", "diff", "export", "find-remotes",
    "fsck", "gpg-sign", "init", "keygen",
    "log", "ls", "prune", "pull", "pull-local", "push", "refs", "remote", "reset", "rev-parse", "serve", "show", "sign",
    "static-delta", "summary",
)  # fmt: skip


def options_of(text: str) -> set[str]:
    return set(re.findall(r"(--[a-z][a-z0-9-]+)", text))


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_page_with_every_option(verb):
    page = (REFERENCE / f"{verb}.md").read_text()
    shown = OURS(verb, "--help")
    everywhere = {"--help", "--version", "--verbose"}  # said once, on the index page
    missing = options_of(shown) - options_of(page) - everywhere
    assert not missing, f"docs/reference/cli/{verb}.md lacks {sorted(missing)}"


@pytest.mark.peer
@pytest.mark.parametrize(
    "verb", [v for v in VERBS if v not in {"keygen", "push", "remote", "serve"}]
)
def test_every_option_of_the_peer_is_known(verb, tmp_path):
    link = tmp_path / "ostree"
    link.symlink_to(OURS_PATH)
    ours = options_of(Command(link, "ours")(verb, "--help"))
    # Signing has an issue of its own.
    later = {
        "--gpg-sign",
        "--gpg-homedir",
        "--sign",
        "--sign-from-file",
        "--sign-type",
        "--gpg-verify",
    }
    missing = options_of(PEER(verb, "--help")) - ours - later
    missing = {option for option in missing if not option.startswith("--gpg-")}
    assert not missing, sorted(missing)


def test_the_overview_lists_every_verb():
    shown = OURS("--help")
    assert not [verb for verb in VERBS if not re.search(rf"^\s+{verb}\b", shown, re.MULTILINE)]
