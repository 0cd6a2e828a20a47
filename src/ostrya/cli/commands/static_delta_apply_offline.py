# SPDX-License-Identifier: Apache-2.0
"""``static-delta apply-offline``: make the commit of a static delta that lies on this machine.

PATH is a delta's directory, or its superblock if that carries the parts. A KEY-ID is a public key;
where keys are named, only a delta that one of them signed is taken. Without, those of the system
verify what is signed, if there are any; ``core.sign-verify-deltas`` in the repository's
configuration refuses what nobody vouches for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.delta_keys import VERIFY_OPTIONS, delta_verifier, names_keys
from ostrya.delta.offline import apply_offline
from ostrya.errors import SignatureError
from ostrya.repo.repository import require_writable
from ostrya.repo.transaction import Transaction
from ostrya.sign.engine import DEFAULT_ENGINE
from ostrya.sign.policy import require_engine

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.sign.engine import Verifier

PARAMETERS = "PATH [KEY-ID...]"
OPTIONS = VERIFY_OPTIONS


def run(arguments: Arguments, context: Context) -> int:
    """Apply it."""
    require_writable(context.repo)
    if not arguments.positionals:
        raise context.usage_error("PATH must be specified")
    path, *keys = arguments.positionals
    require_engine(arguments.text("sign-type") or DEFAULT_ENGINE)
    verifier = _find_verifier(arguments, context, keys)
    with Transaction(context.repo) as tx:
        apply_offline(
            tx,
            path,
            verifier,
            signature_required=names_keys(arguments, keys),
            progress=context.progress(),
        )
        tx.commit()
    return 0


def _find_verifier(arguments: Arguments, context: Context, keys: list[str]) -> Verifier | None:
    try:
        return delta_verifier(context.repo, arguments, keys)
    except SignatureError:
        if names_keys(arguments, keys):
            raise
        # Nobody's keys are on this machine: then nobody has to vouch for it.
        return None
