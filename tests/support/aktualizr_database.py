# SPDX-License-Identifier: Apache-2.0
"""A database as aktualizr leaves it behind, of schema 26; see the facts' H05."""

from __future__ import annotations

import sqlite3
from pathlib import Path

TABLES = {
    "version": "version INTEGER",
    "device_info": "unique_mark INTEGER PRIMARY KEY, device_id TEXT, is_registered INTEGER",
    "ecus": "id INTEGER PRIMARY KEY, serial TEXT UNIQUE, hardware_id TEXT, is_primary INTEGER",
    "secondary_ecus": "serial TEXT PRIMARY KEY, sec_type TEXT, public_key_type TEXT, public_key TEXT,"
    " extra TEXT, manifest TEXT",
    "misconfigured_ecus": "serial TEXT UNIQUE, hardware_id TEXT, state INTEGER",
    "installed_versions": "id INTEGER PRIMARY KEY, ecu_serial TEXT NOT NULL, sha256 TEXT NOT NULL,"
    " name TEXT NOT NULL, hashes TEXT NOT NULL, length INTEGER NOT NULL DEFAULT 0,"
    " correlation_id TEXT NOT NULL DEFAULT '', is_current INTEGER NOT NULL DEFAULT 0,"
    " is_pending INTEGER NOT NULL DEFAULT 0, was_installed INTEGER NOT NULL DEFAULT 0,"
    " custom_meta TEXT NOT NULL DEFAULT ''",
    "primary_keys": "unique_mark INTEGER PRIMARY KEY, private TEXT, public TEXT",
    "tls_creds": "ca_cert BLOB, ca_cert_format TEXT, client_cert BLOB, client_cert_format TEXT,"
    " client_pkey BLOB, client_pkey_format TEXT",
    "meta": "meta BLOB NOT NULL, repo INTEGER NOT NULL, meta_type INTEGER NOT NULL,"
    " version INTEGER NOT NULL, UNIQUE (repo, meta_type, version)",
    "delegations": "meta BLOB NOT NULL, role_name TEXT NOT NULL UNIQUE",
    "need_reboot": "unique_mark INTEGER PRIMARY KEY, flag INTEGER",
    "ecu_report_counter": "ecu_serial TEXT PRIMARY KEY, counter INTEGER NOT NULL",
    "report_events": "id INTEGER PRIMARY KEY, json_string TEXT NOT NULL",
    "device_data": "data_type TEXT PRIMARY KEY, hash TEXT NOT NULL",
}
IMAGES, DIRECTOR = 0, 1
ROOT, SNAPSHOT, TARGETS, TIMESTAMP = 0, 1, 2, 3


class AktualizrDatabase:
    """Such a database, to be filled."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.connection = sqlite3.connect(path, isolation_level=None)
        for name, columns in TABLES.items():
            self.connection.execute(f"CREATE TABLE {name}({columns})")
        self.put("version", version=26)

    def put(self, table: str, **row: object) -> None:
        names, places = ", ".join(row), ", ".join("?" * len(row))
        query = f"INSERT INTO {table} ({names}) VALUES ({places})"
        self.connection.execute(query, tuple(row.values()))

    def device(self, name: str, serial: str, *, registered: int = 1) -> None:
        self.put("device_info", unique_mark=0, device_id=name, is_registered=registered)
        self.put("ecus", id=0, serial=serial, hardware_id="board", is_primary=1)

    def image(self, name: str, sha256: str, **row: object) -> None:
        usual = {"ecu_serial": "", "hashes": f"sha256:{sha256.upper()}", "was_installed": 1}
        self.put("installed_versions", name=name, sha256=sha256, **{**usual, **row})

    def dump(self) -> list[str]:
        """Everything in aktualizr's own tables."""
        lines = []
        for name in TABLES:
            lines += [f"{name} {row}" for row in self.connection.execute(f"SELECT * FROM {name}")]
        return lines
