# SPDX-License-Identifier: Apache-2.0
"""``--help``, laid out as GOption lays it out, because scripts pick verbs and options from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.cli.options import Option
    from ostrya.cli.verb import Verb

_GAP = 4


def format_help(program: str, parameters: str, summary: str, options: Sequence[Option]) -> str:
    """Return the help of one verb.

    Args:
        program: What was typed up to and with the verb: ``ostree remote add``.
        parameters: Its positional arguments, as in ``COMMIT [PATH...]``.
        summary: What the verb does, or the list of verbs of a group.
        options: In the order to print them; hidden ones are left out.
    """
    shown = _each_letter_once([option for option in options if not option.hidden])
    width = max(len(spelling) for spelling in ("-h, --help", *map(_spelling, shown))) + _GAP
    lines = ["Usage:", f"  {program} [OPTION…] {parameters}".rstrip(), ""]
    if summary:
        lines += [summary, ""]
    lines += ["Help Options:", f"  {'-h, --help':<{width}} Show help options", ""]
    if shown:
        lines.append("Application Options:")
        lines += [f"  {_spelling(option):<{width}} {option.help}" for option in shown]
        lines.append("")
    return "\n".join(lines) + "\n"


def _each_letter_once(options: list[Option]) -> list[Option]:
    """Leave a letter to the first option that has it: a verb's own come before the common ones."""
    letters: set[str] = set()
    kept = []
    for option in options:
        kept.append(option._replace(short="") if option.short in letters else option)
        letters.update(option.short)
    return kept


def format_verbs(verbs: Sequence[Verb], group: str = "") -> str:
    """Return the list of verbs that stands in the help of a group, or of the program itself."""
    lines = [f'Builtin "{group}" Commands:' if group else "Builtin Commands:"]
    shown = [verb for verb in verbs if not verb.hidden]
    width = max([17, *(len(verb.name) for verb in shown)]) + 1
    lines += [f"  {verb.name:<{width}}{verb.help}" for verb in shown]
    return "\n".join(lines)


def _spelling(option: Option) -> str:
    short = f"-{option.short}, " if option.short else ""
    return f"{short}--{option.name}{option.value}"
