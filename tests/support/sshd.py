# SPDX-License-Identifier: Apache-2.0
"""Debian's sshd on a free port of loopback, with keys of its own, offering sftp and nothing else."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Self

import pytest

from support.ports import free_port

SSHD = Path("/usr/sbin/sshd")
SFTP_SERVER = Path("/usr/lib/openssh/sftp-server")


def need_sftp_server() -> str:
    if not SFTP_SERVER.exists():
        pytest.skip("needs OpenSSH's sftp-server")
    return str(SFTP_SERVER)


class SshServer:
    """The server; whoever has ``user_key`` may come in as the user of this process."""

    def __init__(self, folder: Path) -> None:
        if not SSHD.exists():
            pytest.skip("needs OpenSSH's server")
        self.folder = folder
        for name in ("host_key", "user_key"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True
            )
        keys = folder / "authorized_keys"
        keys.write_bytes((folder / "user_key.pub").read_bytes())
        keys.chmod(0o600)
        if os.geteuid() == 0:
            # For its processes without privileges; a service would make it.
            Path("/run/sshd").mkdir(exist_ok=True)
        self.port = free_port()
        host_key = " ".join((folder / "host_key.pub").read_text().split()[:2])
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {host_key}\n")
        (folder / "config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\n"
            f"AuthorizedKeysFile {keys}\nPidFile none\nStrictModes no\nUsePAM no\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            "Subsystem sftp internal-sftp\nForceCommand internal-sftp\n"
        )
        self._process = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", folder / "config"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.options = [
            f"IdentityFile={folder}/user_key", "IdentitiesOnly=yes", "BatchMode=yes",
            f"UserKnownHostsFile={folder}/known_hosts", "GlobalKnownHostsFile=/dev/null",
        ]  # fmt: skip
        self._wait()

    def _wait(self) -> None:
        import socket

        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert time.monotonic() < deadline, "sshd does not answer"
                time.sleep(0.05)
            else:
                return

    def address(self, path: Path) -> str:
        return f"ssh://127.0.0.1:{self.port}{path}"

    @property
    def arguments(self) -> list[str]:
        return [f"--ssh-option={option}" for option in self.options]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.kill()
        self._process.wait()
