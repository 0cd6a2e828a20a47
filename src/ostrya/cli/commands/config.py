# SPDX-License-Identifier: Apache-2.0
"""``config``: read or change the repository's settings.

A setting is named ``GROUP.KEY``, or ``KEY`` with ``--group``, which also reaches groups with dots
and blanks in their names, like ``remote "origin"``. A change that the repository could not be
opened with is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.errors import UsageError
from ostrya.cli.options import text
from ostrya.cli.output import write_json, write_line
from ostrya.cli.parser import require_text
from ostrya.formats.errors import KeyFileError
from ostrya.formats.keyfile import KeyFile
from ostrya.repo.repository import require_writable

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "(get KEY|set KEY VALUE|unset KEY)"
OPTIONS = (text("group", "GROUP", "The group that KEY is in"),)

_WORDS = {"get": 2, "set": 3, "unset": 2}


def run(arguments: Arguments, context: Context) -> int:
    """Get, set or unset one setting."""
    words = arguments.positionals
    if not words:
        raise context.usage_error("OPERATION must be specified")
    operation = words[0]
    if len(words) > _WORDS.get(operation, 2):
        raise context.usage_error("Too many arguments given")
    if operation not in _WORDS:
        raise UsageError(f"Unknown operation {operation}")
    group, key = _find_key(operation, arguments)
    if operation == "get":
        value = context.repo.config.keyfile.get_string(group, key)
        if context.json:
            write_json({"group": group, "key": key, "value": value})
        else:
            write_line(value)
    elif operation == "set":
        _set(context, group, key, words[2])
    else:
        _unset(context, group, key)
    return 0


def _find_key(operation: str, arguments: Arguments) -> tuple[str, str]:
    group = arguments.text("group")
    if len(arguments.positionals) < _WORDS[operation]:
        if operation == "set":
            needed = "KEY and VALUE" if group is None else "GROUP name, KEY and VALUE"
        else:
            needed = "KEY" if group is None else "Group name and key"
        raise UsageError(f"{needed} must be specified")
    name = arguments.positionals[1]
    if group is not None:
        return group, name
    group, dot, key = name.partition(".")
    if not dot:
        raise UsageError('Key must be of the form "sectionname.keyname"')
    return group, key


def _set(context: Context, group: str, key: str, value: str) -> None:
    from ostrya.repo.config import parse_config
    from ostrya.repo.config_writer import write_config

    require_writable(context.repo)
    for what, text_ in (("GROUP", group), ("KEY", key), ("VALUE", value)):
        require_text(what, text_)
    keyfile = _copy(context)
    keyfile.set_string(group, key, value)
    parse_config(keyfile)
    write_config(context.repo, keyfile)


def _unset(context: Context, group: str, key: str) -> None:
    from ostrya.repo.config_writer import write_config

    keyfile = _copy(context)
    try:
        keyfile.remove_key(group, key)
    except KeyFileError:
        # What is not there need not be removed.
        return
    require_writable(context.repo)
    write_config(context.repo, keyfile)


def _copy(context: Context) -> KeyFile:
    return KeyFile.parse(context.repo.config.keyfile.to_text())
