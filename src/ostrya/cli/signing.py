# SPDX-License-Identifier: Apache-2.0
"""Signing as several verbs do it: their options, and the keys that these name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import Option, text, texts

if TYPE_CHECKING:
    from ostrya.cli.parser import Arguments
    from ostrya.repo.repository import Repository
    from ostrya.sign.engine import Signer

GPG_HOMEDIR = text("gpg-homedir", "HOMEDIR", "Where gpg keeps the keys, instead of its default")
SIGN_TYPE = text("sign-type", "NAME", "Engine of --sign: ed25519 (the default), spki or dummy")


def sign_options(what: str) -> tuple[Option, ...]:
    """Declare the options of a verb that signs what it makes."""
    return (
        texts("gpg-sign", "KEY-ID", f"Sign {what} with this OpenPGP key"),
        GPG_HOMEDIR,
        texts("sign", "KEY-ID", f"Sign {what} with this secret key"),
        SIGN_TYPE,
    )


def make_signers(repo: Repository, arguments: Arguments) -> list[Signer]:
    """Return the signers that ``--sign`` and ``--sign-from-file`` ask for, in this order.

    Raises:
        SignatureError: There is no such engine, or a key is none.
        OSError: A key file cannot be read.
    """
    keys: list[str | bytes] = list(arguments.texts("sign"))
    paths = arguments.texts("sign-from-file") if arguments.has("sign-from-file") else []
    if not keys and not paths:
        return []
    from ostrya.sign.engine import DEFAULT_ENGINE, make_signer
    from ostrya.sign.policy import require_engine
    from ostrya.sign.trust import load_secret_keys_file

    engine = arguments.text("sign-type") or DEFAULT_ENGINE
    require_engine(engine)
    # One key of each file, as libostree takes them.
    keys += [load_secret_keys_file(engine, path)[0] for path in paths]
    allow_dummy = repo.runtime.dummy_signatures
    return [make_signer(engine, key, allow_dummy=allow_dummy) for key in keys]
