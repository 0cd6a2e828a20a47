# SPDX-License-Identifier: Apache-2.0
"""``ota run``: the client of a device: report, check, download, install, report again.

Modes, as aktualizr's: ``full`` goes on for ever; ``once`` is one cycle; ``check`` installs nothing;
``download`` fetches what is assigned; ``install`` installs what was fetched. In mode ``full`` the
control socket is served.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from ostrya.cli.errors import UsageError
from ostrya.cli.options import text
from ostrya.cli.ota_client import (
    CONFIG,
    OVERRIDING,
    keep_log,
    load_client_config,
    sysroot_opener,
    utc_now,
    write_log,
)
from ostrya.cli.output import write_json, write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.uptane.client.installs import Install
    from ostrya.uptane.client.primary import CycleResult
    from ostrya.uptane.client.storage import Storage

PARAMETERS = "[MODE]"
OPTIONS = (
    CONFIG,
    text("mode", "MODE", "full (the default), once, check, download or install"),
    text("run-mode", "MODE", "The same"),
    *OVERRIDING,
)


def run(arguments: Arguments, context: Context) -> int:
    """Run the client."""
    from ostrya.uptane.client.assembly import Machine, assemble
    from ostrya.uptane.client.client_lock import only_client
    from ostrya.uptane.client.control.board import Board
    from ostrya.uptane.client.control.socket_server import SocketServer
    from ostrya.uptane.client.device_data.telling import send_device_data
    from ostrya.uptane.client.installs import open_installs
    from ostrya.uptane.client.primary import Mode
    from ostrya.uptane.client.runner import run_forever, run_once
    from ostrya.uptane.client.storage import open_storage

    mode = Mode(_mode(arguments))
    config = load_client_config(arguments)
    if mode is Mode.FULL:
        write_log(context)
    else:
        # One cycle prints how it ended, and -v the rest.
        keep_log()
    with ExitStack() as stack:
        stack.enter_context(only_client(config.database_path))
        opener = sysroot_opener(config.pacman.sysroot, context.environment)
        storage = stack.enter_context(open_storage(config.database_path))
        board = Board()
        machine = Machine(opener, utc_now, send_device_data)
        running = assemble(stack, config, storage, board, machine)
        running.primary.start()
        if mode is not Mode.FULL:
            before = open_installs(storage)
            result = run_once(running, mode)
            return _tell(_with_ended(result, storage, before), context)
        if config.control.socket:
            server = SocketServer(config.control.socket, board, config.control.group)
            stack.enter_context(server)
        run_forever(running)
    return 0


def _mode(arguments: Arguments) -> str:
    given = [arguments.text("mode"), arguments.text("run-mode"), *arguments.positionals]
    named = [one for one in given if one is not None]
    if len(set(named)) > 1:
        raise UsageError(f"one mode at a time: {' or '.join(named)}")
    mode = {"daemon": "full"}.get(named[0], named[0]) if named else "full"
    if mode not in ("full", "once", "check", "download", "install"):
        hint = "full, once, check, download or install"
        if mode.startswith("campaign"):
            hint = (
                "`ostrya ota campaign list`, `accept`, `decline` and `postpone` are for campaigns"
            )
        raise UsageError(f"there is no mode {mode}", hint=hint)
    return mode


def _with_ended(result: CycleResult, storage: Storage, before: tuple[Install, ...]) -> CycleResult:
    """Add what became of updates that were begun before, where nothing else is to be said."""
    from ostrya.uptane.client.installs import State, install_log
    from ostrya.uptane.client.primary import End

    if result.end is not End.UP_TO_DATE or result.words:
        return result
    how = {State.CURRENT: "runs now", State.FAILED: "failed"}
    states = {
        one.number: one.state
        for serial in {one.target.serial for one in before}
        for one in install_log(storage, serial)
    }
    words = [
        f"{one.target.name} {how[states[one.number]]} on {one.target.serial}"
        for one in before
        if states.get(one.number) in how
    ]
    return result._replace(words="; ".join(words))


def _tell(result: CycleResult, context: Context) -> int:
    """Say how a cycle ended; return the exit status, or raise what ended it."""
    from ostrya.uptane.client.errors import UpdateFailed
    from ostrya.uptane.client.primary import End
    from ostrya.uptane.client.runner import shown_update

    if context.json:
        write_json(
            {
                "end": result.end.value,
                "message": result.words,
                "update": shown_update(result),
            }
        )
    elif result.error is None:
        write_line(f"{result.end.value}{f': {result.words}' if result.words else ''}")
        for job in result.jobs:
            write_line(f"  {job.target.serial}: {job.target.name}")
    if result.error is not None:
        raise result.error
    if result.end is End.FAILED:
        raise UpdateFailed(result.words)
    return 0
