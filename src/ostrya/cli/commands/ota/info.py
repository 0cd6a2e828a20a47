# SPDX-License-Identifier: Apache-2.0
"""``ota info``: who the device is, what it runs, what comes next, and what is wrong.

Its database and its sysroot are read, and nobody is asked. With one of the options that name
something, only that is printed, as it is kept: keys and certificates as PEM, metadata as JSON. A
client may run meanwhile.
"""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from ostrya.cli.kernel_line import running_kargs
from ostrya.cli.options import flag, number
from ostrya.cli.ota_client import CONFIG, load_client_config, sysroot_opener, utc_now
from ostrya.cli.ota_overview import overview_json, overview_lines
from ostrya.cli.output import write_json, write_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.uptane.client.config import ClientConfig
    from ostrya.uptane.client.overview import Overview
    from ostrya.uptane.client.storage import Storage
    from ostrya.uptane.client.system_view import SeenSystem

PARAMETERS = ""
_PARTS = {
    "name-only": "What the server calls the device",
    "tls-creds": "Its certificate, the authority's, and its key",
    "tls-root-ca": "The authority's certificate",
    "tls-cert": "The device's certificate",
    "tls-prv-key": "The device's key",
    "ecu-keys": "Both halves of the key that signs reports",
    "ecu-keyid": "The id of that key",
    "ecu-pub-key": "Its public half",
    "ecu-prv-key": "Its private half",
    "secondary-keys": "Serials and public keys of the other ECUs",
    "image-root": "Root of the Image repository",
    "image-timestamp": "Its Timestamp",
    "image-snapshot": "Its Snapshot",
    "image-targets": "Its Targets",
    "delegation": "Targets of roles that those trust",
    "director-root": "Root of the Director",
    "director-targets": "Its Targets",
}
_METADATA = {
    "image-root": ("image", "root"),
    "image-timestamp": ("image", "timestamp"),
    "image-snapshot": ("image", "snapshot"),
    "image-targets": ("image", "targets"),
    "director-root": ("director", "root"),
    "director-targets": ("director", "targets"),
}
_ROLES = frozenset({"root", "timestamp", "snapshot", "targets"})
_PAUSE_S = 1.0
OPTIONS = (
    CONFIG,
    *(flag(name, f"Only this: {words[0].lower()}{words[1:]}") for name, words in _PARTS.items()),
    number("root-version", "N", "Which root; default: the newest"),
    flag("wait-until-provisioned", "Wait until the server knows the device"),
    flag("allow-migrate", "Accepted, as for aktualizr-info: nothing needs it", hidden=True),
)


def run(arguments: Arguments, context: Context) -> int:
    """Look, and tell."""
    if arguments.positionals:
        raise context.usage_error("nothing is to be named")
    config = load_client_config(arguments)
    parts = [name for name in _PARTS if arguments.flag(name)]
    if parts and context.json:
        raise context.usage_error(f"--{parts[0]} is printed as it is kept, not with --json")
    waits = arguments.flag("wait-until-provisioned")
    while True:
        with ExitStack() as stack:
            storage = _open(stack, config)
            seen = _look(config, storage)
            if not waits or seen.is_provisioned:
                for part in parts:
                    _write_part(part, config, storage, arguments)
                if not parts:
                    _write(seen, _system(config, storage, context), context)
                return 0
        time.sleep(_PAUSE_S)


def _open(stack: ExitStack, config: ClientConfig) -> Storage | None:
    from ostrya.uptane.client.storage import open_to_read

    storage = open_to_read(config.database_path)
    return None if storage is None else stack.enter_context(storage)


def _look(config: ClientConfig, storage: Storage | None) -> Overview:
    from ostrya.uptane.client.overview import look
    from ostrya.uptane.client.vehicle import RELEASED

    return look(config, storage, utc_now(), RELEASED)


def _system(config: ClientConfig, storage: Storage | None, context: Context) -> SeenSystem | None:
    """Look at the system that the Primary updates, where it updates one."""
    from ostrya.uptane.client.config import PackageManager
    from ostrya.uptane.client.system_view import look_at_system

    if config.pacman.type is PackageManager.NONE:
        return None
    path = config.pacman.sysroot or "/"
    opener = sysroot_opener(path, context.environment, to_write=False)
    return look_at_system(path, opener, running_kargs, storage)


def _write(seen: Overview, system: SeenSystem | None, context: Context) -> None:
    if context.json:
        write_json(overview_json(seen, system))
        return
    for line in overview_lines(seen, system):
        write_line(line)


