# SPDX-License-Identifier: Apache-2.0
"""Labels from the SELinux policy of a root file system, or of a commit.

::

    etc/selinux/config                                SELINUX=enforcing, SELINUXTYPE=targeted
    etc/selinux/targeted/contexts/files/file_contexts           the policy's
                                        file_contexts.homedirs  generated, for home directories
                                        file_contexts.local     the administrator's
                                        file_contexts.subs_dist and .subs
    etc/selinux/targeted/policy/policy.33             compiled; its checksum names the policy

``usr/etc/selinux`` stands for ``etc/selinux`` where that is not there, as in a commit. Labels
are computed from these files alone: the machine need not run SELinux.

Source: ostree-sepolicy.c; selinux_config(5).
"""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from ostrya.tree.errors import PolicyError
from ostrya.tree.selinux_contexts import FileContexts, parse_substitutions

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository

_PLACES = ("etc/selinux", "usr/etc/selinux")
_COMMIT_PLACES = ("usr/etc/selinux",)
_ENABLED = re.compile(rb"SELINUX=(?:enforcing|permissive)", re.IGNORECASE)
_NAME_KEY = b"SELINUXTYPE="
_BINARY_POLICY = re.compile(r"policy\.([0-9]+)")
_MAX_FILE_BYTES = 256 << 20


class SelinuxPolicy:
    """The labels of one policy, or no labels at all where SELinux is not in use.

    Attributes:
        name: ``SELINUXTYPE``; None without a policy.
        checksum: SHA-256 of the compiled policy; None without a policy.
    """

    __slots__ = ("_contexts", "checksum", "name")

    def __init__(
        self,
        name: str | None = None,
        checksum: str | None = None,
        contexts: FileContexts | None = None,
    ) -> None:
        self.name = name
        self.checksum = checksum
        self._contexts = contexts

    def label_for(self, path: str, mode: int) -> str | None:
        """Return the label of a path, None if the policy gives it none.

        Args:
            path: Absolute, in the running system.
            mode: File type and permission bits.

        Raises:
            ContextsError: The policy has an expression that is not valid.
        """
        if self._contexts is None:
            return None
        # /proc itself is labelled when it is mounted; the policy says <<none>> of it.
        return self._contexts.lookup(b"/mnt" if path == "/proc" else os.fsencode(path), mode)


class PolicyFiles(Protocol):
    """Where a policy's files are."""

    def exists(self, path: str) -> bool:
        """Say whether something is there."""

    def read(self, path: str) -> bytes | None:
        """Return the content of a file, None if it is not there."""

    def names(self, path: str) -> list[str]:
        """Return the names in a directory; none if it is not there."""


def load_policy(root_path: str) -> SelinuxPolicy:
    """Load the policy of a root file system.

    Raises:
        FileNotFoundError: There is no such directory.
        PolicyError: SELinux is in use, and its policy lacks something.
        ContextsError: A file of the policy cannot be parsed.
    """
    os.stat(root_path)
    return _load(_DiskSource(root_path), _PLACES, root_path)


def load_policy_of_commit(repo: Repository, commit: Checksum) -> SelinuxPolicy:
    """Load the policy of a commit, from its ``/usr/etc``.

    Raises:
        ObjectNotFound: The repository lacks an object of the policy.
        PolicyError: SELinux is in use, and its policy lacks something.
        ContextsError: A file of the policy cannot be parsed.
    """
    return _load(_CommitSource(repo, commit), _COMMIT_PLACES, "")


def load_policy_from(source: PolicyFiles) -> SelinuxPolicy:
    """Load the policy of a tree that is neither on the disk nor committed; see `load_policy`."""
    return _load(source, _PLACES, "")


class _DiskSource:
    def __init__(self, root_path: str) -> None:
        self._root = root_path

    def exists(self, path: str) -> bool:
        return os.path.exists(os.path.join(self._root, path))

    def read(self, path: str) -> bytes | None:
        with suppress(FileNotFoundError), open(os.path.join(self._root, path), "rb") as stream:
            return stream.read(_MAX_FILE_BYTES)
        return None

    def names(self, path: str) -> list[str]:
        with suppress(FileNotFoundError):
            return os.listdir(os.path.join(self._root, path))
        return []


