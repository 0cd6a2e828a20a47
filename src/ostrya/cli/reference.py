# SPDX-License-Identifier: Apache-2.0
"""The reference pages of the verbs, written from the tables that the program itself runs on.

``python -m ostrya.cli.reference docs/reference/cli`` writes them; a test compares.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ostrya.cli.dispatch import load_command, verb_options
from ostrya.cli.table import VERBS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostrya.cli.options import Option
    from ostrya.cli.verb import Verb

_SCHEMAS = "../json"


def main(arguments: list[str]) -> int:
    """Write all pages into a directory."""
    (directory,) = arguments
    os.makedirs(directory, exist_ok=True)
    for name, text in make_pages().items():
        with open(os.path.join(directory, name), "w", encoding="utf-8") as page:
            page.write(text)
    return 0


def make_pages() -> dict[str, str]:
    """Return the text of every page by its file name."""
    pages = {f"{verb.name}.md": _page(verb) for verb in VERBS}
    pages["index.md"] = _index()
    return pages


def _index() -> str:
    lines = [
        "# Commands",
        "",
        "Every verb is run as `ostrya VERB`, or as `ostree VERB` where the program is called by",
        "that name. `--help` after a verb prints what stands here. Options may stand anywhere on",
        "the line; `--` ends them.",
        "",
        "| verb | what it does |",
        "|---|---|",
    ]
    lines += [f"| [`{verb.name}`]({verb.name}.md) | {verb.help} |" for verb in VERBS]
    lines += [
        "",
        "A verb that is not listed is looked for as a program on `PATH`: `ostrya-VERB`, then",
        "`ostree-VERB`.",
        "",
    ]
    return "\n".join(lines)


def _page(verb: Verb) -> str:
    if not verb.verbs:
        return f"# ostrya {verb.name}\n\n{_body(verb, f'ostrya {verb.name}')}"
    members = _members(verb)
    listing = "".join(
        f"- [`{name}`](#{name.replace(' ', '-')}): {member.help}\n" for name, member in members
    )
    parts = [f"# ostrya {verb.name}\n\n{verb.help}.\n\n{listing}"]
    parts += [
        f"## {name}\n\n{_body(member, f'ostrya {verb.name} {name}')}" for name, member in members
    ]
    parts.append(f"## Without a verb\n\n{_table(_group_options())}")
    return "\n".join(parts)


def _members(group: Verb, prefix: str = "") -> list[tuple[str, Verb]]:
    """Return the verbs of a group, and of groups in it, by what is typed after the group."""
    found: list[tuple[str, Verb]] = []
    for verb in group.verbs:
        name = f"{prefix}{verb.name}"
        found += _members(verb, f"{name} ") if verb.verbs else [(name, verb)]
    return found


def _group_options() -> tuple[Option, ...]:
    from ostrya.cli.options import GLOBAL

    return GLOBAL


def _body(verb: Verb, program: str) -> str:
    command = load_command(verb)
    usage = f"{program} [OPTION…] {command.PARAMETERS}".rstrip()
    text = f"{verb.help}.\n\n```\n{usage}\n```\n\n{_description(command.__doc__)}"
    declared = verb_options(verb, command, drop_in=False)
    text += _table(option for option in declared if not option.hidden)
    if verb.reads:
        name = program.removeprefix("ostrya ").replace(" ", "-")
        text += f"\n`--json` prints what [{name}.json]({_SCHEMAS}/{name}.json) describes.\n"
    return text


def _description(docstring: str | None) -> str:
    """Return what a module's docstring says below its first line."""
    _, _, rest = (docstring or "").partition("\n\n")
    return f"{rest.strip()}\n\n" if rest.strip() else ""


def _table(options: Iterable[Option]) -> str:
    lines = ["| option | meaning |", "|---|---|", "| `-h`, `--help` | Show help options |"]
    letters: set[str] = set()
    for option in options:
        # Of two options with one letter, the verb's own comes first and has it.
        is_free = bool(option.short) and option.short not in letters
        short = f"`-{option.short}`, " if is_free else ""
        letters.add(option.short)
        # A bar ends a cell, within code too.
        row = (f"{short}`--{option.name}{option.value}`", option.help)
        lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
