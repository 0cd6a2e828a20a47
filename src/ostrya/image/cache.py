# SPDX-License-Identifier: Apache-2.0
"""What earlier builds made, by what it was made of.

::

    CACHE/
      lock                  shared by builds, held alone by whoever cleans up
      repo-LEVEL/           an archive repository: converted trees, under refs base/KEY
      objects/ab/cdef….file contents as plain files, which sysroots are linked from
      steps/NAME-KEY        what a step made
      digests/KEY           of files by path, size and times, so that they are not read again
      work/                 where builds do their work

A key is the digest of all that a step depends on, our own code with it. Nothing here is needed:
without it, the same is made again.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager, suppress
from hashlib import file_digest, sha256
from importlib.resources import files
from typing import TYPE_CHECKING

from ostrya._linux.atomic import replace_file
from ostrya._linux.flock import try_lock
from ostrya.errors import IntegrityError
from ostrya.repo.config_writer import write_config
from ostrya.repo.modes import RepoMode
from ostrya.repo.prune import prune
from ostrya.repo.ref_writer import write_ref
from ostrya.repo.refs import list_refs
from ostrya.repo.repository import Repository, create_repository

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from importlib.resources.abc import Traversable

# Whose code says what comes out of a step.
_CODE = ("image", "boot", "tree", "sysroot")
_CODE_ENDINGS = (".pyc", ".so")
BASES = "base"
_KEPT_BASES = 6
_KEPT_S = 30 * 24 * 3600
# What changed so shortly before it was looked at may change again unnoticed.
_RACY_NS = 2_000_000_000
_FOLDERS = ("objects", "steps", "digests", "work")


class Cache:
    """A directory of what earlier builds made.

    Attributes:
        path: Where it is.
        keeps: Whether it outlives the build.
    """

    def __init__(self, path: str, *, keeps: bool = True) -> None:
        self.path = path
        self.keeps = keeps
        for name in _FOLDERS:
            os.makedirs(f"{path}/{name}", mode=0o700, exist_ok=True)

    @property
    def objects(self) -> str:
        """The directory of contents as plain files."""
        return f"{self.path}/objects"

    @property
    def work(self) -> str:
        """The directory for builds to work in; files can be linked from the cache to there."""
        return f"{self.path}/work"

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Keep others from cleaning up meanwhile."""
        fd = os.open(f"{self.path}/lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            while not try_lock(fd, exclusive=False):
                time.sleep(0.1)
            yield
        finally:
            os.close(fd)

    # -- steps

    def load(self, step: str, key: str) -> bytes | None:
        """Return what a step made; None if nobody knows."""
        place = f"{self.path}/steps/{step}-{key}"
        try:
            with open(place, "rb") as stream:
                data = stream.read()
            os.utime(place)
        except FileNotFoundError:
            return None
        return data

    def store(self, step: str, key: str, data: bytes) -> None:
        """Keep what a step made."""
        self._write("steps", f"{step}-{key}", data)

    def _write(self, folder: str, name: str, data: bytes) -> None:
        fd = os.open(f"{self.path}/{folder}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            replace_file(name, data, dir_fd=fd, mode=0o600, durable=False)
        finally:
            os.close(fd)

    @contextmanager
    def repository(self, level: int) -> Iterator[Repository]:
        """Open the repository of converted trees.

        Args:
            level: How hard its contents are compressed: they may be linked to elsewhere.

        Raises:
            IntegrityError: What is in it is damaged, or was so while it was open.
        """
        with create_repository(f"{self.path}/repo-{level}", RepoMode.ARCHIVE) as repo:
            keyfile = repo.config.keyfile
            wanted = (("core", "fsync", "false"), ("archive", "zlib-level", str(level)))
            if any(
                not keyfile.has_group(group)
                or not keyfile.has_key(group, key)
                or keyfile.get_value(group, key) != value
                for group, key, value in wanted
            ):
                for group, key, value in wanted:
                    keyfile.set_value(group, key, value)
                write_config(repo, keyfile)
                repo.reload_config()
            try:
                yield repo
            except IntegrityError as exc:
                if self.keeps and not exc.hint:
                    exc.hint = f"if {self.path} is damaged, delete it: all of it is made again"
                raise

    # -- what things are made of

    def digest(self, path: str) -> str:
        """Return the SHA-256 of a file, read only if it has changed since the last time."""
        found = os.stat(path)
        facts = [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]
        name = sha256(os.path.realpath(path).encode("utf-8", "surrogateescape")).hexdigest()
        with suppress(FileNotFoundError, ValueError, KeyError):
            with open(f"{self.path}/digests/{name}", "rb") as stream:
                known = json.load(stream)
            if known["facts"] == facts:
                return str(known["sha256"])
        began = time.time_ns()
        with open(path, "rb") as stream:
            digest = file_digest(stream, "sha256").hexdigest()
        if found.st_ctime_ns < began - _RACY_NS:
            self._write("digests", name, json.dumps({"facts": facts, "sha256": digest}).encode())
        return digest

    # -- not growing without end

    def clean_up(self) -> None:
        """Forget what was not used for long, unless somebody builds."""
        fd = os.open(f"{self.path}/lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not try_lock(fd, exclusive=True):
                return
            self._forget_old("steps", _KEPT_S)
            self._forget_old("digests", _KEPT_S)
            for name in os.listdir(self.path):
                level = name.removeprefix("repo-")
                if level != name:
                    self._forget_bases(int(level))
        finally:
            os.close(fd)

    def _forget_old(self, folder: str, age_s: float) -> None:
        limit = time.time() - age_s
        for name in os.listdir(f"{self.path}/{folder}"):
            place = f"{self.path}/{folder}/{name}"
            if os.stat(place).st_mtime < limit:
                os.unlink(place)

    def _forget_bases(self, level: int) -> None:
        with self.repository(level) as repo:
            used: dict[str, float] = {}
            for ref in list_refs(repo, BASES):
                try:
                    key = ref.rpartition("/")[2]
                    used[ref] = os.stat(f"{self.path}/steps/{BASES}-{key}").st_mtime
                except FileNotFoundError:
                    used[ref] = 0
            late = sorted(used, key=lambda ref: used[ref], reverse=True)[_KEPT_BASES:]
            late += [ref for ref, at in used.items() if at == 0 and ref not in late]
            if not late:
                return
            for ref in late:
                write_ref(repo, None, ref, None)
                with suppress(FileNotFoundError):
                    os.unlink(f"{self.path}/steps/{BASES}-{ref.rpartition('/')[2]}")
            prune(repo, refs_only=True)
        self._forget_plain()

    def _forget_plain(self) -> None:
        """Delete plain contents that no repository has any more."""
        repos = [name for name in os.listdir(self.path) if name.startswith("repo-")]
        for prefix in os.listdir(self.objects):
            folder = f"{self.objects}/{prefix}"
            if not os.path.isdir(folder):
                continue
            for name in os.listdir(folder):
                stored = f"{prefix}/{name}z" if name.endswith(".file") else f"{prefix}/{name}"
                if not any(os.path.exists(f"{self.path}/{r}/objects/{stored}") for r in repos):
                    os.unlink(f"{folder}/{name}")


def fingerprint(top: str) -> str | None:
    """Return what changes whenever a directory or anything in it does; it looks at no contents.

    None if something in it changed just now, so that it may change again unnoticed.
    """
    found = sha256()
    newest = 0
    began = time.time_ns()
    pending = [top]
    while pending:
        folder = pending.pop()
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
        for entry in listed:
            facts = entry.stat(follow_symlinks=False)
            newest = max(newest, facts.st_ctime_ns)
            line = (
                entry.path, facts.st_mode, facts.st_uid, facts.st_gid, facts.st_ino, facts.st_size,
                facts.st_mtime_ns, facts.st_ctime_ns,
            )  # fmt: skip
            found.update(repr(line).encode("utf-8", "surrogateescape"))
            if entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
    return found.hexdigest() if newest < began - _RACY_NS else None


def key_of(*facts: object) -> str:
    """Return the digest of what something depends on: plain values, and tuples of them."""
    return sha256(repr(facts).encode("utf-8", "surrogateescape")).hexdigest()


def code_digest() -> str:
    """Return the digest of our own code that says what comes out of a step."""
    found = sha256()
    top = files("ostrya")
    for name in _CODE:
        for path, data in _package_files(top.joinpath(name), name):
            found.update(f"{path}\0{len(data)}\0".encode() + data)
    return found.hexdigest()


def _package_files(folder: Traversable, path: str) -> Iterable[tuple[str, bytes]]:
    for one in sorted(folder.iterdir(), key=lambda entry: entry.name):
        below = f"{path}/{one.name}"
        if one.is_dir():
            if one.name != "__pycache__":
                yield from _package_files(one, below)
        elif not one.name.endswith(_CODE_ENDINGS):
            yield below, one.read_bytes()
