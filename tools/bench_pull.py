# SPDX-License-Identifier: Apache-2.0
"""The rows of ``bench.py`` that pull over HTTP: one nginx serves both tools, near or far."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
LATENCY_MS = 40
CONFIG = """\
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off; sendfile on; tcp_nopush on; root {root}; keepalive_requests 100000;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    server {{ listen 127.0.0.1:{port}; }}
}}
"""


@dataclass(frozen=True, slots=True)
class Served:
    """A repository on the network.

    Attributes:
        near: Its address on this machine.
        far: The same, with latency on the path.
    """

    near: str
    far: str


@contextmanager
def served(root: Path, folder: Path) -> Iterator[Served]:
    """Serve a folder through nginx, directly and through a path with latency."""
    if NGINX is None:
        sys.exit("nginx is missing: pulls cannot be measured without a server")
    folder.mkdir(parents=True, exist_ok=True)
    near, far = free_port(), free_port()
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, root=root, port=near))
    proxy = str(Path(__file__).with_name("delay_proxy.py"))
    # Its worker has to get at files that only their owner may read.
    commands = (
        [NGINX, "-c", str(config), "-g", "user root;", "-e", str(folder / "error.log")],
        [sys.executable, proxy, str(far), str(near), str(LATENCY_MS)],
    )
    with ExitStack() as stack:
        for argv, port in zip(commands, (near, far), strict=True):
            process = stack.enter_context(subprocess.Popen(argv))
            stack.callback(process.terminate)
            wait_for(process, port)
        yield Served(f"http://127.0.0.1:{near}", f"http://127.0.0.1:{far}")


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait until a process listens."""
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    sys.exit(f"{process.args!r} ended with status {process.returncode}")
