# SPDX-License-Identifier: Apache-2.0
"""The repository's ``config`` file as values, with libostree's defaults.

Source: ``ostree.repo-config(5)``.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.repo.errors import RepoConfigError
from ostrya.repo.lock import NO_LOCKING
from ostrya.repo.modes import RepoMode, parse_mode

if TYPE_CHECKING:
    from ostrya.formats.keyfile import KeyFile

MAX_CONFIG_BYTES = 16 * 1024 * 1024
_DEFAULT_LOCK_TIMEOUT_S = 300
_DEFAULT_TMP_EXPIRY_S = 24 * 60 * 60
_DEFAULT_ZLIB_LEVEL = 6
_DEFAULT_MIN_FREE_PERCENT = 3
_REPO_FINDERS = ("config", "lan", "mount")
_SIZE_UNITS_MB = {"MB": 1, "GB": 1 << 10, "TB": 1 << 20}


class Tristate(Enum):
    """Whether something is wanted: not at all, where it is possible, or without fail."""

    NO = "no"
    MAYBE = "maybe"
    YES = "yes"


_TRISTATES = {
    **dict.fromkeys(("no", "false", "0"), Tristate.NO),
    **dict.fromkeys(("yes", "true", "1"), Tristate.YES),
    "maybe": Tristate.MAYBE,
}


class RepoConfig(NamedTuple):
    """What the ``core`` and ``archive`` groups say.

    Attributes:
        keyfile: The whole file, comments and unknown keys included.
        mode: How content is stored.
        fsync: Whether what is written must survive a power cut.
        per_object_fsync: Whether each object is synced by itself, instead of all at the end.
        disable_xattrs: Whether extended attributes of committed trees are left out.
        tmp_expiry_s: Age at which leftovers in ``tmp`` are deleted.
        lock_timeout_s: As ``RepoLock`` takes it.
        zlib_level: Compression level of archive content, 1 to 9.
        min_free_percent: Share of the file system to leave free; 0 when ``min_free_mb`` rules.
        min_free_mb: Megabytes to leave free; 0 when not set.
        collection_id: The collection that this repository's own refs belong to.
        parent_path: Another repository whose objects count as present here.
        payload_link_threshold_bytes: From which size on equal payloads share blocks; None: never.
        auto_update_summary: Whether every change of a ref rewrites the summary.
        tombstone_commits: Whether deleting a commit leaves a tombstone.
        indexed_deltas: Whether the indexes of static deltas can be relied on.
        sign_verify_deltas: Whether static deltas that come as files have to be signed.
        uncompressed_cache: Whether user-mode checkouts of archives keep inflated content.
        fsverity: Whether the kernel seals objects as they get their names.
        repo_finders: Where to look for refs of a collection: ``config``, ``lan``, ``mount``.
        add_remotes_config_dir: Whether the system's repository gets new remotes in files of their
            own instead of here.
    """

    keyfile: KeyFile
    mode: RepoMode
    fsync: bool
    per_object_fsync: bool
    disable_xattrs: bool
    tmp_expiry_s: int
    lock_timeout_s: int
    zlib_level: int
    min_free_percent: int
    min_free_mb: int
    collection_id: str | None
    parent_path: str | None
    payload_link_threshold_bytes: int | None
    auto_update_summary: bool
    tombstone_commits: bool
    indexed_deltas: bool
    sign_verify_deltas: bool
    uncompressed_cache: bool
    fsverity: Tristate = Tristate.NO
    repo_finders: tuple[str, ...] = _REPO_FINDERS
    add_remotes_config_dir: bool = True


def parse_config(keyfile: KeyFile) -> RepoConfig:
    """Read the values out of a parsed ``config`` file.

    Raises:
        RepoConfigError: The version or the mode is not known, or a value cannot be used.
        KeyFileError: A value is not of its key's kind.
    """
    core = _Core(keyfile)
    version = core.value("repo_version", "")
    if version != "1":
        raise RepoConfigError(f"Invalid repository version '{version}'")
    if core.boolean("archive", default=False):
        raise RepoConfigError(
            'repositories with "core.archive" are no longer supported; use mode archive-z2'
        )
    min_free_percent, min_free_mb = _min_free_space(core)
    return RepoConfig(
        keyfile=keyfile,
        mode=parse_mode(core.value("mode", "bare")),
        fsync=core.boolean("fsync", default=True),
        per_object_fsync=core.boolean("per-object-fsync", default=False),
        disable_xattrs=core.boolean("disable-xattrs", default=False),
        tmp_expiry_s=core.integer("tmp-expiry-secs", _DEFAULT_TMP_EXPIRY_S),
        lock_timeout_s=_lock_timeout(core),
        zlib_level=_zlib_level(keyfile),
        min_free_percent=min_free_percent,
        min_free_mb=min_free_mb,
        collection_id=core.value("collection-id", "") or None,
        parent_path=core.value("parent", "") or None,
        payload_link_threshold_bytes=_payload_threshold(core),
        auto_update_summary=core.boolean("auto-update-summary", default=False)
        or core.boolean("commit-update-summary", default=False),
        tombstone_commits=core.boolean("tombstone-commits", default=False),
        indexed_deltas=core.boolean("indexed-deltas", default=False),
        sign_verify_deltas=core.boolean("sign-verify-deltas", default=False),
        uncompressed_cache=core.boolean("enable-uncompressed-cache", default=True),
        fsverity=_fsverity(keyfile),
        repo_finders=_repo_finders(core),
        add_remotes_config_dir=core.boolean("add-remotes-config-dir", default=True),
    )


class _Core:
    """Reads the ``core`` group with defaults."""

    __slots__ = ("_keyfile",)

    def __init__(self, keyfile: KeyFile) -> None:
        self._keyfile = keyfile

    def has(self, key: str) -> bool:
        return self._keyfile.has_key("core", key)

    def value(self, key: str, default: str) -> str:
        return self._keyfile.get_value("core", key) if self.has(key) else default

    def boolean(self, key: str, *, default: bool) -> bool:
        return self._keyfile.get_boolean("core", key) if self.has(key) else default

    def strings(self, key: str) -> tuple[str, ...] | None:
        return self._keyfile.get_string_list("core", key) if self.has(key) else None

    def integer(self, key: str, default: int) -> int:
        text = self.value(key, "").strip()
        return int(text) if _is_number(text.removeprefix("-")) else default


def _repo_finders(core: _Core) -> tuple[str, ...]:
    finders = core.strings("default-repo-finders")
    if finders is None:
        return _REPO_FINDERS
    if not finders:
        raise RepoConfigError("Invalid empty default-repo-finders configuration")
    for finder in finders:
        if finder not in _REPO_FINDERS:
            raise RepoConfigError(f"Invalid configured repo-finder '{finder}'")
    return finders


def _lock_timeout(core: _Core) -> int:
    if not core.boolean("locking", default=True):
        return NO_LOCKING
    return max(core.integer("lock-timeout-secs", _DEFAULT_LOCK_TIMEOUT_S), -1)


def _zlib_level(keyfile: KeyFile) -> int:
    if not keyfile.has_key("archive", "zlib-level"):
        return _DEFAULT_ZLIB_LEVEL
    text = keyfile.get_value("archive", "zlib-level").strip()
    return max(1, min(9, int(text) if _is_number(text) else 1))


def _fsverity(keyfile: KeyFile) -> Tristate:
    composefs = _tristate(keyfile, "composefs", Tristate.NO)
    default = Tristate.NO if composefs == Tristate.NO else Tristate.MAYBE
    wanted = _tristate(keyfile, "fsverity", default)
    if wanted == Tristate.NO:
        # The older spelling of the same.
        for key, value in (("required", Tristate.YES), ("opportunistic", Tristate.MAYBE)):
            if keyfile.has_key("ex-fsverity", key) and keyfile.get_boolean("ex-fsverity", key):
                return value
    return wanted


def _tristate(keyfile: KeyFile, key: str, default: Tristate) -> Tristate:
    if not keyfile.has_key("ex-integrity", key):
        return default
    text = keyfile.get_value("ex-integrity", key).strip()
    value = _TRISTATES.get(text)
    if value is None:
        raise RepoConfigError(f"Invalid tri-state value: {text}")
    return value


def _payload_threshold(core: _Core) -> int | None:
    threshold = core.integer("payload-link-threshold", -1)
    return threshold if threshold >= 0 else None


def _min_free_space(core: _Core) -> tuple[int, int]:
    """Return (percent, megabytes); a size wins over a percentage."""
    if core.has("min-free-space-size"):
        megabytes = _parse_size_mb(core.value("min-free-space-size", ""))
        if megabytes:
            return 0, megabytes
        if not core.has("min-free-space-percent"):
            return 0, 0
    if not core.has("min-free-space-percent"):
        return _DEFAULT_MIN_FREE_PERCENT, 0
    text = core.value("min-free-space-percent", "")
    if not _is_number(text):
        raise RepoConfigError(f"Invalid min-free-space-percent '{text}': must be a number")
    if int(text) > 99:
        raise RepoConfigError(f"Invalid min-free-space-percent '{text}'")
    return int(text), 0


def _is_number(text: str) -> bool:
    # Longer than any 64-bit number: Python refuses to convert thousands of digits.
    return text.isascii() and text.isdigit() and len(text) < 20


def _parse_size_mb(text: str) -> int:
    number, unit = text[:-2], text[-2:]
    if not _is_number(number) or unit not in _SIZE_UNITS_MB:
        raise RepoConfigError(
            f"Invalid min-free-space-size '{text}': "
            "It should be of the format '123MB', '123GB' or '123TB'"
        )
    return int(number) * _SIZE_UNITS_MB[unit]


def initial_config(mode: RepoMode, collection_id: str | None) -> str:
    """Return the text of a new repository's ``config``."""
    lines = ["[core]", "repo_version=1", f"mode={mode.value}"]
    if collection_id is not None:
        lines.append(f"collection-id={collection_id}")
    return "\n".join(lines) + "\n"
