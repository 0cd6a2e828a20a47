# SPDX-License-Identifier: Apache-2.0
"""``ota control``: speak to the running client.

Requests: ``status``; ``check``, ``download``, ``install``, ``update`` (all of it); ``accept``,
``decline`` and ``postpone SECONDS`` answer to an update; ``pause``, ``resume`` and ``abort``; and
``watch``, which prints what happens. A client that was started with other settings than the
system's is found by the same: -c, or by --socket. What takes a while is waited for, unless
--no-wait is given. What is answered is printed as it comes: a JSON object on each line.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from ostrya.cli.errors import UsageError
from ostrya.cli.options import flag, text, texts
from ostrya.cli.ota_client import load_client_config
from ostrya.cli.output import write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.uptane.client.control.client import ControlClient
    from ostrya.uptane.client.control.protocol import Request
    from ostrya.uptane.metadata.json_text import Object

PARAMETERS = "REQUEST [SECONDS]"
OPTIONS = (
    texts("config", "PATH", "Settings that name the socket; those of the client", short="c"),
    text("socket", "PATH", "The socket; default: as the configuration says"),
    text("update", "ID", "Answer to this update only, as status calls it"),
    flag("no-wait", "Do not wait until it is done"),
)
_ANSWERS = ("accept", "decline", "postpone")
_LONG = ("check", "download", "install", "update", "accept")


def run(arguments: Arguments, context: Context) -> int:
    """Ask, and print what is answered."""
    from ostrya.uptane.client.control.client import ControlClient

    words = arguments.positionals
    if not words:
        raise context.usage_error("a REQUEST must be specified")
    path = arguments.text("socket") or load_client_config(arguments).control.socket
    if not path:
        raise UsageError("the configuration has no control socket", hint="socket of [control]")
    with ControlClient(path) as client:
        if words[0] == "watch":
            return _watch(client)
        request = _request(words, arguments.text("update") or "")
        if words[0] in _LONG and not arguments.flag("no-wait"):
            return _wait(client, request)
        _print(client.ask(request))
    return 0


def _request(words: list[str], update: str) -> Request:
    from ostrya.uptane.client.control.protocol import MOST_SECONDS, Request, Word

    word, more = words[0], words[1:]
    if word in _ANSWERS:
        if (word == "postpone") != (len(more) == 1):
            raise UsageError("postpone SECONDS says for how long; other requests have no number")
        seconds = int(more[0]) if more and more[0].isdecimal() and len(more[0]) < 9 else 0
        if word == "postpone" and not 0 < seconds <= MOST_SECONDS:
            raise UsageError(f"{more[0]} is no number of seconds from 1 to {MOST_SECONDS}")
        return Request(Word.CONSENT, None, word, update, seconds)
    known = {one.value for one in Word} - {"consent", "subscribe", "unsubscribe"}
    if word not in known or more:
        listed = ", ".join(sorted(known | set(_ANSWERS) | {"watch"}))
        raise UsageError(f"there is no request {' '.join(words)}", hint=f"known are {listed}")
    return Request(Word(word))


def _watch(client: ControlClient) -> int:
    from ostrya.uptane.client.control.protocol import Request, Word

    client.ask(Request(Word.SUBSCRIBE))
    for event in client.lines():
        _print(event)
    return 0


def _wait(client: ControlClient, request: Request) -> int:
    end = ""
    for event in client.run(request):
        _print(event)
        end = str(event.get("end", ""))
    return 1 if end == "failed" else 0


def _print(value: Object) -> None:
    write_line(json.dumps(value, sort_keys=True))
    sys.stdout.flush()
