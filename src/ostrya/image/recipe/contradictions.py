# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a recipe although each of its values is right. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.image.recipe.check import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ostrya.image.recipe.located import Located, Where
    from ostrya.image.recipe.values import Recipe

_IMAGES = ("oci", "docker-archive")
# Of a source: the kinds that a key says something about.
_KINDS_OF = {
    "path": ("auto", "directory", "tar", *_IMAGES, "ostree"),
    "ref": ("auto", *_IMAGES, "ostree"),
    "architecture": ("auto", *_IMAGES, "debian"),
    **dict.fromkeys(
        ("suite", "mirrors", "components", "variant", "packages", "left_out", "keyring"),
        ("debian",),
    ),
}
# They are mounted already where a deployed system starts.
_TAKEN = ("/", "/boot", "/sysroot", "/usr", "/etc", "/var", "/ostree", "/dev", "/proc", "/sys")
_VAR_POLICIES = ("seed", "factory", "drop", "fail")
_LINK_POLICIES = ("auto", "link", "keep")
_UNIQUE = ("users", "groups", "remotes", "partitions")


def find_contradictions(
    tree: Located, recipe: Recipe, unread: frozenset[str] = frozenset()
) -> list[Problem]:
    """Return what cannot be, each with its place.

    Args:
        tree: Where each value was written.
        recipe: The values.
        unread: Names at the top that nobody knows anything of.
    """
    found: list[Problem] = []
    for look, about in _LOOKS:
        if unread.isdisjoint(about):
            found += look(tree, recipe)
    return found


def find_device_contradictions(tree: Located, recipe: Recipe) -> list[Problem]:
    """Return what cannot be of what a single device is told."""
    looks = (_numbers, _network, _remotes, _ota)
    return [problem for look in looks for problem in look(tree, recipe)]


def _section(tree: Located, *names: str) -> Located:
    for name in names:
        tree = tree.table().get(name, tree)
    return tree


def _source(tree: Located, recipe: Recipe) -> Iterator[Problem]:
    source, where = recipe.source, _section(tree, "source").where
    for name, value in _section(tree, "source").table().items():
        kinds = _KINDS_OF.get(name, (source.kind,))
        if source.kind not in kinds:
            yield Problem(
                value.where,
                f'source.{name} says nothing of kind = "{source.kind}": it is for '
                f"{', '.join(kind for kind in kinds if kind != 'auto')}",
            )
    if source.kind == "debian":
        if not source.suite:
            yield Problem(where, "source.suite is missing: of a Debian tree it says which release")
        return
    if not source.path:
        yield Problem(where, "source.path is missing")
    if source.kind == "ostree" and not source.ref:
        yield Problem(where, "source.ref is missing: of a repository it says which commit")


def _policies(tree: Located, recipe: Recipe) -> Iterator[Problem]:
    for name, given, known in (
        ("var", recipe.convert.var, _VAR_POLICIES),
        ("links", recipe.convert.links, _LINK_POLICIES),
    ):
        for path, policy in given:
            where = _section(tree, "convert", name, path).where
            if not path.startswith("/"):
                yield Problem(where, f"convert.{name}: {path!r} is no path of the tree")
            if policy not in known:
                yield Problem(where, f"convert.{name}: {policy!r} is not one of {', '.join(known)}")


def _files(_tree: Located, recipe: Recipe) -> Iterator[Problem]:
    for file in recipe.files:
        given = (file.text is not None, file.source, file.link, file.directory)
        if sum(map(bool, given)) != 1:
            yield Problem(
                file.where, f"files: {file.path} has to have one of text, source, link, directory"
            )


def _numbers(tree: Located, _recipe: Recipe) -> Iterator[Problem]:
    """Say where names or numbers are given twice."""
    for section, key in (
        *((name, "name") for name in _UNIQUE),
        ("users", "uid"),
        ("groups", "gid"),
    ):
        seen: dict[object, Where] = {}
        for item in _section(tree, section).items() if section in tree.table() else []:
            found = item.table().get(key)
            if found is None:
                continue
            if found.value in seen:
                yield Problem(
                    found.where,
                    f"{section}.{key} {found.value!r} is given twice, at {seen[found.value]} too",
                )
            seen[found.value] = found.where


def _partitions(tree: Located, recipe: Recipe) -> Iterator[Problem]:
    items = _section(tree, "partitions").items() if recipe.partitions else []
    places: dict[str, str] = {}
    for item, one in zip(items, recipe.partitions, strict=False):
        if one.name in {"root", "boot", "bios"}:
            yield Problem(item.where, f"partitions: the board has a partition {one.name}")
        if one.mountpoint and one.filesystem in {"none", "swap"}:
            yield Problem(item.where, f"partitions: {one.name} has no file system to mount")
        if one.contents and one.filesystem == "swap":
            yield Problem(
                item.where, f"partitions: {one.name} is for swapping, and has no contents"
            )
        if one.mountpoint.rstrip("/") in {place.rstrip("/") for place in _TAKEN} and one.mountpoint:
            yield Problem(item.where, f"partitions: {one.mountpoint} is taken by the system")
        if one.mountpoint and one.mountpoint in places:
            yield Problem(
                item.where,
                f"partitions: {places[one.mountpoint]} is mounted at {one.mountpoint} too",
            )
        if one.size_bytes < 1 << 20:
            yield Problem(item.where, f"partitions: {one.name} is smaller than a megabyte")
        places[one.mountpoint] = one.name
    if recipe.grow and recipe.partitions and recipe.partitions[-1].after_root:
        last = recipe.partitions[-1]
        if last.filesystem != "ext4" or not last.mountpoint:
            yield Problem(
                items[-1].where,
                f"partitions: {last.name} is the last one, and can only grow as a mounted ext4",
            )


