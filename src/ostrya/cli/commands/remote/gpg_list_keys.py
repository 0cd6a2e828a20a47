# SPDX-License-Identifier: Apache-2.0
"""``remote gpg-list-keys``: the OpenPGP keys that are trusted for a remote, or by the system."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.output import write, write_json
from ostrya.cli.signing import use_local_dates
from ostrya.repo.keyrings import global_keyrings, remote_keyrings
from ostrya.sign.gpg import list_keys
from ostrya.sign.gpg_text import describe_key

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments
    from ostrya.sign.gpg_status import GpgKey

PARAMETERS = "[NAME]"
OPTIONS: tuple[Option, ...] = ()


def run(arguments: Arguments, context: Context) -> int:
    """Print the keys."""
    repo = context.repo
    if arguments.positionals:
        name = arguments.positionals[0]
        keyrings = remote_keyrings(repo, name, with_global=False)
    else:
        keyrings = global_keyrings(repo)
    keys = list_keys(keyrings) if any(keyrings) else []
    if context.json:
        write_json([_as_json(key) for key in keys])
        return 0
    use_local_dates()
    write("".join(map(describe_key, keys)))
    return 0


def _as_json(key: GpgKey) -> dict[str, object]:
    return {
        "keys": [subkey._asdict() for subkey in key.subkeys],
        "users": [user._asdict() for user in key.users],
    }
