# SPDX-License-Identifier: Apache-2.0
"""A device of a fleet whose gateway is a script: its folders, configuration and credentials."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ostrya.uptane.client.config import (
    ClientConfig,
    ImportSection,
    KeyType,
    NetworkSection,
    PacmanSection,
    ProvisionSection,
    StorageSection,
    TlsSection,
    UptaneSection,
)
from ostrya.uptane.client.device_data.settings import config_toml
from ostrya.uptane.client.storage import Storage, open_storage
from ostrya.uptane.credentials_zip import DEVICE_P12, GATEWAY_URL, TREEHUB, write_members
from support.gateway import Gateway
from support.uptane_world import make_repo

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)


class OtaDevice:
    """A device below a folder."""

    def __init__(self, folder: Path, gateway: Gateway) -> None:
        self.folder = folder
        self.gateway = gateway
        folder.mkdir(parents=True, exist_ok=True)
        for name, first_key in (("director", 10), ("repo", 20)):
            root = make_repo(name, first_key).files["1.root.json"]
            gateway.files[f"/{name}/1.root.json"] = root

    @property
    def zip_path(self) -> Path:
        return self.folder / "credentials.zip"

    @property
    def import_path(self) -> Path:
        return self.folder / "import"

    def option(self, config: ClientConfig) -> str:
        """Write its settings; return the option that names them."""
        path = self.folder / "sota.toml"
        path.write_text(config_toml(config))
        return f"--config={path}"

    def write_zip(self, **members: bytes) -> None:
        """Put the fleet's credentials there."""
        gateway = self.gateway
        shared = gateway.ca.issue(gateway.fleet.provisioner)
        found = {
            GATEWAY_URL: gateway.url.encode() + b"\n",
            DEVICE_P12: gateway.ca.p12(shared),
            TREEHUB: b'{"no_auth": true}',
        }
        found.update(members)
        write_members(str(self.zip_path), found)

    def shared_config(self, **provision: object) -> ClientConfig:
        """The configuration of a device that is provisioned by them."""
        section = {
            "provision_path": str(self.zip_path),
            "primary_ecu_hardware_id": "board",
            **provision,
        }
        return self._config(ProvisionSection(**section), TlsSection(), ImportSection())

    def device_config(self, name: str = "device-1", **provision: object) -> ClientConfig:
        """The configuration of a device that was given a certificate."""
        issued = self.gateway.ca.issue(name)
        issued.write(self.import_path, "client")
        (self.import_path / "ca.pem").write_bytes(self.gateway.ca.pem)
        section = ProvisionSection(primary_ecu_hardware_id="board", **provision)
        imports = ImportSection(
            str(self.import_path), "ca.pem", "client.key", "client.pem",
        )  # fmt: skip
        return self._config(section, TlsSection(server=self.gateway.url), imports)

    def _config(
        self, provision: ProvisionSection, tls: TlsSection, imports: ImportSection
    ) -> ClientConfig:
        if imports.base_path == ImportSection().base_path:
            imports = imports._replace(base_path=str(self.import_path))
        return ClientConfig(
            tls=tls,
            network=NetworkSection(request_timeout_sec=20, retries=0),
            provision=provision,
            uptane=UptaneSection(key_type=KeyType.ED25519),
            pacman=PacmanSection(images_path=str(self.folder / "images")),
            storage=StorageSection(path=str(self.folder / "sota")),
            import_=imports,
        )

    def open(self) -> Storage:
        return open_storage(str(self.folder / "sota/sql.db"))