class _CommitSource:
    def __init__(self, repo: Repository, commit: Checksum) -> None:
        from ostrya.tree.lookup import commit_root

        self._repo = repo
        self._root = commit_root(repo, commit)

    def exists(self, path: str) -> bool:
        from ostrya.tree.errors import NotADirectory, PathNotFound
        from ostrya.tree.lookup import resolve_path

        try:
            resolve_path(self._repo, self._root, path)
        except (PathNotFound, NotADirectory):
            return False
        return True

    def read(self, path: str) -> bytes | None:
        from ostrya.repo.reader import load_file
        from ostrya.tree.errors import NotADirectory, PathNotFound
        from ostrya.tree.lookup import resolve_content

        try:
            found = resolve_content(self._repo, self._root, path)
        except (PathNotFound, NotADirectory):
            return None
        with load_file(self._repo, found.checksum) as loaded:
            # An archive gives a bytearray, which is neither hashable nor text.
            return bytes(loaded.read())

    def names(self, path: str) -> list[str]:
        from ostrya.tree.errors import NotADirectory, PathNotFound
        from ostrya.tree.lookup import list_directory, resolve_directory

        try:
            directory = resolve_directory(self._repo, self._root, path)
        except (PathNotFound, NotADirectory):
            return []
        return [entry.path.rpartition("/")[2] for entry in list_directory(self._repo, directory)]


def _load(source: PolicyFiles, places: tuple[str, ...], shown: str) -> SelinuxPolicy:
    place = next((place for place in places if source.exists(place)), places[-1])
    name, enabled = _read_config(source.read(f"{place}/config") or b"")
    if not enabled:
        return SelinuxPolicy()
    if name is None:
        raise PolicyError(f"{place}/config has no SELINUXTYPE")
    root = f"{place}/{name}"
    where = os.path.join(shown, root)
    contexts = _load_contexts(source, root, where)
    policy = SelinuxPolicy(name, _binary_checksum(source, root, where), contexts)
    if policy.label_for("/", 0o755) is None:
        raise PolicyError(f"With policy root '{where}': Failed to look up context of /")
    return policy


def _read_config(data: bytes) -> tuple[str | None, bool]:
    name, enabled = None, False
    for line in data.splitlines():
        if line.startswith(_NAME_KEY):
            name = os.fsdecode(line[len(_NAME_KEY) :].strip())
        elif _ENABLED.match(line):
            enabled = True
    return name, enabled


def _load_contexts(source: PolicyFiles, root: str, where: str) -> FileContexts:
    base = "contexts/files/file_contexts"
    contexts = FileContexts(
        local=parse_substitutions(source.read(f"{root}/{base}.subs") or b""),
        shipped=parse_substitutions(source.read(f"{root}/{base}.subs_dist") or b""),
    )
    for suffix in ("", ".homedirs", ".local"):
        data = source.read(f"{root}/{base}{suffix}")
        if data is not None:
            contexts.add_file(data, f"{where}/{base}{suffix}")
        elif not suffix:
            raise PolicyError(
                f"With policy root '{where}': selabel_open(SELABEL_CTX_FILE): "
                "No such file or directory",
                hint=f"the policy lacks {base}",
            )
    return contexts


def _binary_checksum(source: PolicyFiles, root: str, where: str) -> str:
    versions = [_BINARY_POLICY.fullmatch(name) for name in source.names(f"{root}/policy")]
    best = max((int(found[1]) for found in versions if found), default=0)
    data = source.read(f"{root}/policy/policy.{best}") if best else None
    if data is None:
        raise PolicyError(
            "While calculating SELinux checksum: Could not find binary policy file",
            hint=f"{where}/policy has no policy.NUMBER",
        )
    return hashlib.sha256(data).hexdigest()
