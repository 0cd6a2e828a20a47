# SPDX-License-Identifier: Apache-2.0
"""A device by its configuration: a folder with a file of settings, and the program that reads it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


class ConfiguredDevice:
    """A device in a folder.

    Attributes:
        folder: Where everything is.
        config: Its settings.
        environment: What the environment of its programs has besides.
    """

    def __init__(self, folder: Path, **sections: dict[str, object]) -> None:
        self.folder = folder
        self.environment: dict[str, str] = {}
        folder.mkdir(parents=True, exist_ok=True)
        usual: dict[str, dict[str, object]] = {
            "provision": {"primary_ecu_hardware_id": "board"},
            "uptane": {"key_type": "ED25519", "polling_sec": 1},
            "pacman": {"type": "none", "images_path": str(folder / "images")},
            "storage": {"path": str(folder / "sota")},
            "import": {"base_path": str(folder / "import")},
            "bootloader": {"reboot_sentinel_dir": str(folder / "run"), "reboot_command": ""},
            "control": {"socket": str(folder / "c.sock")},
            "telemetry": {"report_hardware": False},
        }
        for name, values in sections.items():
            usual[name] = {**usual.get(name, {}), **values}
        self.config = folder / "sota.toml"
        lines = []
        for name, values in usual.items():
            lines.append(f"[{name}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        self.config.write_text("\n".join(lines) + "\n")

    def argv(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "ostrya", "ota", *words, f"--config={self.config}"]

    def run(self, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a verb to its end."""
        done = subprocess.run(
            self.argv(*words), capture_output=True, text=True, check=False, timeout=120,
            env={
                **os.environ, "OSTREE_SYSROOT_DEBUG": "mutable-deployments", **self.environment,
            },
        )  # fmt: skip
        assert done.returncode == status, done.stderr
        return done

    def once(self, mode: str = "once", status: int = 0) -> dict:
        """Go through one cycle."""
        return json.loads(self.run("run", mode, "--json", status=status).stdout)

    def restart(self) -> None:
        """Play a restart."""
        (self.folder / "run/need_reboot").unlink()
