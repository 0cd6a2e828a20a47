# SPDX-License-Identifier: Apache-2.0
"""``serve``: answer clients over HTTP until somebody ends it."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya.cli.errors import UsageError
from ostrya.cli.options import flag, number, text
from ostrya.cli.output import write_line
from ostrya.repo.modes import RepoMode

if TYPE_CHECKING:
    import ssl

    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.serve.server import Server

PARAMETERS = ""
OPTIONS = (
    number("port", "PORT", "Listen on PORT (default: 8080; 0: any that is free)"),
    text("address", "ADDRESS", "Listen on ADDRESS only (default: all that this machine has)"),
    text("tls-cert", "FILE", "Speak TLS, with the certificate in FILE"),
    text("tls-key", "FILE", "The certificate's key (default: in the certificate's file)"),
    text("client-ca", "FILE", "Let in whom an authority in FILE vouches for, nobody else"),
    text("port-file", "FILE", "Write the number of the port to FILE"),
    text("below", "PATH", "Serve it at PATH of the address, not at its root"),
    flag("log", "Print a line for each request on stderr"),
)
DEFAULT_PORT = 8080


def run(arguments: Arguments, context: Context) -> int:
    """Serve; nothing but a signal ends it."""
    from ostrya.serve.errors import ServeError
    from ostrya.serve.server import Server

    mode = context.repo.config.mode
    if mode is not RepoMode.ARCHIVE:
        raise ServeError(
            f"Cannot serve a repository in mode {mode}: clients pull from archives only",
            hint="ostrya init --mode=archive makes one, and pull-local fills it",
        )
    port = arguments.number("port")
    port = DEFAULT_PORT if port is None else port
    if not 0 <= port <= 0xFFFF:
        raise UsageError(f"Invalid port {port}")
    log = _log if arguments.flag("log") else None
    address = arguments.text("address") or ""
    tls, below = _tls(arguments), arguments.text("below") or ""
    with Server(context.repo.dir_fd, address, port, tls=tls, log=log, below=below) as server:
        _announce(server, context.repo_path, arguments.text("port-file"))
        server.run()
    return 0


def _announce(server: Server, repo_path: str, port_file: str | None) -> None:
    if port_file is not None:
        folder, _, name = port_file.rpartition("/")
        folder_fd = os.open(folder or ("/" if port_file.startswith("/") else "."), os.O_RDONLY)
        try:
            replace_file(name, b"%d\n" % server.port, dir_fd=folder_fd, durable=False)
        finally:
            os.close(folder_fd)
    write_line(f"Serving {repo_path} on {' and '.join(server.urls)}")
    sys.stdout.flush()


def _tls(arguments: Arguments) -> ssl.SSLContext | None:
    cert, key = arguments.text("tls-cert"), arguments.text("tls-key")
    client_ca = arguments.text("client-ca")
    if cert is None:
        if key is not None or client_ca is not None:
            raise UsageError("--tls-key and --client-ca need --tls-cert")
        return None
    from ostrya.serve.server import tls_context

    return tls_context(cert, key, client_ca)


def _log(client: str, line: str, status: int, length: int) -> None:
    """Write a line as many servers do, so that their tools can read it."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    quoted = line.replace("\\", "\\\\").replace('"', '\\"')
    sys.stderr.write(f'{client} - - [{now}] "{quoted}" {status} {length}\n')
