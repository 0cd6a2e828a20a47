# SPDX-License-Identifier: Apache-2.0
"""``static-delta verify``: whether a static delta is signed by somebody trusted.

A KEY-ID is a public key. Without keys, those of the system verify.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.delta_keys import VERIFY_OPTIONS, delta_verifier
from ostrya.cli.output import write_line
from ostrya.delta.open_delta import open_delta
from ostrya.errors import OstryaError, SignatureError
from ostrya.sign.engine import DEFAULT_ENGINE
from ostrya.sign.policy import require_engine

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "DELTA [KEY-ID...]"
OPTIONS = VERIFY_OPTIONS


def run(arguments: Arguments, context: Context) -> int:
    """Verify it."""
    if not arguments.positionals:
        raise context.usage_error("DELTA must be specified")
    text, *keys = arguments.positionals
    try:
        require_engine(arguments.text("sign-type") or DEFAULT_ENGINE)
    except SignatureError:
        write_line("Sign-type not supported")
        raise
    verifier = delta_verifier(context.repo, arguments, keys)
    try:
        with open_delta(context.repo, text) as delta:
            delta.verify(verifier)
    except (OstryaError, OSError):
        write_line("Verification fails")
        raise
    write_line("Verification OK")
    return 0