# ---------------------------------------------------------------------------- one part


def _write_part(
    part: str, config: ClientConfig, storage: Storage | None, arguments: Arguments
) -> None:
    from ostrya.uptane.errors import NotProvisioned

    found = [] if storage is None else list(_part(part, config, storage, arguments))
    if not found and part not in {"delegation", "secondary-keys"}:
        words = f"{_PARTS[part][0].lower()}{_PARTS[part][1:]}: the device has none yet"
        raise NotProvisioned(words, hint="`ostrya ota info` says how far it has come")
    for one in found:
        write_line(one.rstrip("\n"))


def _part(part: str, config: ClientConfig, storage: Storage, arguments: Arguments) -> Iterator[str]:
    from ostrya.uptane.client.identity import DEVICE_ID, fact_text

    if part == "name-only":
        name = fact_text(storage, DEVICE_ID)
        yield from [name] if name else []
    elif part.startswith("tls-"):
        yield from _tls(part, config, storage)
    elif part.startswith("ecu-"):
        yield from _key(part, config, storage)
    elif part == "secondary-keys":
        yield from _secondary_keys(storage)
    else:
        yield from _metadata(part, storage, arguments)


def _tls(part: str, config: ClientConfig, storage: Storage) -> Iterator[str]:
    from ostrya.uptane.client.tls_files import CA, CERT, KEY, tls_facts

    wanted = {
        "tls-creds": (CA, CERT, KEY),
        "tls-root-ca": (CA,),
        "tls-cert": (CERT,),
        "tls-prv-key": (KEY,),
    }
    known = tls_facts(storage)
    on_token = {
        CA: (config.tls.ca_source, config.p11.tls_cacert_id),
        CERT: (config.tls.cert_source, config.p11.tls_clientcert_id),
        KEY: (config.tls.pkey_source, config.p11.tls_pkey_id),
    }
    for fact in wanted[part]:
        source, object_id = on_token[fact]
        if source.value == "pkcs11":
            yield f"on the token, with the id {object_id}"
        elif fact in known:
            yield known[fact].decode("ascii", "replace")


def _key(part: str, config: ClientConfig, storage: Storage) -> Iterator[str]:
    from ostrya.uptane.client.identity import SERIAL, fact_text, is_on_token
    from ostrya.uptane.client.primary_key import load_primary_key
    from ostrya.uptane.client.provisioning import registered_keys
    from ostrya.uptane.metadata.keys import uptane_key_id

    # A token is not asked: that takes its PIN, and may take the client's session.
    secret = None if is_on_token(config) else load_primary_key(config, storage)
    known = registered_keys(storage)
    key = known.get(fact_text(storage, SERIAL)) if secret is None else secret.key
    if key is None:
        return
    if part == "ecu-keyid":
        yield uptane_key_id(key)
    if part in {"ecu-pub-key", "ecu-keys"}:
        yield key.public
    if part in {"ecu-prv-key", "ecu-keys"}:
        if secret is None:
            yield f"on the token, with the id {config.p11.uptane_key_id}"
        else:
            yield str(_object(secret.to_json()["keyval"])["private"])


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _secondary_keys(storage: Storage) -> Iterator[str]:
    from ostrya.uptane.client.identity import SERIAL, fact_text
    from ostrya.uptane.client.provisioning import registered_keys
    from ostrya.uptane.metadata.keys import uptane_key_id

    for serial, key in registered_keys(storage).items():
        if serial != fact_text(storage, SERIAL):
            yield f"{serial} {uptane_key_id(key)}\n{key.public}"


def _metadata(part: str, storage: Storage, arguments: Arguments) -> Iterator[str]:
    from ostrya.uptane.client.trust_store import load_files, load_roots
    from ostrya.uptane.steps import Repository

    name, role = _METADATA.get(part, ("image", ""))
    files = load_files(storage, Repository(name))
    version = arguments.number("root-version") if arguments.has("root-version") else None
    if part == "delegation":
        for each, data in sorted(files.items()):
            if each not in _ROLES:
                yield f"{each}:\n{data.decode()}"
    elif role == "root" and version is not None:
        # The first one is among the files only, until another file is trusted.
        roots = [*load_roots(storage, Repository(name)).values(), files.get("root", b"{}")]
        for data in roots:
            if _version(data) == version:
                yield data.decode()
                return
    elif role in files:
        yield files[role].decode()


def _version(data: bytes) -> object:
    return _object(_object(json.loads(data)).get("signed")).get("version")
