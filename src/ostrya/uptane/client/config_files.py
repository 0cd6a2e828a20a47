# SPDX-License-Identifier: Apache-2.0
"""Where a configuration is, and what becomes of several files.

::

    /usr/lib/sota/conf.d/*.toml   of the system
    /etc/sota/conf.d/*.toml       of the device; a file hides one of the same name before it

or the files and folders that are named, one over the other. Files of folders are taken in the order
of their names; a later one wins, key by key. What the command line says wins over all of them.

Values are taken as aktualizr takes them: a number or truth value may be written as text. What
cannot be understood is an error, with file and line; what nobody knows is told, and passed over.
"""

from __future__ import annotations

import os
import re
import tomllib
from enum import StrEnum
from typing import TYPE_CHECKING

from ostrya.formats.toml_lines import toml_lines
from ostrya.named_tuple import NamedTuple
from ostrya.uptane.client.config import ClientConfig, PacmanSection
from ostrya.uptane.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FOLDERS = ("/usr/lib/sota/conf.d", "/etc/sota/conf.d")
MAX_BYTES = 1024 * 1024
# Of aktualizr's that mean nothing here: files in which it kept things before it had a database.
_LEGACY = {
    "storage": frozenset(
        {
            "uptane_metadata_path", "uptane_private_key_path", "uptane_public_key_path",
            "tls_cacert_path", "tls_pkey_path", "tls_clientcert_path",
        }
    ),
    "uptane": frozenset({"key_source_path", "repo_server_path"}),
    "pacman": frozenset(),
}  # fmt: skip
_ADDRESSES = frozenset({"server", "director_server", "repo_server", "ostree_server"})
_HTTP = re.compile(r"https?://[^/\s]", re.IGNORECASE)
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}


class Loaded(NamedTuple):
    """A configuration that was read.

    Attributes:
        config: The configuration.
        files: What it came from, in order.
        warnings: What was passed over, each with file and line.
    """

    config: ClientConfig
    files: tuple[str, ...]
    warnings: tuple[str, ...]


class _Value(NamedTuple):
    value: object
    where: str


def section_classes() -> dict[str, type]:
    """Return the class of each section by the name that it has in files."""
    defaults = ClientConfig()._asdict()
    return {name.rstrip("_"): type(value) for name, value in defaults.items()}


def load_config(
    paths: Sequence[str] = (), overrides: Mapping[tuple[str, str], str] | None = None
) -> Loaded:
    """Read a configuration.

    Args:
        paths: Files and folders, in order; without any, those of the system.
        overrides: Values by section and key, which win over all files.

    Raises:
        ConfigError: A file is not there, is no TOML, or has a value that cannot be used.
    """
    files = _named_files(paths) if paths else _system_files(FOLDERS)
    values: dict[tuple[str, str], _Value] = {}
    warnings: list[str] = []
    for file in files:
        _read_file(file, values, warnings)
    for (section, key), text in (overrides or {}).items():
        if section not in section_classes():
            raise ConfigError(f"the configuration has no section [{section}]")
        values[section, key] = _Value(text, "the command line")
    return Loaded(_build(values, warnings), files, tuple(warnings))


def _system_files(folders: Iterable[str]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for folder in folders:
        if os.path.isdir(folder):
            found.update({os.path.basename(path): path for path in _files_of(folder)})
    return tuple(found[name] for name in sorted(found))


def _named_files(paths: Sequence[str]) -> tuple[str, ...]:
    files: list[str] = []
    for path in paths:
        if os.path.isdir(path):
            found = _files_of(path)
            if not found:
                raise ConfigError(f"there is no file in {path} whose name ends in .toml")
            files += found
        elif os.path.isfile(path):
            files.append(path)
        else:
            raise ConfigError(
                f"there is no configuration at {path}", hint="--config names a file or a folder"
            )
    return tuple(files)


def _files_of(folder: str) -> list[str]:
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".toml"))
    except OSError as exc:
        raise ConfigError(f"{folder} cannot be read: {exc.strerror}") from exc
    return [os.path.join(folder, name) for name in names]


