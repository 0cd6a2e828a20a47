# SPDX-License-Identifier: Apache-2.0
"""A token in files: SoftHSM, with a folder of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from ostrya.uptane.client.config import P11Section
from support.commands import have
from support.fleet_ca import Issued

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")


class SoftHsm:
    """A token named ``first``, of which the environment of the test knows."""

    pin = "4711"

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("pkcs11")
        if not have("softhsm2-util") or not MODULE.exists() or not have("pkcs11-tool"):
            pytest.skip("needs softhsm2 and opensc")
        self.folder = folder
        (folder / "tokens").mkdir(parents=True)
        text = f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\n"
        (folder / "softhsm2.conf").write_text(text)
        monkeypatch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        self.add("first")

    def add(self, label: str) -> None:
        """Make another token."""
        self._run(
            "softhsm2-util", "--init-token", "--free", "--label", label, "--pin", self.pin,
            "--so-pin", "12345678",
        )  # fmt: skip

    def section(self, **keys: str) -> P11Section:
        """What a configuration says of it."""
        return P11Section(str(MODULE), self.pin, label="first")._replace(**keys)

    def store(self, issued: Issued, cert_id: str, key_id: str) -> None:
        """Put a certificate and its key there."""
        issued.write(self.folder, "stored")
        der = self.folder / "stored.der"
        der.write_bytes(issued.certificate.public_bytes(Encoding.DER))
        for path, kind, object_id in (
            (self.folder / "stored.key", "privkey", key_id), (der, "cert", cert_id),
        ):  # fmt: skip
            self._run(
                "pkcs11-tool", "--module", str(MODULE), "--login", "--pin", self.pin,
                "--token-label", "first", "--write-object", str(path), "--type", kind,
                "--id", object_id,
            )  # fmt: skip

    @staticmethod
    def _run(*argv: str) -> None:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
