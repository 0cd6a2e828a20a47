# SPDX-License-Identifier: Apache-2.0
"""Write a small repository with python-tuf: python make.py FOLDER."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

FAR = datetime(2999, 1, 1, tzinfo=UTC)


def main(folder: Path) -> None:
    """Two roots, one after the other; a role that is trusted; RSA and ed25519."""
    signers = {
        "root": [CryptoSigner.generate_ed25519(), CryptoSigner.generate_rsa()],
        "timestamp": [CryptoSigner.generate_ed25519()],
        "snapshot": [CryptoSigner.generate_rsa()],
        "targets": [CryptoSigner.generate_ed25519()],
    }
    supplier = CryptoSigner.generate_ed25519()

    def put(name: str, value: object, listed: list[CryptoSigner]) -> bytes:
        metadata = Metadata(value)
        for one in listed:
            metadata.sign(one, append=True)
        data = metadata.to_bytes()
        (folder / name).write_bytes(data)
        return data

    root = Root(expires=FAR)
    for role, listed in signers.items():
        for one in listed:
            root.add_key(one.public_key, role)
        root.roles[role].threshold = len(listed)
    put("1.root.json", root, signers["root"])
    new = CryptoSigner.generate_ed25519()
    root.revoke_key(signers["root"][0].public_key.keyid, "root")
    root.add_key(new.public_key, "root")
    root.version = 2
    put("2.root.json", root, [*signers["root"], new])
    key_id = supplier.public_key.keyid
    role = DelegatedRole("supplier", [key_id], 1, terminating=True, paths=["supplied/*"])
    delegations = Delegations({key_id: supplier.public_key}, roles={"supplier": role})
    own = Targets(expires=FAR)
    own.targets["supplied/\u00e9"] = TargetFile.from_data("supplied/\u00e9", b"supplied")
    put("1.supplier.json", own, [supplier])
    targets = Targets(expires=FAR, delegations=delegations)
    targets.targets["firmware"] = TargetFile.from_data("firmware", b"content")
    data = put("1.targets.json", targets, signers["targets"])
    meta = {
        "targets.json": MetaFile.from_data(1, data, ["sha256"]),
        "supplier.json": MetaFile(1),
    }
    data = put("1.snapshot.json", Snapshot(expires=FAR, meta=meta), signers["snapshot"])
    stamp = Timestamp(expires=FAR, snapshot_meta=MetaFile.from_data(1, data, ["sha512"]))
    put("timestamp.json", stamp, signers["timestamp"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
