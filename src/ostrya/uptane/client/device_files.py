# SPDX-License-Identifier: Apache-2.0
"""A device's key and certificate, made before the device is: for whoever makes devices.

Either the fleet's authority signs, whose key is at hand; or the fleet's server is asked, with the
shared credentials, as the device itself would. What comes of it is a folder for the device::

    ca.pem, client.pem, client.key    what [import] names
    20-device.toml                    settings that name them, and the server

Source: aktualizr-cert-provider, for what there is to choose.
"""

from __future__ import annotations

import json
import os
import tempfile
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import exists, open_dir
from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client import tls_files
from ostrya.uptane.client.config import (
    ClientConfig,
    ProvisionMode,
    ProvisionSection,
    StorageSection,
    TlsSection,
)
from ostrya.uptane.client.credentials import obtain_credentials
from ostrya.uptane.client.identity import random_name
from ostrya.uptane.client.p12 import TlsIdentity, check_pair
from ostrya.uptane.client.storage import open_storage
from ostrya.uptane.errors import AuthoringError, IdentityError

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

CA, CERT, KEY, SETTINGS = "ca.pem", "client.pem", "client.key", "20-device.toml"
_MAX_NAME = 64
_VALID_FROM = (1970, 1, 1)


class MadeDevice(NamedTuple):
    """A device that may be made.

    Attributes:
        device_id: What its certificate calls it.
        identity: Its key and certificate, and the authority.
        server: The gateway's address; empty where nobody said it.
    """

    device_id: str
    identity: TlsIdentity
    server: str = ""


def sign_by_authority(
    authority: TlsIdentity, device_id: str, days: int, now: datetime
) -> MadeDevice:
    """Make a key, and a certificate that an authority signs.

    Args:
        authority: Its certificate and key; ``ca`` is not looked at.
        device_id: What the device is called; empty for a name that is made up.
        days: For how long the certificate is good.
        now: The time.

    Raises:
        IdentityError: The authority cannot sign, or nobody can be called so.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )

    check_pair(authority.cert, authority.key, "the authority")
    name = device_id or random_name()
    if not name.isprintable() or len(name) > _MAX_NAME:
        raise IdentityError(f"{name!r} cannot name a device: up to {_MAX_NAME} characters can")
    issuer = x509.load_pem_x509_certificate(authority.cert)
    key = ec.generate_private_key(ec.SECP256R1())
    signer = load_pem_private_key(authority.key, None)
    is_edwards = isinstance(signer, ed25519.Ed25519PrivateKey)
    end = min(now + timedelta(days=days), issuer.not_valid_after_utc)
    builder = _certificate(issuer, key, name, end)
    try:
        found = builder.sign(signer, None if is_edwards else hashes.SHA256())  # type: ignore[arg-type]  # whatever signs
    except (TypeError, ValueError) as exc:
        raise IdentityError(f"the authority cannot sign: {exc}") from None
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return MadeDevice(name, TlsIdentity(authority.cert, found.public_bytes(Encoding.PEM), pem))


def _certificate(
    issuer: x509.Certificate, key: EllipticCurvePrivateKey, name: str, end: datetime
) -> x509.CertificateBuilder:
    from datetime import datetime

    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    subject = x509.Name(
        [
            # So that a server of ours knows what it is for.
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "device"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A device without a battery starts in 1970.
        .not_valid_before(max(datetime(*_VALID_FROM, tzinfo=UTC), issuer.not_valid_before_utc))
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    )


class Asking(NamedTuple):
    """How a server is asked.

    Attributes:
        credentials: A credentials.zip, which stays as it is.
        password: Of the PKCS#12 in it; empty for none.
        server: The gateway's address; empty for the one in the zip.
    """

    credentials: str
    password: str = ""
    server: str = ""


def ask_server(asking: Asking, device_id: str, days: int) -> MadeDevice:
    """Have the fleet's server make a certificate, with the shared credentials.

    Args:
        asking: How.
        device_id: What the device is called; empty for a name that is made up.
        days: For how long the certificate is good.

    Raises:
        UptaneError: The credentials are no good, the name is taken, or the server does not answer.
        OSError: A file cannot be read.
    """
    with tempfile.TemporaryDirectory() as folder:
        section = ProvisionSection(
            provision_path=asking.credentials, p12_password=asking.password,
            device_id=device_id, expiry_days=str(days), mode=ProvisionMode.REUSED,
        )  # fmt: skip
        config = ClientConfig(
            tls=TlsSection(server=asking.server),
            provision=section,
            storage=StorageSection(path=folder),
        )
        with open_storage(config.database_path) as storage:
            found = obtain_credentials(config, storage)
            facts = tls_files.tls_facts(storage)
    identity = TlsIdentity(*(facts[one] for one in (tls_files.CA, tls_files.CERT, tls_files.KEY)))
    return MadeDevice(found.device_id, identity, found.gateway)


def write_device(folder: str, made: MadeDevice, base_path: str) -> tuple[str, ...]:
    """Write the files of a device to a folder, for nobody else to read; return their paths.

    Args:
        folder: Where to; made if it is not there.
        made: The device.
        base_path: Where the folder will be on the device.

    Raises:
        AuthoringError: A device is there already: its key cannot be had again.
        OSError: They cannot be written.
    """
    files = {
        CA: made.identity.ca,
        CERT: made.identity.cert,
        KEY: made.identity.key,
        SETTINGS: _settings(made, base_path),
    }
    os.makedirs(folder, mode=0o700, exist_ok=True)
    folder_fd = open_dir(folder, follow=True)
    try:
        if exists(KEY, dir_fd=folder_fd):
            raise AuthoringError(
                f"{os.path.join(folder, KEY)} is there already", hint="take another folder"
            )
        for name, data in files.items():
            replace_file(name, data, dir_fd=folder_fd, mode=0o600)
    finally:
        os.close(folder_fd)
    return tuple(os.path.join(folder, name) for name in files)


def _settings(made: MadeDevice, base_path: str) -> bytes:
    lines = [f"# {made.device_id}"]
    if made.server:
        lines += ["[tls]", f"server = {json.dumps(made.server)}", ""]
    lines += ["[import]", f"base_path = {json.dumps(base_path)}"]
    named = {"tls_cacert_path": CA, "tls_clientcert_path": CERT, "tls_pkey_path": KEY}
    lines += [f"{key} = {json.dumps(name)}" for key, name in named.items()]
    return ("\n".join(lines) + "\n").encode()