def _network(tree: Located, recipe: Recipe) -> Iterator[Problem]:
    network = _section(tree, "network")
    if not recipe.network.wifi:
        for name in ("wifi_interface", "country"):
            if name in network.table():
                where = network.table()[name].where
                yield Problem(where, f"network.{name} says nothing without [[network.wifi]]")
    items = network.table()["interfaces"].items() if recipe.network.interfaces else []
    for item, one in zip(items, recipe.network.interfaces, strict=True):
        if bool(one.name) == bool(one.mac):
            yield Problem(item.where, "network.interfaces: it has to have one of name and mac")
        if not one.dhcp and not one.addresses:
            yield Problem(item.where, "network.interfaces: it has neither dhcp nor addresses")
        if one.gateway and not one.addresses:
            yield Problem(item.where, "network.interfaces: a gateway needs addresses")


def _remotes(tree: Located, recipe: Recipe) -> Iterator[Problem]:
    items = _section(tree, "remotes").items() if recipe.remotes else []
    for item, one in zip(items, recipe.remotes, strict=True):
        if one.verify == "ed25519" and not (one.keys or one.key_files):
            yield Problem(
                item.where, f"remotes: {one.name} has no keys to verify commits with ed25519"
            )
        if one.verify == "gpg" and one.keys:
            yield Problem(item.where, f"remotes: keys of {one.name} are ed25519's, not gpg's")
        if one.verify == "none" and (one.keys or one.key_files):
            yield Problem(item.where, f"remotes: {one.name} has keys, and does not verify")


def _pictures(tree: Located, recipe: Recipe) -> Iterator[Problem]:
    splash = _section(tree, "splash").table()
    if "background" in splash and not recipe.splash.image:
        where = splash["background"].where
        yield Problem(where, "splash.background says nothing without splash.image")


def _device_trees(tree: Located, recipe: Recipe) -> Iterator[Problem]:
    if recipe.device_tree.overlays and not recipe.device_tree.default:
        where = _section(tree, "device_tree", "overlays").where
        yield Problem(
            where, "device_tree.overlays are applied to device_tree.default, which is missing"
        )


def _provisioning(tree: Located, recipe: Recipe) -> Iterator[Problem]:
    if recipe.provisioning.defaults and not recipe.provisioning.enable:
        where = _section(tree, "provisioning", "defaults").where
        yield Problem(where, "provisioning.defaults say nothing without provisioning.enable")


def _ota(tree: Located, recipe: Recipe) -> Iterator[Problem]:
    ota, section = recipe.ota, _section(tree, "ota")
    given = section.table()
    for name in ("ca", "certificate", "key"):
        if name in given and f"{name}_file" in given:
            yield Problem(given[name].where, f"ota.{name} and ota.{name}_file say the same")
    has_certificate = bool(ota.certificate or ota.certificate_file)
    if has_certificate != bool(ota.key or ota.key_file):
        yield Problem(section.where, "ota.certificate and ota.key need each other")
    if ota.credentials and has_certificate:
        yield Problem(
            given["credentials"].where,
            "ota.credentials are for devices without a certificate, and there is ota.certificate",
        )
    if has_certificate and not (ota.server or ota.config_files):
        yield Problem(section.where, "ota.server is missing: a certificate does not say it")
    if has_certificate and not (ota.ca or ota.ca_file):
        yield Problem(section.where, "ota.ca is missing: nobody else vouches for the server")


def _update(tree: Located, recipe: Recipe) -> Iterator[Problem]:
    update = _section(tree, "update")
    for name, _ in recipe.update.settings:
        group, dot, key = name.partition(".")
        if not (group and dot and key):
            yield Problem(
                update.where,
                f'update.settings: {name!r} is no setting, as "core.min-free-space-percent"',
            )
    if recipe.update.automatic != "no" and not recipe.remotes:
        yield Problem(update.where, "update.automatic needs [[remotes]] to get updates from")


_LOOKS: tuple[tuple[Callable[[Located, Recipe], Iterable[Problem]], tuple[str, ...]], ...] = (
    (_policies, ("convert",)),
    (_source, ("source",)),
    (_files, ("files",)),
    (_numbers, ()),
    (_partitions, ("partitions", "disk")),
    (_network, ("network",)),
    (_remotes, ("remotes",)),
    (_pictures, ("splash",)),
    (_device_trees, ("device_tree",)),
    (_provisioning, ("provisioning",)),
    (_update, ("update", "remotes")),
    (_ota, ("ota",)),
)
