# SPDX-License-Identifier: Apache-2.0
"""``reset``: point a ref at another commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import RepoError
from ostrya.formats.refs import parse_refspec
from ostrya.repo.refs import list_ref_names, require_rev
from ostrya.repo.repository import require_writable
from ostrya.repo.transaction import Transaction

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.options import Option
    from ostrya.cli.parser import Arguments

PARAMETERS = "REF COMMIT"
OPTIONS: tuple[Option, ...] = ()


def run(arguments: Arguments, context: Context) -> int:
    """Write the ref."""
    repo = context.repo
    require_writable(repo)
    if len(arguments.positionals) < 2:
        raise context.usage_error("A REF and COMMIT argument is required")
    name, rev = arguments.positionals[:2]
    if name not in list_ref_names(repo):
        raise RepoError(f"Invalid ref '{name}'")
    remote, ref = parse_refspec(name)
    checksum = require_rev(repo, rev)
    with Transaction(repo) as transaction:
        transaction.set_ref(remote, ref, checksum)
        transaction.commit()
    return 0
