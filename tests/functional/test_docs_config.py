# SPDX-License-Identifier: Apache-2.0
"""The page on the repository's config names every key that is read, with its default."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from ostrya.formats.keyfile import KeyFile
from ostrya.repo import config

TOP = Path(__file__).resolve().parents[2]
ROOM = TOP / "src" / "ostrya" / "repo"
PAGE = (TOP / "docs" / "reference" / "config.md").read_text()
# Calls that read a key: which argument is the group, and which the key.
READERS = {
    **dict.fromkeys(("has", "value", "boolean", "integer", "strings"), ("core", 0)),
    "_tristate": ("ex-integrity", 1),
    **dict.fromkeys(
        ("has_key", "get_value", "get_string", "get_boolean", "get_string_list"), (0, 1)
    ),
}


def listed() -> dict[str, set[str]]:
    """The keys of the page's tables by group."""
    groups = {}
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        group = section.splitlines()[0].strip("`[]").partition(" ")[0]
        groups[group] = set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))
    return groups


def name_of(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def text_of(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def read_keys(path: Path) -> set[tuple[str, str]]:
    """Find (group, key) of every key that a module reads by its literal name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or name_of(node) not in READERS:
            continue
        group, position = READERS[name_of(node)]
        if len(node.args) <= position:
            continue
        key = text_of(node.args[position])
        if isinstance(group, int):
            # A group that is no literal is that of a remote.
            group = text_of(node.args[group]) or "remote"
        if key is not None:
            found.add((group, key))
    return found


def read_settings(path: Path) -> set[tuple[str, str]]:
    """Find the settings of a remote that a module reads through ``RemoteSettings``, or has read."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and name_of(node) in SETTINGS_READERS and node.args:
            key = text_of(node.args[0])
            if key is None and isinstance(node.args[0], ast.JoinedStr):
                parts = (text_of(part) or "ENGINE" for part in node.args[0].values)
                key = "".join(parts)
            if key is not None:
                found.add(("remote", key))
    return found


MODULES = ("config", "keyrings", "remotes", "refs", "summary")
SETTINGS_READERS = frozenset({"text", "boolean", "texts", "load", "setting"})
SETTINGS_MODULES = (
    "repo/remote_settings", "pull/finders", "pull/judge", "pull/network", "pull/pull",
    "pull/remote_pull", "sign/remote",
)  # fmt: skip


# Modules of sysroots that read one group each, through a function of their own.
OWN_GROUPS = {
    "settings": "sysroot",
    "rollback_settings": "ostrya",
    "health": "/etc/ostrya/health.conf",
}


def read_own(module: str) -> set[tuple[str, str]]:
    """Find the keys that a module of sysroots reads of its group."""
    tree = ast.parse((ROOM.parent / "sysroot" / f"{module}.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    keys = [text_of(call.args[0]) for call in calls if name_of(call) in {"has", "value"}]
    return {(OWN_GROUPS[module], key) for key in keys if key is not None}


@pytest.mark.parametrize("module", OWN_GROUPS)
def test_every_key_of_a_sysroot_that_is_read_is_listed(module):
    keys = read_own(module)
    assert keys
    assert {key for _, key in keys} <= listed()[OWN_GROUPS[module]]


@pytest.mark.parametrize("module", MODULES)
def test_every_key_that_is_read_is_listed(module):
    keys = read_keys(ROOM / f"{module}.py")
    assert keys
    assert {(group, key) for group, key in keys if key not in listed()[group]} == set()


@pytest.mark.parametrize("module", SETTINGS_MODULES)
def test_every_setting_that_is_read_is_listed(module):
    keys = read_settings(ROOM.parent / f"{module}.py")
    assert keys
    assert {key for _, key in keys} <= listed()["remote"]


def test_what_is_listed_is_read():
    loops = {("ex-fsverity", "required"), ("ex-fsverity", "opportunistic")}
    read = loops.union(*(read_keys(ROOM / f"{module}.py") for module in MODULES))
    read.update(*(read_own(module) for module in OWN_GROUPS))
    read.update(*(read_settings(ROOM.parent / f"{module}.py") for module in SETTINGS_MODULES))
    assert {(group, key) for group, keys in listed().items() for key in keys} == read


def test_defaults():
    found = config.parse_config(KeyFile.parse("[core]\nrepo_version=1\n"))
    rows = dict(re.findall(r"^\| `([^`]+)` \| [^|]* \| `([^`]+)` \|", PAGE, re.MULTILINE))
    assert rows["mode"] == found.mode.value
    assert int(rows["tmp-expiry-secs"]) == found.tmp_expiry_s
    assert int(rows["lock-timeout-secs"]) == found.lock_timeout_s
    assert int(rows["min-free-space-percent"]) == found.min_free_percent
    assert int(rows["zlib-level"]) == found.zlib_level
    for key, value in {
        "fsync": found.fsync,
        "per-object-fsync": found.per_object_fsync,
        "disable-xattrs": found.disable_xattrs,
        "auto-update-summary": found.auto_update_summary,
        "tombstone-commits": found.tombstone_commits,
        "enable-uncompressed-cache": found.uncompressed_cache,
    }.items():
        assert rows[key] == str(value).lower(), key
