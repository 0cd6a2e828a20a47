# SPDX-License-Identifier: Apache-2.0
"""Who may vouch for a static delta: the options that name keys, and the verifier made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import text
from ostrya.sign.engine import DEFAULT_ENGINE, make_verifier
from ostrya.sign.keys import parse_key_argument
from ostrya.sign.matching import TrustedKeys
from ostrya.sign.trust import SYSTEM_DIRS, load_keys_file, load_trusted_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.cli.parser import Arguments
    from ostrya.repo.repository import Repository
    from ostrya.sign.engine import Verifier

VERIFY_OPTIONS = (
    text("sign-type", "NAME", "Engine: ed25519 (the default), spki or dummy"),
    text("keys-file", "FILE", "Take public keys from this file"),
    text("keys-dir", "PATH", "Trusted and revoked keys are below this directory"),
)


def delta_verifier(repo: Repository, arguments: Arguments, keys: Sequence[str]) -> Verifier:
    """Return who accepts signatures by the keys on the command line, or by the system's.

    Raises:
        SignatureError: There is no such engine, or no key.
        OSError: A file of keys cannot be read.
    """
    engine = arguments.text("sign-type") or DEFAULT_ENGINE
    named = tuple(parse_key_argument(engine, key) for key in keys)
    path = arguments.text("keys-file")
    if path is not None:
        trusted = TrustedKeys((*load_keys_file(engine, path), *named))
    elif named:
        trusted = TrustedKeys(named)
    else:
        keys_dir = arguments.text("keys-dir")
        trusted = load_trusted_keys(engine, SYSTEM_DIRS if keys_dir is None else (keys_dir,))
    return make_verifier(engine, trusted, allow_dummy=repo.runtime.dummy_signatures)


def names_keys(arguments: Arguments, keys: Sequence[str]) -> bool:
    """Say whether the command line names keys, by themselves or by a place."""
    return bool(keys) or any(
        arguments.text(option) is not None for option in ("keys-file", "keys-dir")
    )
