# SPDX-License-Identifier: Apache-2.0
"""The configuration that counts, as TOML, without what is secret in it. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ostrya.fetch.addresses import hide_password

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ostrya.uptane.client.config import ClientConfig

_SECRET = frozenset({("p11", "pass"), ("provision", "p12_password")})
_HIDDEN = "…"


def config_toml(config: ClientConfig) -> str:
    """Return a configuration as TOML: every section and key, defaults too."""
    return "\n".join(_lines(config))


def _lines(config: ClientConfig) -> Iterator[str]:
    for name, section in config._asdict().items():
        shown = name.rstrip("_")
        yield f"[{shown}]"
        fields: Mapping[str, object] = section._asdict()
        for field, value in fields.items():
            if isinstance(value, dict):
                for key in sorted(value):
                    yield f"{_key(key)} = {_value(shown, key, value[key])}"
            else:
                key = field.rstrip("_")
                yield f"{key} = {_value(shown, key, value)}"
        yield ""


def _value(section: str, key: str, value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    text = str(value)
    if (section, key) in _SECRET and text:
        text = _HIDDEN
    return _string(hide_password(text))


def _string(text: str) -> str:
    """Return a basic string of TOML: one of JSON's, but for DEL, and without halves of pairs."""
    whole = text.encode("utf-8", "replace").decode()
    return json.dumps(whole, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    is_bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if is_bare else _string(key)
