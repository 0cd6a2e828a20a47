# SPDX-License-Identifier: Apache-2.0
"""What the verb itself does; an ECU that is served is in test_own_process.py."""

from __future__ import annotations

import signal
import subprocess
import sys

from ostrya.uptane.client.secondaries.ip import ask_info
from ostrya.uptane.client.secondaries.link import Address
from support.ota_second import TIMEOUTS
from support.ports import free_port


def test_no_configuration(run, tmp_path):
    assert "cannot be read" in run.fails("ota", "secondary", "-c", tmp_path / "x", status=70)


def test_it_listens_until_a_signal_ends_it(tmp_path):
    port = free_port()
    config = tmp_path / "s.toml"
    config.write_text(
        f'[network]\nport = {port}\naddress = "127.0.0.1"\n[uptane]\nkey_type = "ED25519"\n'
        f'ecu_serial = "s-1"\n[pacman]\ntype = "none"\nimages_path = "{tmp_path}/i"\n'
        f'[storage]\npath = "{tmp_path}/s"\n'
    )
    argv = [sys.executable, "-m", "ostrya", "ota", "secondary", f"--config={config}"]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stderr:
                if "listening" in line:
                    break
            info = ask_info(Address("127.0.0.1", port), TIMEOUTS)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
    assert info.serial == "s-1"
    assert process.returncode == 128 + signal.SIGTERM
