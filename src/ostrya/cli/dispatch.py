# SPDX-License-Identifier: Apache-2.0
"""From a command line to a verb: find it, parse its options, open the repository, run it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

from ostrya.cli import options
from ostrya.cli.context import Context
from ostrya.cli.errors import UsageError
from ostrya.cli.output import write
from ostrya.cli.parser import Arguments, HelpRequested, parse_arguments, take_verb
from ostrya.cli.table import VERBS, find_verb
from ostrya.cli.verb import Repo, Verb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ostrya.cli.context import Command
    from ostrya.cli.environment import Environment


def run_command_line(arguments: Sequence[str], environment: Environment, *, drop_in: bool) -> int:
    """Run the verb that the arguments name.

    Raises:
        OstryaError: What the user is to be told.
    """
    program = "ostree" if drop_in else "ostrya"
    name, rest = take_verb(arguments)
    verb = find_verb(VERBS, name)
    if verb is None:
        if name is not None:
            from ostrya.cli.external import find_extension, run_extension

            path = find_extension(name, environment, drop_in=drop_in)
            if path is not None:
                return run_extension(path, arguments)
        return _run_group(program, VERBS, None, name, rest, environment)
    while verb.verbs:
        name, rest = take_verb(rest)
        member = find_verb(verb.verbs, name)
        if member is None:
            return _run_group(f"{program} {verb.name}", verb.verbs, verb, name, rest, environment)
        program, verb = f"{program} {verb.name}", member
    return _run_verb(f"{program} {verb.name}", verb, rest, environment, drop_in=drop_in)


def verb_options(verb: Verb, command: Command, *, drop_in: bool) -> tuple[options.Option, ...]:
    """Return all options of a verb, in the order that its help lists them."""
    named = (options.REPO,) if verb.repo in {Repo.OPEN, Repo.NAMED, Repo.ADDRESS} else ()
    ours: list[options.Option] = []
    if verb.reads and not drop_in and not any(one.name == "json" for one in command.OPTIONS):
        ours.append(options.JSON)
    if verb.takes_long and not drop_in:
        ours.append(options.PROGRESS)
    last = options.ADMIN if verb.repo is Repo.ADMIN else ()
    return (*named, *command.OPTIONS, *ours, *last, *options.GLOBAL)


def load_command(verb: Verb) -> Command:
    """Import the module of a verb."""
    name = f"ostrya.cli.commands.{verb.module}"
    # A plain import statement cannot do this, and importlib costs a millisecond of start-up.
    return cast("Command", __import__(name, fromlist=["run"]))


def verb_help(program: str, verb: Verb, command: Command, *, drop_in: bool) -> str:
    """Return the ``--help`` of a verb."""
    from ostrya.cli.usage import format_help

    declared = verb_options(verb, command, drop_in=drop_in)
    return format_help(program, command.PARAMETERS, verb.help, declared)


def group_help(program: str, verbs: tuple[Verb, ...], group: Verb | None) -> str:
    """Return the ``--help`` of the program itself, or of a group of verbs."""
    from ostrya.cli.usage import format_help, format_verbs

    listing = format_verbs(verbs, _group_name(program))
    summary = f"{group.help}\n\n{listing}" if group else listing
    if group is not None and group.repo is Repo.ADMIN:
        declared = (*options.ADMIN, *options.GLOBAL)
        return format_help(program, "--print-current-dir|COMMAND", summary, declared)
    return format_help(program, "COMMAND", summary, options.GLOBAL)


def _group_name(program: str) -> str:
    """Return the groups that were typed: ``admin kargs`` of ``ostrya admin kargs``."""
    return program.partition(" ")[2]


def _run_group(  # what was typed, and where
    program: str,
    verbs: tuple[Verb, ...],
    group: Verb | None,
    name: str | None,
    rest: list[str],
    environment: Environment,
) -> int:
    """Answer a command line that names no verb, or an unknown one."""
    help_text = group_help(program, verbs, group)
    what = f'"{_group_name(program)}" subcommand' if group else "command"
    is_admin = group is not None and group.repo is Repo.ADMIN
    declared = (*options.ADMIN, *options.GLOBAL) if is_admin else options.GLOBAL
    try:
        arguments = parse_arguments(declared, rest)
    except HelpRequested:
        write(help_text)
        return 0
    except UsageError as exc:
        exc.help_text = help_text
        raise
    if arguments.flag("version"):
        return _print_version(program)
    if is_admin and arguments.flag("print-current-dir"):
        from ostrya.cli.sysroot_lookup import print_current_dir

        return print_current_dir(arguments, environment)
    message = f"No {what} specified" if name is None else f"Unknown {what} '{name}'"
    raise UsageError(message, help_text=help_text)


def _run_verb(
    program: str, verb: Verb, rest: list[str], environment: Environment, *, drop_in: bool
) -> int:
    command = load_command(verb)

    def make_help() -> str:
        return verb_help(program, verb, command, drop_in=drop_in)

    try:
        arguments = parse_arguments(verb_options(verb, command, drop_in=drop_in), rest)
    except HelpRequested:
        write(make_help())
        return 0
    if arguments.flag("version"):
        return _print_version(program)
    if arguments.flag("verbose"):
        _log_to_stderr()
    context = Context(drop_in=drop_in, environment=environment, make_help=make_help)
    context.json = arguments.has("json") and arguments.flag("json")
    if arguments.has("progress"):
        context.progress_mode = arguments.text("progress") or "auto"
    if verb.reads and not verb.writes:
        return _run_command(verb, command, arguments, context)
    from ostrya.cli.termination import ending_in_order

    with ending_in_order():
        return _run_command(verb, command, arguments, context)


def _run_command(verb: Verb, command: Command, arguments: Arguments, context: Context) -> int:
    try:
        _find_repository(verb, arguments, context)
        if verb.repo is Repo.ADMIN and arguments.flag("print-current-dir"):
            from ostrya.cli.sysroot_lookup import print_current_dir

            return print_current_dir(arguments, context.environment)
        return command.run(arguments, context)
    finally:
        context.close()


def _print_version(program: str) -> int:
    from ostrya.cli.version import format_version

    write(format_version(drop_in=program.startswith("ostree")))
    return 0


def _find_repository(verb: Verb, arguments: Arguments, context: Context) -> None:
    if verb.repo in {Repo.NONE, Repo.ADMIN}:
        return
    from ostrya.cli.repo_lookup import (
        REPO_IN_SYSROOT,
        default_repo_path,
        make_runtime,
        named_path,
        root_of_system,
    )

    named = arguments.text("repo")
    runtime = make_runtime(context.environment)
    if verb.repo is Repo.SYSROOT and (sysroot := arguments.text("sysroot")) is not None:
        sysroot = named_path(sysroot, "--sysroot")
        named = os.path.join(sysroot, REPO_IN_SYSROOT)
        runtime = runtime._replace(system_root=root_of_system(sysroot))
    if verb.repo is Repo.ADDRESS and named is not None and "://" in named:
        context.repo_path = named
        return
    if named is None:
        path = default_repo_path(context.environment.repo, context.environment.sysroot)
    else:
        path = named_path(named, "--repo")
    if path is None:
        raise UsageError("Command requires a --repo argument", help_text=context.make_help())
    context.repo_path = path
    if verb.repo is Repo.NAMED and named is not None:
        return
    from ostrya._linux.naming import Below
    from ostrya.repo.repository import open_repository

    with Below(path):
        context.repo = open_repository(path, runtime=runtime)


def _log_to_stderr() -> None:
    import logging

    logging.basicConfig(format="OT: %(message)s")
    logging.getLogger("ostrya").setLevel(logging.DEBUG)
