# SPDX-License-Identifier: Apache-2.0
"""One checked tree of values becomes a recipe. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.image.errors import RecipeError
from ostrya.image.recipe import values
from ostrya.image.recipe.check import find_missing, find_problems
from ostrya.image.recipe.contradictions import (
    find_contradictions,
    find_device_contradictions,
)
from ostrya.image.recipe.formats import parse_size
from ostrya.image.recipe.keys import KEYS, PROVISION_KEYS
from ostrya.image.recipe.located import Located, parse_located

if TYPE_CHECKING:
    from collections.abc import Callable

    from ostrya.image.recipe.check import Problem


def read_recipe(tree: Located, join: Callable[[str, str], str]) -> values.Recipe:
    """Read a recipe that `merge` has put together.

    Args:
        tree: Its values, in which only what is required may be missing.
        join: Given a file and what it names, returns the path of that.

    Raises:
        RecipeError: It lacks something, or contradicts itself.
    """
    recipe, problems = examine_recipe(tree, join)
    if problems:
        raise RecipeError(tuple(map(str, problems)))
    return recipe


def examine_recipe(
    tree: Located, join: Callable[[str, str], str], wrong: frozenset[str] = frozenset()
) -> tuple[values.Recipe, list[Problem]]:
    """Read a recipe as far as it can be read.

    Args:
        tree: Its values.
        join: Given a file and what it names, returns the path of that.
        wrong: Names at the top that are not to be read: there is something wrong below them.

    Returns:
        What it says, and what it lacks or contradicts.
    """
    problems: list[Problem] = []
    unread = set(wrong)
    for key in KEYS:
        if key.name not in wrong and (missing := find_missing(tree, (key,))):
            problems += missing
            unread.add(key.name)
    kept = {name: value for name, value in tree.table().items() if name not in unread}
    tree = Located(kept, tree.where)
    recipe = _recipe(_Table(tree, join))
    problems += find_contradictions(tree, recipe, frozenset(unread))
    return recipe, sorted(problems)


def read_provisioning(text: str, file: str, join: Callable[[str, str], str]) -> values.Recipe:
    """Read what a single device is told at its first start.

    Args:
        text: The document.
        file: What it is called in messages.
        join: Given a file and what it names, returns the path of that.

    Returns:
        A recipe with these few sections.

    Raises:
        RecipeError: There is something wrong with it.
    """
    tree = parse_located(text, file)
    problems = find_problems(tree, PROVISION_KEYS) or find_missing(tree, PROVISION_KEYS)
    if problems:
        raise RecipeError(tuple(map(str, problems)))
    recipe = _recipe(_Table(tree, join))
    problems = find_device_contradictions(tree, recipe)
    if problems:
        raise RecipeError(tuple(map(str, sorted(problems))))
    return recipe


class _Table:
    """A table of checked values, read by key."""

    def __init__(self, located: Located, join: Callable[[str, str], str]) -> None:
        self.where = located.where
        self._found = located.table()
        self._join = join

    def has(self, key: str) -> bool:
        return key in self._found

    def text(self, key: str, default: str = "") -> str:
        found = self._found.get(key)
        return default if found is None else str(found.value)

    def path(self, key: str) -> str:
        found = self._found.get(key)
        return "" if found is None else self._join(found.where.file, str(found.value))

    def number(self, key: str) -> int | None:
        found = self._found.get(key)
        return found.value if found is not None and isinstance(found.value, int) else None

    def mode(self, key: str) -> int | None:
        return int(self.text(key), 8) if key in self._found else None

    def truth(self, key: str, *, default: bool = False) -> bool:
        found = self._found.get(key)
        return default if found is None else bool(found.value)

    def _items(self, key: str) -> list[Located]:
        found = self._found.get(key)
        return [] if found is None else found.items()

    def texts(self, key: str) -> tuple[str, ...]:
        return tuple(str(item.value) for item in self._items(key))

    def paths(self, key: str) -> tuple[str, ...]:
        items = self._items(key)
        return tuple(self._join(item.where.file, str(item.value)) for item in items)

    def table(self, key: str) -> _Table:
        found = self._found.get(key)
        return _Table(Located({}, self.where) if found is None else found, self._join)

    def tables(self, key: str) -> list[_Table]:
        return [_Table(item, self._join) for item in self._items(key)]

    def mapping(self, key: str) -> tuple[tuple[str, values.Scalar], ...]:
        found = self._found.get(key)
        items = {} if found is None else found.table()
        return tuple(
            (name, item.value)
            for name, item in sorted(items.items())
            if isinstance(item.value, str | int)
        )


def _recipe(top: _Table) -> values.Recipe:
    kernel, disk = top.table("kernel"), top.table("disk")
    return values.Recipe(
        top.where.file,
        top.text("name", "os"),
        top.text("version"),
        top.text("board"),
        top.text("ref", "os/stable"),
        top.text("stateroot", "os"),
        parse_size(top.text("size", "0")),
        top.number("timestamp"),
        tuple(dict.fromkeys(top.texts("outputs"))),
        _source(top.table("source")),
        _convert(top.table("convert")),
        kernel.texts("arguments"),
        kernel.texts("modules"),
        _device_tree(top.table("device_tree")),
        tuple(map(_overlay, top.tables("overlays"))),
        tuple(map(_file, top.tables("files"))),
        _system(top.table("system")),
        _account(top.table("root"), "root"),
        tuple(_account(table, table.text("name")) for table in top.tables("users")),
        tuple(
            values.Group(table.text("name"), table.number("gid")) for table in top.tables("groups")
        ),
        _services(top.table("services")),
        _splash(top.table("splash")),
        _network(top.table("network")),
        tuple(map(_remote, top.tables("remotes"))),
        _update(top.table("update")),
        _ota(top.table("ota")),
        _provisioning(top.table("provisioning")),
        disk.text("grow") == "yes",
        disk.path("wks"),
        tuple(map(_partition, top.tables("partitions"))),
        _repository(top.table("repository")),
        top.path("firmware"),
    )


def _source(table: _Table) -> values.SourceWish:
    return values.SourceWish(
        table.text("kind", "auto"),
        table.path("path"),
        table.text("ref"),
        table.text("suite"),
        table.texts("mirrors"),
        table.texts("components"),
        table.text("variant"),
        table.text("architecture"),
        table.texts("packages"),
        table.path("keyring"),
        table.texts("left_out"),
    )


def _convert(table: _Table) -> values.ConvertWish:
    return values.ConvertWish(
        table.text("ramdisk", "gzip"),
        table.texts("drop"),
        table.text("kernel"),
        table.mapping("var"),
        table.mapping("links"),
        table.text("resolv", "keep"),
        table.texts("boot_files"),
        table.text("accounts", "fail"),
        table.truth("selinux", default=True),
    )


def _device_tree(table: _Table) -> values.DeviceTree:
    return values.DeviceTree(
        table.paths("files"),
        table.path("default"),
        table.paths("overlays"),
        table.texts("patterns"),
    )


def _overlay(table: _Table) -> values.Overlay:
    rules = tuple(
        values.Rule(
            rule.text("match"),
            rule.text("owner"),
            rule.text("group"),
            rule.mode("mode"),
            rule.mode("dir_mode"),
        )
        for rule in table.tables("rules")
    )
    return values.Overlay(
        table.where,
        table.path("path"),
        table.text("target", "/"),
        table.text("owner", "0"),
        table.text("group", "0"),
        rules,
    )


def _file(table: _Table) -> values.FileWish:
    return values.FileWish(
        table.where,
        table.text("path"),
        table.text("text") if table.has("text") else None,
        table.path("source"),
        table.text("link"),
        table.truth("directory"),
        table.text("owner", "0"),
        table.text("group", "0"),
        table.mode("mode"),
    )


def _account(table: _Table, name: str) -> values.Account:
    return values.Account(
        name,
        table.number("uid"),
        table.number("gid"),
        table.texts("groups"),
        table.text("comment"),
        table.text("home"),
        table.truth("system"),
        table.text("password_hash") if table.has("password_hash") else None,
        table.text("shell"),
        table.texts("ssh_keys"),
        table.paths("ssh_key_files"),
    )


def _system(table: _Table) -> values.System:
    return values.System(
        table.text("hostname"),
        table.text("timezone"),
        table.text("locale"),
        table.text("keymap"),
        table.texts("remove"),
    )


def _services(table: _Table) -> values.Services:
    return values.Services(table.texts("enable"), table.texts("disable"), table.texts("mask"))


def _splash(table: _Table) -> values.Splash:
    return values.Splash(table.path("image"), table.text("background", "#000000"))


def _network(table: _Table) -> values.Network:
    return values.Network(
        table.text("backend", "auto"),
        tuple(map(_interface, table.tables("interfaces"))),
        tuple(
            values.Wifi(
                one.text("ssid"),
                one.text("passphrase"),
                one.truth("hidden"),
                one.number("priority") or 0,
            )
            for one in table.tables("wifi")
        ),
        table.text("wifi_interface", "wlan0"),
        table.text("country"),
        table.texts("ntp"),
    )


def _interface(table: _Table) -> values.Interface:
    addresses = table.texts("addresses")
    return values.Interface(
        table.text("name"),
        table.text("mac").lower(),
        table.truth("dhcp", default=not addresses),
        addresses,
        table.text("gateway"),
        table.texts("dns"),
        table.texts("domains"),
        table.number("metric"),
    )


def _remote(table: _Table) -> values.RemoteWish:
    keys = table.texts("keys")
    verify = table.text("verify", "ed25519" if keys else "gpg")
    return values.RemoteWish(
        table.text("name"),
        table.text("url"),
        verify,
        keys,
        table.paths("key_files"),
        table.mapping("settings"),
    )


def _update(table: _Table) -> values.Update:
    return values.Update(
        table.text("automatic", "no"),
        table.text("every", "1d"),
        table.text("spread", "1h"),
        table.number("rollback_tries"),
        table.truth("rollback_fail_fast"),
        table.mapping("settings"),
        table.text("ostrya", "auto"),
    )


def _ota(table: _Table) -> values.Ota:
    return values.Ota(
        table.path("credentials"),
        table.text("server"),
        table.text("hardware_id"),
        table.number("polling_sec"),
        table.text("ca"),
        table.text("certificate"),
        table.text("key"),
        table.path("ca_file"),
        table.path("certificate_file"),
        table.path("key_file"),
        table.paths("config_files"),
    )


def _provisioning(table: _Table) -> values.Provisioning:
    return values.Provisioning(
        table.truth("enable"), table.paths("boot_files"), table.path("defaults")
    )


def _partition(table: _Table) -> values.PartitionWant:
    return values.PartitionWant(
        table.text("name"),
        parse_size(table.text("size")),
        table.text("filesystem", "ext4"),
        table.text("label") or table.text("name"),
        table.text("mountpoint"),
        table.texts("options"),
        table.path("contents"),
        table.text("type"),
        after_root=table.text("place") == "after",
    )


def _repository(table: _Table) -> values.RepositoryWish:
    return values.RepositoryWish(
        table.path("path"),
        table.text("collection_id"),
        table.paths("sign_keys"),
        table.text("subject"),
        table.text("body"),
    )