def _read_file(file: str, values: dict[tuple[str, str], _Value], warnings: list[str]) -> None:
    text = _text_of(file)
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as exc:
        raise ConfigError(f"{file} is no TOML: {exc}") from None
    lines = toml_lines(text)
    classes = section_classes()
    for section, table in found.items():
        at = f"{file}:{lines[section,]}"
        if section not in classes:
            warnings.append(f"{at}: [{section}] is not known")
        elif not isinstance(table, dict):
            raise ConfigError(f"{at}: {section} is no section: write [{section}] above its keys")
        else:
            for key, value in table.items():
                values[section, key] = _Value(value, f"{file}:{lines[section, key]}")


def _text_of(file: str) -> str:
    try:
        with open(file, "rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ConfigError(f"{file} is larger than a configuration may be")
        # As editors of other systems write it.
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise ConfigError(f"{file} is not UTF-8") from None
    except OSError as exc:
        raise ConfigError(f"{file} cannot be read: {exc.strerror}") from exc


def _build(values: Mapping[tuple[str, str], _Value], warnings: list[str]) -> ClientConfig:
    made: list[object] = []
    for name, defaults in ClientConfig()._asdict().items():
        section = name.rstrip("_")
        taken = {key: found for (where, key), found in values.items() if where == section}
        made.append(_section(section, defaults, taken, warnings))
    return ClientConfig._make(made)


def _section(
    section: str, defaults: object, taken: Mapping[str, _Value], warnings: list[str]
) -> object:
    known: dict[str, object] = defaults._asdict()  # type: ignore[attr-defined]  # any of the sections
    fields = {name.rstrip("_"): name for name in known if name != "extra"}
    changed: dict[str, object] = {}
    extra: dict[str, str] = {}
    for key, found in taken.items():
        if key in fields:
            changed[fields[key]] = _taken(section, key, found, known[fields[key]])
        elif key in _LEGACY.get(section, ()):
            continue
        elif isinstance(defaults, PacmanSection):
            extra[key] = str(_taken(section, key, found, ""))
        else:
            warnings.append(f"{found.where}: {key} of [{section}] is not known")
    if extra:
        changed["extra"] = extra
    made: object = defaults._replace(**changed)  # type: ignore[attr-defined]  # as above
    return made


def _taken(section: str, key: str, found: _Value, default: object) -> object:
    value, text = found.value, str(found.value).strip()
    what = f"{found.where}: {key} of [{section}]"
    if not isinstance(value, str | int | float):
        raise ConfigError(f"{what} is a {_kind(value)}, where one value is wanted")
    if isinstance(default, StrEnum):
        return _choice(type(default), text, what)
    if isinstance(default, bool):
        if text.lower() not in _TRUTHS:
            raise ConfigError(f"{what} is {text!r}, where true or false is wanted")
        return _TRUTHS[text.lower()]
    if isinstance(default, int):
        is_number = text.isascii() and text.isdigit() and len(text) < 10
        if not is_number or isinstance(value, bool):
            raise ConfigError(f"{what} is {text!r}, where a number from 0 on is wanted")
        return int(text)
    if isinstance(value, bool):
        return str(value).lower()
    if key in _ADDRESSES and text and _HTTP.match(text) is None:
        raise ConfigError(
            f"{what} is {text!r}, and no address, as https://updates.example.com:8443"
        )
    return value if isinstance(value, str) else text


def _choice(kind: type[StrEnum], text: str, what: str) -> StrEnum:
    for one in kind:
        if one.value.lower() == text.lower():
            return one
    words = ", ".join(one.value for one in kind if one.value)
    raise ConfigError(f"{what} is {text!r}, and none of {words}")


def _kind(value: object) -> str:
    if isinstance(value, dict | list):
        return "table" if isinstance(value, dict) else "list"
    return "time"
