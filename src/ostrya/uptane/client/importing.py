# SPDX-License-Identifier: Apache-2.0
"""What a device was given when it was made, taken into the database at a start.

::

    /var/sota/import/
      root.crt, client.pem, pkey.pem    as [import] names them; others replace those that are kept
      ecukey.pem                        the key that signs reports, unless there is one
      director/root.json                the roots of both repositories, unless there are some
      repo/root.json
      installed_versions                what the Primary runs, unless something was installed

What aktualizr left in the database comes before all of them. A certificate and its key are taken
together, or not at all.

Source: aktualizr's INvStorage::importData.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya.formats.checksum import is_checksum
from ostrya.uptane.client import installs, tls_files
from ostrya.uptane.client.adoption import adopt_former_client
from ostrya.uptane.client.config import KeySource
from ostrya.uptane.client.installs import State, Target
from ostrya.uptane.client.p12 import check_pair, load_certificate
from ostrya.uptane.client.primary_key import KEY_FACT, key_to_keep, read_key_file
from ostrya.uptane.client.trust_store import set_first_root
from ostrya.uptane.errors import IdentityError, UptaneRefusal
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.metadata.json_text import parse_json
from ostrya.uptane.steps import Repository
from ostrya.uptane.trusted_set import DEFAULT_LIMITS, open_trusted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.uptane.client.config import ClientConfig
    from ostrya.uptane.client.storage import Storage
    from ostrya.uptane.metadata.json_text import Object

MAX_FILE_BYTES = 256 * 1024
_INSTALLED = "installed_versions"
ROOTS = {Repository.DIRECTOR: "director/root.json", Repository.IMAGE: "repo/root.json"}


def import_files(config: ClientConfig, storage: Storage) -> None:
    """Take in what the device was given.

    Raises:
        IdentityError: A file is there, and is not what it has to be.
        StorageError: The database cannot be changed.
    """
    adopt_former_client(config, storage)
    import_tls(config, storage)
    import_primary_key(config, storage)
    for repository, path in ROOTS.items():
        import_root(config, storage, repository, path)


def import_tls(config: ClientConfig, storage: Storage) -> None:
    """Take in certificates and the key, if they are others than those that are kept."""
    section, tls = config.import_, config.tls
    wanted = (
        (tls_files.CA, section.tls_cacert_path, KeySource.FILE),
        (tls_files.CERT, section.tls_clientcert_path, tls.cert_source),
        (tls_files.KEY, section.tls_pkey_path, tls.pkey_source),
    )
    found: dict[str, bytes] = {}
    for fact, path, source in wanted:
        data = read_file(config.import_path(path)) if source is KeySource.FILE else None
        if data is not None:
            found[fact] = data
    known = tls_files.tls_facts(storage)
    merged = {**known, **found}
    if merged == known:
        return
    where = section.base_path
    if tls_files.CA in found:
        load_certificate(found[tls_files.CA], config.import_path(section.tls_cacert_path))
    if tls_files.CERT in merged and tls_files.KEY in merged:
        check_pair(merged[tls_files.CERT], merged[tls_files.KEY], f"what is in {where}")
    storage.set_facts(found)


def import_primary_key(config: ClientConfig, storage: Storage) -> None:
    """Take in the key that signs reports, unless there is one."""
    path = config.import_path(config.import_.uptane_private_key_path)
    if config.uptane.key_source is KeySource.PKCS11 or storage.fact(KEY_FACT) is not None:
        return
    data = read_file(path)
    if data is not None:
        storage.set_fact(KEY_FACT, key_to_keep(read_key_file(data, path)))


def import_installed(config: ClientConfig, storage: Storage, serial: str) -> None:
    """Take in what the Primary runs, unless something is known of that.

    ::

        {"<sha256>": {"name": "os-7", "length": 0, "is_current": true},   of aktualizr's
         "<sha256>": "os-6"}                                              of older ones

    Raises:
        IdentityError: The file is there, and cannot be understood.
    """
    path = config.import_path(_INSTALLED)
    data = read_file(path)
    if data is None or installs.install_log(storage, serial):
        return
    try:
        found = parse_json(data, MAX_FILE_BYTES, path)
    except UptaneRefusal as exc:
        raise IdentityError(exc.message, hint="the Primary's image is named in it") from exc
    listed = list(_installed(found, serial)) if isinstance(found, dict) else []
    if isinstance(found, dict) and len(listed) == len(found):
        with storage.transaction() as connection:
            for target, state in listed:
                installs.put_install(connection, target, state)
        return
    raise IdentityError(
        f"{path} names no images by their digests", hint="the Primary's image is named in it"
    )


def _installed(found: Object, serial: str) -> Iterator[tuple[Target, State]]:
    current = [key for key, one in found.items() if isinstance(one, dict) and one.get("is_current")]
    # In files without details, the last one of them is what runs.
    running = (current or sorted(found) or [""])[-1]
    for digest, one in sorted(found.items(), key=lambda item: item[0] == running):
        name = one.get("name") if isinstance(one, dict) else one
        length = one.get("length", 0) if isinstance(one, dict) else 0
        if not is_checksum(digest) or not isinstance(name, str) or not isinstance(length, int):
            return
        state = State.CURRENT if digest == running else State.EARLIER
        yield Target(serial, name, length, {"sha256": digest}), state


def import_root(config: ClientConfig, storage: Storage, repository: Repository, path: str) -> None:
    """Take in the first root of a repository, unless something is trusted of it."""
    if has_root(storage, repository):
        return
    path = config.import_path(path)
    data = read_file(path)
    if data is not None:
        keep_first_root(storage, repository, data, path)


def keep_first_root(storage: Storage, repository: Repository, data: bytes, where: str) -> None:
    """Keep a root as the first one, if it is one.

    Raises:
        IdentityError: It is none.
    """
    dialect = Dialect.TUF if b'"spec_version"' in data else Dialect.UPTANE
    try:
        open_trusted(repository.shown, dialect, {"root": data}, DEFAULT_LIMITS)
    except UptaneRefusal as exc:
        raise IdentityError(f"{where} is no root of the {repository.shown}: {exc.message}") from exc
    set_first_root(storage, repository, data)


def has_root(storage: Storage, repository: Repository) -> bool:
    """Say whether something is trusted of a repository."""
    query = "SELECT 1 FROM metadata WHERE repository = ? AND role = 'root'"
    return bool(storage.rows(query, repository.value))


def read_file(path: str) -> bytes | None:
    """Return a file that was given; None where there is none.

    Raises:
        IdentityError: It cannot be read, or is larger than any.
    """
    if not path:
        return None
    try:
        with open(path, "rb") as stream:
            if not os.path.isfile(path):
                raise IdentityError(f"{path} is no file")
            data = stream.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise IdentityError(f"{path} cannot be read: {exc.strerror}") from exc
    if len(data) > MAX_FILE_BYTES:
        raise IdentityError(f"{path} is larger than a key, a certificate or a root")
    return data
