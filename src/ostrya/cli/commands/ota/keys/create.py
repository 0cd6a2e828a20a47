# SPDX-License-Identifier: Apache-2.0
"""``ota keys create``: the keys of a new repository of updates; with NAME, one pair of keys.

Without NAME, a folder is made with a key for each role, a first root and empty Targets, which `ota
targets sign` publishes. --keep puts keys elsewhere, on a medium that is kept in a safe: those of
the root at least. --director makes the repository that says what a vehicle shall run, and signs
what a lockbox needs.

With NAME, NAME.sec and NAME.pub are made in --dir: a supplier's, for `ota delegation add`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.errors import UsageError
from ostrya.cli.options import flag, text, texts
from ostrya.cli.ota_author import (
    DEFAULT_KIND,
    DIR,
    KIND,
    NUMBERS,
    PLACES,
    THRESHOLDS,
    time_now,
)
from ostrya.cli.output import write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "[NAME]"
OPTIONS = (
    DIR,
    KIND,
    NUMBERS,
    THRESHOLDS,
    PLACES,
    text("dialect", "NAME", "uptane (the default), as aktualizr speaks it, or tuf"),
    flag("director", "It is a Director: what a vehicle shall run"),
    texts("days", "ROLE=N", "For how long metadata of a role is to be believed"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Make them."""
    kind = arguments.text("key-type") or DEFAULT_KIND
    folder = arguments.text("dir") or "."
    if len(arguments.positionals) > 1:
        raise context.usage_error("at most one NAME can be specified")
    if arguments.positionals:
        return _make_pair(folder, arguments.positionals[0], kind)
    return _make_repository(arguments, folder, kind)


def _make_pair(folder: str, name: str, kind: str) -> int:
    from ostrya.uptane.author.keyring import make_key, write_key

    if "/" in name or not name:
        raise UsageError(f"{name!r} is no name for a key", hint="--dir names the folder")
    write_key(folder, name, make_key(kind))
    write_line(f"Keep {folder}/{name}.sec to yourself: it signs")
    write_line(f"Give {folder}/{name}.pub to whoever trusts it")
    return 0


def _make_repository(arguments: Arguments, folder: str, kind: str) -> int:
    from ostrya.uptane.author.roles import NewKeys, create, parse_plans
    from ostrya.uptane.author.workplace import DAYS, Settings
    from ostrya.uptane.metadata.dialect import Dialect

    name = arguments.text("dialect") or Dialect.UPTANE.value
    names = {one.value: one for one in Dialect}
    if name not in names:
        raise UsageError(f"{name!r} is no dialect", hint=f"there are {', '.join(names)}")
    days = dict(DAYS)
    for word in arguments.texts("days"):
        role, _, value = word.partition("=")
        is_number = value.isascii() and value.isdigit() and len(value) < 6
        if role not in days or not is_number or not 0 < int(value) <= 36500:
            raise UsageError(f"{word!r} is not understood", hint="--days=timestamp=7, say")
        days[role] = int(value)
    plans = parse_plans(
        arguments.texts("number"), arguments.texts("threshold"), arguments.texts("keep")
    )
    settings = Settings(names[name], days, arguments.flag("director"))
    work = create(folder, settings, NewKeys(kind, plans), time_now())
    for role, keys in work.newest_root().roles.items():
        for key_id in keys.key_ids:
            write_line(f"{role:16} {key_id}")
    return 0
