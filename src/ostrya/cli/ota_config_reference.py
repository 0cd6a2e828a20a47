# SPDX-License-Identifier: Apache-2.0
"""Write the page of the documentation about a client's settings; a test compares.

``python -m ostrya.cli.ota_config_reference docs/reference/ota-config.md``
"""

from __future__ import annotations

import inspect
import re
import sys
from typing import TYPE_CHECKING

from ostrya.uptane.client.config import ClientConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = """\
<!-- Written by `python -m ostrya.cli.ota_config_reference`; do not edit. -->
# Settings of a device's client

`ostrya ota run` reads TOML files: all `*.toml` of `/usr/lib/sota/conf.d` and `/etc/sota/conf.d`, or
what `--config` names. A file of the second folder hides one of the same name in the first. Files
are read by their names; a later one wins, key by key, and options of the command line win over all.

Sections and keys are aktualizr's, so its files can be used; *ours* are those that it does not have.
See [make a device one of the fleet's](../how-to/ota-client.md).
"""
_ENTRY = re.compile(r"^    (\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


def ota_config_reference() -> str:
    """Return the page, in Markdown."""
    return "".join(f"{line}\n" for line in _page())


def _page() -> Iterator[str]:
    yield _HEAD.rstrip("\n")
    for name, section in ClientConfig()._asdict().items():
        text = inspect.getdoc(type(section)) or ""
        words, _, attributes = text.partition("\n\nAttributes:\n")
        said = {key: " ".join(value.split()) for key, value in _ENTRY.findall(attributes)}
        yield f"\n## `[{name.rstrip('_')}]`\n\n{words}\n"
        yield "| Key | Default | Meaning |"
        yield "|---|---|---|"
        for field, default in section._asdict().items():
            yield f"| {_key(field)} | {_default(default)} | {said[field]} |"


def _key(field: str) -> str:
    return "any other" if field == "extra" else f"`{field.rstrip('_')}`"


def _default(value: object) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if value or isinstance(value, int) else ""


def main(arguments: list[str]) -> int:
    """Write it."""
    (path,) = arguments
    with open(path, "w", encoding="utf-8") as page:
        page.write(ota_config_reference())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
