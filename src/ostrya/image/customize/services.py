# SPDX-License-Identifier: Apache-2.0
"""Units of systemd, enabled, disabled and masked as ``systemctl --root`` does it.

What a unit's ``[Install]`` says becomes links in ``/etc/systemd/system``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.image.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ostrya.image.customize.places import DeviceTree
    from ostrya.image.recipe.values import Services

ETC = "/etc/systemd/system"
_LIBRARY = ("/usr/lib/systemd/system", "/usr/local/lib/systemd/system")
_FOLDERS = {"WantedBy": "wants", "RequiredBy": "requires", "UpheldBy": "upholds"}
_MASK = "/dev/null"


def set_up_services(places: DeviceTree, services: Services, tell: Callable[[str], None]) -> None:
    """Enable, disable and mask units.

    Raises:
        SourceError: The tree has no such unit, or one that cannot be enabled.
    """
    missing = [name for name in services.enable if find_unit(places, name) is None]
    if missing:
        raise SourceError(
            f"services.enable: the tree has no {', '.join(missing)}",
            hint="has the package of it been installed?",
        )
    for name in services.disable:
        disable(places, name)
        tell(f"disabled {name}")
    for name in services.mask:
        if places.is_file(f"{ETC}/{name}"):
            raise SourceError(f"services.mask: {ETC}/{name} is a file of its own; remove it")
        disable(places, name)
        places.link(f"{ETC}/{name}", _MASK)
        tell(f"masked {name}")
    for name in services.enable:
        enable(places, name)
        tell(f"enabled {name}")


def find_unit(places: DeviceTree, name: str) -> str | None:
    """Return where a unit is, or the template of it; None if there is none."""
    stem, at, rest = name.partition("@")
    template = f"{stem}@.{rest.rpartition('.')[2]}" if at else name
    for folder in (ETC, *_LIBRARY):
        for one in (name, template):
            if places.is_file(f"{folder}/{one}"):
                return f"{folder}/{one}"
    return None


def enable(places: DeviceTree, name: str, above: tuple[str, ...] = ()) -> None:
    """Enable a unit and what its ``Also=`` names.

    Raises:
        SourceError: It says not where, or is masked.
    """
    path = find_unit(places, name)
    if path is None or name in above:
        return
    if places.link_target(f"{ETC}/{name}") == _MASK:
        places.remove(f"{ETC}/{name}")
    section = dict(_install_section(places.read_text(path)))
    links = 0
    for key, folder in _FOLDERS.items():
        for target in section.get(key, "").split():
            wanted = _instantiated(name, section)
            places.link(f"{ETC}/{_filled(target, name)}.{folder}/{wanted}", path)
            links += 1
    for alias in section.get("Alias", "").split():
        if alias != name:
            places.link(f"{ETC}/{alias}", path)
            links += 1
    for other in section.get("Also", "").split():
        enable(places, other, (*above, name))
        links += 1
    if not links and not above:
        raise SourceError(
            f"services.enable: {name} cannot be enabled, since nothing says what wants it",
            hint="a unit says so in [Install]",
        )


def disable(places: DeviceTree, name: str) -> None:
    """Remove the links that enable a unit."""
    for folder in places.names(ETC):
        if folder.rpartition(".")[2] in _FOLDERS.values():
            if places.link_target(f"{ETC}/{folder}/{name}") is not None:
                places.remove(f"{ETC}/{folder}/{name}")
        else:
            target = places.link_target(f"{ETC}/{folder}")
            if target is not None and target.rpartition("/")[2] == name:
                places.remove(f"{ETC}/{folder}")


def _install_section(text: str) -> Iterator[tuple[str, str]]:
    """Yield keys of ``[Install]``; what is given several times is joined."""
    section, found = "", dict[str, str]()
    for line in text.splitlines():
        word = line.strip()
        if word.startswith("["):
            section = word
        elif section == "[Install]" and "=" in word and word[0] not in "#;":
            key, _, value = word.partition("=")
            found[key.strip()] = f"{found.get(key.strip(), '')} {value.strip()}".strip()
    yield from found.items()


def _instantiated(name: str, section: dict[str, str]) -> str:
    stem, at, ending = name.partition("@.")
    default = section.get("DefaultInstance", "")
    return f"{stem}@{default}.{ending}" if at and default else name


def _filled(target: str, name: str) -> str:
    """Fill in what a target's name says of the instance."""
    instance = name.partition("@")[2].rpartition(".")[0]
    return target.replace("%i", instance).replace("%I", instance)
