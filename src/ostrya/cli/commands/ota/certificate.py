# SPDX-License-Identifier: Apache-2.0
"""``ota certificate``: make a device's key and certificate, where devices are made.

With --fleet-ca and --fleet-ca-key, the fleet's authority signs here; with --credentials, its server
does, as if the device asked. Key, certificate, authority and settings are written to DIRECTORY,
which becomes --base-path on the device, the settings a file of /etc/sota/conf.d. A server of
`ostrya fleet` gets to know a device whose certificate was signed elsewhere by
`ostrya fleet device add --certificate`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.errors import UsageError
from ostrya.cli.options import number, text
from ostrya.cli.ota_client import utc_now
from ostrya.cli.output import write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.uptane.client.device_files import MadeDevice

PARAMETERS = "DIRECTORY"
_DAYS = 36000
OPTIONS = (
    text("credentials", "ZIP", "The fleet's shared credentials"),
    text("p12-password", "TEXT", "Password of the PKCS#12 in them; default: none"),
    text("fleet-ca", "PEM", "The authority's certificate"),
    text("fleet-ca-key", "PEM", "Its key"),
    text("device-id", "NAME", "What the device is called; default: a name that is made up"),
    number("days", "N", f"For how long the certificate is good; default: {_DAYS}"),
    text("server", "URL", "The gateway's address; default: as the credentials say"),
    text("base-path", "PATH", "Where the files will be; default: /var/sota/import"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Make it."""
    from ostrya.uptane.client.device_files import write_device

    if len(arguments.positionals) != 1:
        raise context.usage_error("one DIRECTORY must be specified")
    made = _make(arguments)
    server = (arguments.text("server") or made.server).rstrip("/")
    base_path = arguments.text("base-path") or "/var/sota/import"
    write_line(made.device_id)
    for path in write_device(arguments.positionals[0], made._replace(server=server), base_path):
        write_line(path)
    return 0


def _make(arguments: Arguments) -> MadeDevice:
    from ostrya.uptane.author.keyring import read_bounded
    from ostrya.uptane.client.device_files import Asking, ask_server, sign_by_authority
    from ostrya.uptane.client.p12 import TlsIdentity

    credentials = arguments.text("credentials")
    authority = arguments.text("fleet-ca"), arguments.text("fleet-ca-key")
    name = arguments.text("device-id") or ""
    days = arguments.number("days") if arguments.has("days") else None
    days = _DAYS if days is None else days
    if not 0 < days <= 10 * _DAYS:
        raise UsageError(f"--days={days} is no number of days from 1 on")
    if (credentials is None) == (authority == (None, None)):
        raise UsageError("either --credentials, or --fleet-ca and --fleet-ca-key")
    if credentials is not None:
        password, server = arguments.text("p12-password"), arguments.text("server")
        return ask_server(Asking(credentials, password or "", server or ""), name, days)
    if authority[0] is None or authority[1] is None:
        raise UsageError("--fleet-ca and --fleet-ca-key belong together")
    cert, key = read_bounded(authority[0]), read_bounded(authority[1])
    return sign_by_authority(TlsIdentity(b"", cert, key), name, days, utc_now())
