# SPDX-License-Identifier: Apache-2.0
"""Keys of static deltas on the command line; the verbs that take them are in ``commands``."""

from __future__ import annotations

import pytest

from ostrya.cli.delta_keys import VERIFY_OPTIONS, delta_verifier, names_keys
from ostrya.cli.parser import parse_arguments
from ostrya.errors import SignatureError
from ostrya.repo.runtime import Runtime
from support.small_repos import make_repo


@pytest.fixture
def verifier(tmp_path):
    """Make a verifier of a command line."""
    with make_repo(tmp_path / "repo", runtime=Runtime(dummy_signatures=True)) as repo:
        yield lambda *words, keys=(): delta_verifier(
            repo, parse_arguments(VERIFY_OPTIONS, list(words)), keys
        )


def test_keys(verifier):
    found = verifier("--sign-type=dummy", keys=["one", "two"])
    assert found.verify(b"data", [b"two"])
    with pytest.raises(SignatureError, match="not implemented"):
        verifier("--sign-type=dummy")


def test_files(verifier, tmp_path):
    (tmp_path / "keys").write_text("uRdLNLj8UxqXCHMJZjHPyI5a9KkkTkq4VOzCnDUkYuk=\n")
    assert verifier(f"--keys-file={tmp_path}/keys").name == "ed25519"
    with pytest.raises(SignatureError, match="no keys loaded"):
        verifier(f"--keys-dir={tmp_path}/nothing")


@pytest.mark.parametrize(
    ("words", "keys", "named"),
    [([], [], False), (["--sign-type=spki"], [], False), ([], ["k"], True)]
    + [([f"--keys-{kind}=x"], [], True) for kind in ("file", "dir")],
)
def test_whether_keys_are_named(words, keys, named):
    assert names_keys(parse_arguments(VERIFY_OPTIONS, words), keys) is named
