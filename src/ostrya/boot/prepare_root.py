# SPDX-License-Identifier: Apache-2.0
"""What the ramdisk will do with a deployment's root, before it does it.

::

    kernel arguments     ostree=…   ostree.prepare-root.composefs=…
    prepare-root.conf    [composefs] enabled   [etc] transient   [root] transient, transient-ro
                         [sysroot] readonly
    repository's config  [sysroot] readonly

    →   plan_root

The shell script ``initramfs/data/prepare-root.sh`` decides the same; both are tested against one
table.

Source: ``ostree-prepare-root(1)``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from ostrya.boot.errors import InitramfsError
from ostrya.formats.keyfile import KeyFile
from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_YES, _NO = frozenset({"true", "1"}), frozenset({"false", "0"})
_SLOTS = {"_a": "/ostree/root.a", "_b": "/ostree/root.b"}


class Composefs(StrEnum):
    """Whether the root is an image."""

    NO = "no"
    MAYBE = "maybe"
    YES = "yes"


class RootPlan(NamedTuple):
    """How a root is put together.

    Attributes:
        link: The link on the disk that leads to the deployment; empty if nothing names one.
        composefs: Whether it is an image.
        etc_transient: Whether ``/etc`` begins as the tree has it at every start.
        root_transient: Whether all of ``/`` can be written to, until the next deployment.
        root_transient_ro: The same, but read-only until somebody mounts it otherwise.
        sysroot_readonly: Whether ``/sysroot`` is read-only.
    """

    link: str
    composefs: Composefs
    etc_transient: bool
    root_transient: bool
    root_transient_ro: bool
    sysroot_readonly: bool


def plan_root(kargs: str, *, confs: Iterable[str] = (), repo_config: str = "") -> RootPlan:
    """Decide how a root is put together.

    Args:
        kargs: The kernel's command line.
        confs: Texts of ``prepare-root.conf``, what counts more coming later.
        repo_config: The text of the repository's config.

    Raises:
        InitramfsError: A setting has a value that nobody knows, or that asks for what the ramdisk
            cannot do.
        KeyFileError: A text is no key file.
    """
    values = _kargs(kargs)
    link = values.get("ostree") or _SLOTS.get(values.get("androidboot.slot_suffix", ""), "")
    settings: dict[str, str] = {}
    for text in confs:
        settings |= _settings(text)
    composefs = _composefs(
        values.get("ostree.prepare-root.composefs") or settings.get("composefs.enabled", "")
    )
    if not settings.get("sysroot.readonly"):
        settings |= {
            key: value for key, value in _settings(repo_config).items() if key == "sysroot.readonly"
        }
    root_transient_ro = _truth("root.transient-ro", settings, default=False)
    return RootPlan(
        link,
        composefs,
        _truth("etc.transient", settings, default=False),
        _truth("root.transient", settings, default=root_transient_ro),
        root_transient_ro,
        _truth("sysroot.readonly", settings, default=composefs is Composefs.YES),
    )


def _kargs(line: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in line.split():
        if word == "--":
            break
        key, equals, value = word.partition("=")
        if equals:
            found[key] = value
    return found


def _settings(text: str) -> dict[str, str]:
    keyfile = KeyFile.parse(text, keep_comments=False)
    return {
        f"{group}.{key}": keyfile.get_value(group, key).strip()
        for group in keyfile.groups()
        for key in keyfile.keys(group)
    }


def _composefs(value: str) -> Composefs:
    if value in {"", "no"} or value in _NO:
        return Composefs.NO
    if value == "yes" or value in _YES:
        return Composefs.YES
    if value == "maybe":
        return Composefs.MAYBE
    if value in {"verity", "signed"}:
        raise InitramfsError(f"composefs.enabled={value}: this ramdisk cannot check images")
    raise InitramfsError(f"composefs.enabled={value}: unknown")


def _truth(key: str, settings: dict[str, str], *, default: bool) -> bool:
    value = settings.get(key, "")
    if not value:
        return default
    if value in _YES:
        return True
    if value in _NO:
        return False
    raise InitramfsError(f"{key}={value} in prepare-root.conf is neither true nor false")
