# SPDX-License-Identifier: Apache-2.0
"""Debian's Apache, with the modules that it comes with, and one virtual host."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAM = shutil.which("apache2", path="/usr/sbin:/usr/bin:/usr/local/sbin")
_FOLDER = Path("/usr/lib/apache2/modules")
# Debian's choice, and the three that the page asks for.
_MODULES = (
    "mpm_event", "alias", "authn_core", "authz_core", "authz_host", "autoindex", "dir",
    "env", "filter", "mime", "negotiation", "reqtimeout", "setenvif", "headers", "http2",
    "socache_shmcb", "ssl",
)  # fmt: skip
_CONFIG = """\
ServerRoot {folder}
ServerName localhost
PidFile {folder}/pid
ErrorLog {folder}/error.log
CustomLog {folder}/access.log "%H %s %U"
TypesConfig /dev/null
Listen 127.0.0.1:{port}
"""


@contextmanager
def apache(folder: Path, port: int, host: str) -> Iterator[None]:
    """Run it on a port, its own files in ``folder``; ``host`` is the virtual host's block.

    Where root starts it, another user reads what it serves.
    """
    if PROGRAM is None:
        pytest.skip("needs apache2")
    folder.mkdir()
    lines = [f"LoadModule {name}_module {_FOLDER}/mod_{name}.so" for name in _MODULES]
    if os.geteuid() == 0:
        lines += ["User www-data", "Group www-data"]
    config = folder / "apache2.conf"
    config.write_text("\n".join([*lines, _CONFIG.format(folder=folder, port=port), host, ""]))
    argv = [PROGRAM, "-f", str(config), "-DFOREGROUND"]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as process:
        try:
            _wait_for(process, port, folder / "error.log")
            yield
        finally:
            process.terminate()


def _wait_for(process: subprocess.Popen[str], port: int, log: Path) -> None:
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    assert process.stderr is not None
    more = log.read_text() if log.exists() else ""
    pytest.fail(f"apache does not start: {process.stderr.read()}{more}")
