# SPDX-License-Identifier: Apache-2.0
"""``remote add``: add a remote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.errors import UsageError
from ostrya.cli.options import REPO_ONLY, SYSROOT, flag, text, texts
from ostrya.cli.parser import require_text
from ostrya.cli.signing import print_imported, read_keyring
from ostrya.errors import OstryaError
from ostrya.repo.remotes import Setting, add_remote
from ostrya.repo.repository import require_writable
from ostrya.sign.policy import require_engine

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "NAME [metalink=|mirrorlist=]URL [BRANCH...]"
OPTIONS = (
    texts("set", "KEY=VALUE", "Write a setting of the remote"),
    flag("no-gpg-verify", "Take commits without OpenPGP signatures"),
    flag("no-sign-verify", "Take commits without any signatures"),
    texts("sign-verify", "KEYTYPE=[inline|file]:PUBKEY", "Demand signatures by this public key"),
    flag("if-not-exists", "Do nothing if there is a remote of this name"),
    flag("force", "Replace a remote of this name"),
    text("custom-backend", "NAME", "The remote's content is not fetched as OSTree does"),
    text("contenturl", "URL", "Fetch content from another address than metadata"),
    text("collection-id", "COLLECTION-ID", "The collection that the remote's refs belong to"),
    REPO_ONLY,
    SYSROOT,
    texts("gpg-import", "FILE", "Trust the OpenPGP keys in this file for the remote"),
)

_KEY_PLACES = {"inline": "key", "file": "file"}


def run(arguments: Arguments, context: Context) -> int:
    """Write the remote into the repository's settings."""
    words = arguments.positionals
    if arguments.text("custom-backend") is not None:
        if not words:
            raise context.usage_error("NAME must be specified")
    elif len(words) < 2:
        raise context.usage_error("NAME and URL must be specified")
    if arguments.flag("if-not-exists") and arguments.flag("force"):
        raise context.usage_error("Can only specify one of --if-not-exists and --force")
    require_writable(context.repo)
    for word in words:
        require_text("An argument", word)
    keyrings = [(path, read_keyring(path)) for path in arguments.texts("gpg-import")]
    add_remote(
        context.repo,
        words[0],
        words[1] if len(words) > 1 else None,
        _settings(arguments, tuple(words[2:])),
        replace=arguments.flag("force"),
        keep=arguments.flag("if-not-exists"),
    )
    if keyrings:
        from ostrya.repo.keyrings import import_remote_keys

        print_imported(words[0], import_remote_keys(context.repo, words[0], keyrings))
    return 0


def _settings(arguments: Arguments, branches: tuple[str, ...]) -> list[Setting]:
    settings: list[Setting] = [("branches", branches)] if branches else []
    for name in ("contenturl", "custom-backend"):
        value = arguments.text(name)
        if value is not None:
            settings.append((name, value))
    settings += map(_split_setting, arguments.texts("set"))
    unsigned = arguments.flag("no-sign-verify")
    demanded = arguments.texts("sign-verify")
    if unsigned or arguments.flag("no-gpg-verify"):
        settings.append(("gpg-verify", False))
    if unsigned:
        if demanded:
            raise OstryaError("Cannot specify both --sign-verify and --no-sign-verify")
        settings.append(("sign-verify", False))
    if demanded:
        keys = [_parse_key(spec) for spec in demanded]
        settings += [setting for _, setting in keys]
        settings.append(("sign-verify", ",".join(kind for kind, _ in keys)))
    collection_id = arguments.text("collection-id")
    if collection_id is not None:
        settings.append(("collection-id", collection_id))
    return settings


def _split_setting(text: str) -> Setting:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError("Missing '=' in KEY=VALUE for --set")
    return key, value


def _parse_key(spec: str) -> tuple[str, Setting]:
    kind, equals, rest = spec.partition("=")
    if not equals:
        raise UsageError(f"Failed to parse KEYTYPE=[inline|file]:DATA in {spec}")
    require_engine(kind)
    place, colon, value = rest.partition(":")
    if place not in _KEY_PLACES or not colon:
        raise UsageError(f"Invalid key reference {place}, expected inline|file")
    return kind, (f"verification-{kind}-{_KEY_PLACES[place]}", value)
