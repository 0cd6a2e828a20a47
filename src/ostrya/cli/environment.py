# SPDX-License-Identifier: Apache-2.0
"""The only module that reads the environment; everything else is handed values."""

from __future__ import annotations

import os

from ostrya.cli.errors import UsageError
from ostrya.named_tuple import NamedTuple


class Environment(NamedTuple):
    """The variables that the command line honours, as text; empty where not set.

    Attributes:
        repo: ``OSTREE_REPO``, the repository to use when none is named.
        source_date_epoch: ``SOURCE_DATE_EPOCH``, the timestamp of new commits.
        skip_cache: ``OSTREE_SKIP_CACHE``, do not keep remote summaries in the user's cache.
        test_error: ``OSTREE_REPO_TEST_ERROR``, where a transaction fails for tests.
        boot_id: ``OSTREE_BOOTID``, stands in for the kernel's boot id.
        write_split_xattrs: ``OSTREE_EXP_WRITE_BARE_SPLIT_XATTRS``, allow a writer that is not done.
        dummy_signatures: ``OSTREE_DUMMY_SIGN_ENABLED``, allow signatures that prove nothing.
        gpg_home: ``OSTREE_GPG_HOME``, stands in for the system's directory of OpenPGP keyrings.
        delta_partners: ``OSTRYA_DELTA_PARTNERS``; ``path`` for deltas as large as libostree's,
            whose tests look at their size.
        editor: The user's editor, after git's rules; empty where none can be run.
        no_color: ``NO_COLOR`` is set.
        path: ``PATH``, where extensions are looked up.
        home: ``HOME``, below which a desktop may mount volumes.
        cache_home: ``XDG_CACHE_HOME``, where the user's caches are.
        sysroot: ``OSTREE_SYSROOT``, the sysroot to use when none is named.
        sysroot_debug: ``OSTREE_SYSROOT_DEBUG``, words that make a sysroot fit for tests.
        trace: ``OSTRYA_TRACE``, where points of a change are told, and waited at.
        sysroot_options: ``OSTREE_SYSROOT_OPTS``, words for what packagers may want otherwise.
        loader_variables: Variables that boot loaders' programs look at.
    """

    repo: str = ""
    source_date_epoch: str | None = None
    skip_cache: bool = False
    test_error: str = ""
    boot_id: str = ""
    write_split_xattrs: bool = False
    dummy_signatures: bool = False
    gpg_home: str | None = None
    delta_partners: str = ""
    editor: str = ""
    no_color: bool = False
    path: str = ""
    home: str = ""
    cache_home: str = ""
    sysroot: str = ""
    sysroot_debug: frozenset[str] = frozenset()
    trace: str = ""
    sysroot_options: frozenset[str] = frozenset()
    loader_variables: dict[str, str] = {}  # noqa: RUF012  # a tuple's default, never written to


_LOADER_VARIABLES = (
    "OSTREE_GRUB2_EXEC",
    "OSTREE_DEBUG_GRUB2",
    "OSTREE_BOOT_PARTITION",
    # What grub-mkconfig, started by us, starts us with.
    "GRUB2_BOOT_DEVICE_ID",
    "GRUB2_PREPARE_ROOT_CACHE",
    "_OSTREE_GRUB2_BOOTVERSION",
)


def read_environment() -> Environment:
    """Read the process's environment."""
    get = os.environ.get
    return Environment(
        repo=get("OSTREE_REPO", ""),
        source_date_epoch=get("SOURCE_DATE_EPOCH"),
        skip_cache=bool(get("OSTREE_SKIP_CACHE")),
        test_error=get("OSTREE_REPO_TEST_ERROR", ""),
        boot_id=get("OSTREE_BOOTID", ""),
        write_split_xattrs=get("OSTREE_EXP_WRITE_BARE_SPLIT_XATTRS") is not None,
        dummy_signatures=get("OSTREE_DUMMY_SIGN_ENABLED") == "1",
        gpg_home=get("OSTREE_GPG_HOME"),
        delta_partners=get("OSTRYA_DELTA_PARTNERS", ""),
        editor=_editor(),
        no_color=bool(get("NO_COLOR")),
        path=get("PATH", os.defpath),
        home=get("HOME", ""),
        cache_home=get("XDG_CACHE_HOME", ""),
        sysroot=get("OSTREE_SYSROOT", ""),
        sysroot_debug=_words("OSTREE_SYSROOT_DEBUG"),
        trace=get("OSTRYA_TRACE", ""),
        sysroot_options=_words("OSTREE_SYSROOT_OPTS"),
        loader_variables={name: get(name, "") for name in _LOADER_VARIABLES if name in os.environ},
    )


def _words(name: str) -> frozenset[str]:
    """Read a variable that holds words, parted by anything that is in none of them."""
    text = os.environ.get(name, "")
    for separator in ":;,\t":
        text = text.replace(separator, " ")
    return frozenset(text.split())


def _editor() -> str:
    get = os.environ.get
    dumb = get("TERM", "dumb") == "dumb"
    editor = get("OSTREE_EDITOR", "")
    if not editor and not dumb:
        editor = get("VISUAL", "")
    editor = editor or get("EDITOR", "")
    return editor or ("" if dumb else "vi")


def parse_source_date_epoch(text: str) -> int:
    """Parse the value of ``SOURCE_DATE_EPOCH``, seconds since the epoch.

    Raises:
        UsageError: It is no number, or too large for one.
    """
    import re

    match = re.match(r"\s*[+-]?[0-9]+", text)
    if match is None:
        raise UsageError("Failed to convert SOURCE_DATE_EPOCH")
    value = int(match[0])
    if not -(2**63) <= value < 2**63:
        raise UsageError("Parsing SOURCE_DATE_EPOCH: Numerical result out of range")
    return value
