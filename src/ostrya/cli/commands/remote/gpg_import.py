# SPDX-License-Identifier: Apache-2.0
"""``remote gpg-import``: trust OpenPGP keys for what comes from a remote.

Without ``--keyring`` and ``--stdin`` the keys are taken from the user's own keyring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import flag, texts
from ostrya.cli.signing import print_imported, read_keyring
from ostrya.cli.standard_input import standard_input
from ostrya.repo.keyrings import import_remote_keys
from ostrya.repo.repository import require_writable
from ostrya.sign.openpgp import MAX_KEYRING_BYTES

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "NAME [KEY-ID...]"
OPTIONS = (
    texts("keyring", "FILE", "Take keys from this file", short="k"),
    flag("stdin", "Take keys from the standard input"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Import, and print how many keys were new."""
    if not arguments.positionals:
        raise context.usage_error("NAME must be specified")
    paths = arguments.texts("keyring")
    if arguments.flag("stdin") and paths:
        raise context.usage_error("--keyring and --stdin are mutually exclusive")
    require_writable(context.repo)
    name, *key_ids = arguments.positionals
    sources = None
    if arguments.flag("stdin"):
        sources = [("the standard input", standard_input().read(MAX_KEYRING_BYTES + 1))]
    elif paths:
        sources = [(path, read_keyring(path)) for path in paths]
    count = import_remote_keys(context.repo, name, sources, key_ids)
    print_imported(name, count)
    return 0
