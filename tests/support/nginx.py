# SPDX-License-Identifier: Apache-2.0
"""Debian's nginx, over one directory, with and without TLS."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.certificates import Certificates
from support.ports import free_port

PROGRAM = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
_CONFIG = """\
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log {folder}/access.log combined;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    {servers}
}}
"""
_SERVERS = """\
    root {root};
    keepalive_requests 100000;
    server {{ listen 127.0.0.1:{plain}; {settings} }}
    server {{
        listen 127.0.0.1:{tls} ssl http2;
        ssl_certificate {certs.server}; ssl_certificate_key {certs.server_key};
        ssl_client_certificate {certs.ca}; ssl_verify_client {verify};
    }}
"""


@dataclass(frozen=True)
class Nginx:
    """A running nginx: its addresses, and what it logged."""

    http: str
    https: str
    folder: Path

    def requests(self) -> list[str]:
        """The lines of its log."""
        return (self.folder / "access.log").read_text().splitlines()


@contextmanager
def nginx(
    folder: Path, root: Path, certs: Certificates, *, verify: bool = False, settings: str = ""
) -> Iterator[Nginx]:
    """Run nginx over ``root``, its own files in ``folder``; settings are of its plain server."""
    plain, tls = free_port(), free_port()
    servers = _SERVERS.format(
        root=root, plain=plain, tls=tls, certs=certs,
        verify="on" if verify else "off", settings=settings,
    )  # fmt: skip
    with nginx_with(folder, plain, servers):
        yield Nginx(f"http://127.0.0.1:{plain}", f"https://127.0.0.1:{tls}", folder)


@contextmanager
def nginx_with(folder: Path, port: int, servers: str) -> Iterator[None]:
    """Run nginx with blocks of servers, of which one listens on a port; its files in ``folder``."""
    if PROGRAM is None:
        pytest.skip("needs nginx")
    folder.mkdir()
    config = folder / "nginx.conf"
    config.write_text(_CONFIG.format(folder=folder, servers=servers))
    # A worker that root starts becomes another user, who has to get at the files.
    argv = [PROGRAM, "-c", str(config), "-g", "user root;", "-e", str(folder / "error.log")]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as process:
        try:
            _wait_for(process, port)
            yield
        finally:
            process.terminate()


def _wait_for(process: subprocess.Popen[str], port: int) -> None:
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    assert process.stderr is not None
    pytest.fail(f"nginx does not start: {process.stderr.read()}")
