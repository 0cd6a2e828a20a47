# SPDX-License-Identifier: Apache-2.0
"""``fleet device add``: register a device, with a certificate that is made for it or elsewhere.

ID.p12 is written to --output: certificate, key and the fleet's authority, under an empty password,
as aktualizr imports them; with --pem, ID.pem, ID.key and ca.pem instead. --certificate registers a
device whose certificate the fleet's authority gave it already. --renew gives a registered device
another certificate.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.dirfd import open_dir
from ostrya.cli.errors import UsageError
from ostrya.cli.fleet_server import DIR, open_server
from ostrya.cli.options import flag, number, text
from ostrya.cli.output import write_line

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.fleet.domain.services import Services

PARAMETERS = "[ID]"
OPTIONS = (
    DIR,
    text("output", "PATH", "Where the certificate is written; default: the current directory"),
    flag("pem", "Write PEM files instead of a PKCS#12"),
    number("days", "N", "For how long the certificate is good; default: 36000"),
    text("certificate", "FILE", "Register this certificate, which was made elsewhere"),
    flag("renew", "The device is registered: give it another certificate"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Register it."""
    given = arguments.text("certificate")
    if (len(arguments.positionals) != 1) == (given is None):
        raise context.usage_error("one ID must be specified, or --certificate")
    with open_server(arguments) as services:
        if given is not None:
            from ostrya.fleet.domain.devices import add_with_certificate
            from ostrya.uptane.author.keyring import read_bounded

            found = add_with_certificate(services.fleet, read_bounded(given))
            write_line(f"{found.name} is registered, with the certificate {found.serial}")
            return 0
        for path in _add(arguments, services, arguments.positionals[0]):
            write_line(path)
    return 0


def _add(arguments: Arguments, services: Services, device_id: str) -> list[str]:
    from ostrya.fleet.domain.devices import provision, renew

    folder = arguments.text("output") or "."
    pem = arguments.flag("pem")
    names = [f"{device_id}.pem", f"{device_id}.key", "ca.pem"] if pem else [f"{device_id}.p12"]
    for name in names[:2]:
        if os.path.lexists(os.path.join(folder, name)):
            raise UsageError(f"{os.path.join(folder, name)} exists already")
    days = arguments.number("days") or 36000
    dir_fd = open_dir(folder, follow=True)
    try:
        make = renew if arguments.flag("renew") else provision
        identity = make(services.fleet, device_id, days)
        authority = services.fleet.authority
        if pem:
            contents = [identity.certificate_pem(), identity.key_pem(), authority.certificate_pem()]
        else:
            contents = [identity.p12(device_id, [authority.certificate])]
        for name, data in zip(names, contents, strict=True):
            replace_file(name, data, dir_fd=dir_fd, mode=0o600)
    finally:
        os.close(dir_fd)
    return [os.path.join(folder, name) for name in names]
