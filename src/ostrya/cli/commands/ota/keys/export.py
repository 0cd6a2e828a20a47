# SPDX-License-Identifier: Apache-2.0
"""``ota keys export``: a credentials.zip with the root and a key of Targets, for other tools.

What is in FILE already stays: addresses, certificates. It is as secret as the key in it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya.cli.options import text
from ostrya.cli.ota_author import DIR, KEYS, open_author

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "FILE"
OPTIONS = (
    DIR,
    KEYS,
    text("repository-url", "URL", "The server of the Image repository"),
    text("gateway-url", "URL", "The server that devices speak to"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Write it."""
    from ostrya.uptane.author import credentials
    from ostrya.uptane.errors import AuthoringError

    if len(arguments.positionals) != 1:
        raise context.usage_error("one FILE must be specified")
    (path,) = arguments.positionals
    work = open_author(arguments)
    root = work.root()
    found = credentials.read_credentials(path) if os.path.exists(path) else None
    members = dict(found.members if found else {})
    members[credentials.ROOT] = work.root_envelope().to_bytes()
    for option, name in (
        ("repository-url", credentials.REPOSITORY_URL),
        ("gateway-url", credentials.GATEWAY_URL),
    ):
        url = arguments.text(option)
        if url is not None:
            members[name] = url.encode()
    secrets = [work.keyring.find(key) for key in root.keys_of("targets").values()]
    here = [one for one in secrets if one is not None]
    if not here:
        raise AuthoringError("no key of targets is here", hint="--keys=DIR says where it is")
    credentials.write_credentials(path, credentials.Credentials(members).with_targets_key(here[0]))
    return 0
