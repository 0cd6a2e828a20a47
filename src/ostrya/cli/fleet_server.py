# SPDX-License-Identifier: Apache-2.0
"""What the verbs of `fleet` share: the folder of a server, and whether its libraries are here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import text

if TYPE_CHECKING:
    from ostrya.cli.parser import Arguments
    from ostrya.fleet.db.devices import Ecu
    from ostrya.fleet.domain.services import Services

DIR = text("dir", "PATH", "Folder of the server; default: the current directory")
# Of each library one module that says whether it is here.
_LIBRARIES = ("alembic", "httptools", "sqlalchemy", "starlette", "uvicorn")


def require_libraries() -> None:
    """Refuse to go on where the libraries of the server are not installed.

    Raises:
        SetupError: One is missing.
    """
    from importlib.util import find_spec

    from ostrya.fleet.errors import SetupError

    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    if missing:
        raise SetupError(
            f"the server needs {', '.join(missing)}, which {_are(missing)} not installed",
            hint="pip install 'ostrya[fleet]'",
        )


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def open_server(arguments: Arguments) -> Services:
    """Open the server that --dir names, beside whoever serves it.

    Raises:
        SetupError: There is none.
    """
    require_libraries()
    from ostrya.fleet.domain.services import open_services

    return open_services(arguments.text("dir") or ".")


def shown_image(ecu: Ecu) -> str:
    """Return what an ECU runs, as it is shown: what came otherwise is known by its digest."""
    if not ecu.image:
        return "not known"
    is_strange = ecu.image == "unknown" and ecu.image_sha256
    return f"unknown ({ecu.image_sha256[:12]})" if is_strange else ecu.image


def shown_time(moment: int | None) -> str:
    """Return a time as it is shown."""
    import time

    if moment is None:
        return "never"
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
