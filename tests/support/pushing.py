# SPDX-License-Identifier: Apache-2.0
"""Places to push to that can be stopped at any request, and a look at what they hold."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from ostrya.formats.checksum import Checksum
from ostrya.formats.commit import Commit
from ostrya.formats.dirtree import DirTree
from ostrya.formats.object_name import ObjectName, ObjectType, parse_loose_name
from ostrya.formats.summary import Summary
from ostrya.pull.push_archive import object_path
from ostrya.repo.stores.bucket import BucketStore


def memory_bucket() -> BucketStore:
    """A bucket in memory, with conditional writes like a real one."""
    from obstore.store import MemoryStore

    return BucketStore(MemoryStore(), "s3://memory/repo")


class Died(BaseException):
    """The pusher was killed."""


class DyingFiles:
    """Files of another place; from the ``die_at``-th request on, none is made any more.

    With ``too_late`` that request is made, and only its answer is lost.
    """

    def __init__(self, files, die_at: int = 0, *, too_late: bool = False) -> None:
        self._files = files
        self.shown = files.shown
        self.die_at = die_at
        self.too_late = too_late
        self.requests: list[tuple[str, str]] = []
        self.on_request: Callable[[str, str], None] = lambda _deed, _path: None
        self._lock = threading.Lock()

    def _request(self, deed: str, path: str, work):
        with self._lock:
            self.requests.append((deed, path))
            number = len(self.requests)
        self.on_request(deed, path)
        if self.die_at and number >= self.die_at:
            if number == self.die_at and self.too_late:
                work()
            raise Died
        return work()

    def read(self, path, max_bytes):
        return self._request("read", path, lambda: self._files.read(path, max_bytes))

    def exists(self, path):
        return self._request("exists", path, lambda: self._files.exists(path))

    def list(self, folder) -> Iterator[str]:
        return self._request("list", folder, lambda: iter(list(self._files.list(folder))))

    def scan(self, folder):
        return self._request("scan", folder, lambda: iter(list(self._files.scan(folder))))

    def put(self, path, packed):
        return self._request("put", path, lambda: self._files.put(path, packed))

    def replace(self, path, data, tag):
        return self._request("replace", path, lambda: self._files.replace(path, data, tag))

    def delete(self, path):
        return self._request("delete", path, lambda: self._files.delete(path))

    def delete_many(self, paths):
        return self._request("delete", "", lambda: self._files.delete_many(paths))

    def make_layout(self):
        return self._request("make", "", self._files.make_layout)

    def close(self):
        """Leave the place open: it is looked at afterwards."""


def read_all(files) -> dict[str, bytes]:
    """What a place holds, by path."""
    return {path: files.read(path, 1 << 30)[0] for path in list(files.list(""))}


def refs_of(held: dict[str, bytes]) -> dict[str, str]:
    """Where refs point to."""
    start = "refs/heads/"
    return {p[len(start) :]: d.decode().strip() for p, d in held.items() if p.startswith(start)}


def require_complete(held: dict[str, bytes]) -> None:
    """Fail if a commit, or a ref, or the summary, leads to something that is not there."""
    commits = set()
    for path in held:
        parts = path.split("/")
        name = parse_loose_name(parts[1], parts[2]) if parts[0] == "objects" else None
        if name is not None and name.type == ObjectType.COMMIT:
            commits.add(name.checksum)
            for needed in reached(held, name.checksum):
                assert object_path(needed) in held, f"commit {name.checksum} lacks {needed}"
    for ref, checksum in refs_of(held).items():
        assert checksum in commits, f"ref {ref} points to nothing"
    if "summary" in held:
        for ref in Summary.decode(held["summary"]).refs:
            assert ref.checksum in commits, f"summary: {ref.name} points to nothing"


def reached(held: dict[str, bytes], checksum: Checksum) -> Iterator[ObjectName]:
    """What a commit holds, as far as it is there to be read."""
    commit = Commit.decode(held[object_path(ObjectName(checksum, ObjectType.COMMIT))])
    yield ObjectName(commit.root_metadata, ObjectType.DIR_META)
    stack = [commit.root_contents]
    while stack:
        name = ObjectName(stack.pop(), ObjectType.DIR_TREE)
        yield name
        data = held.get(object_path(name))
        if data is None:
            continue
        tree = DirTree.decode(data)
        yield from (ObjectName(content, ObjectType.FILE) for _, content in tree.files)
        for _, contents, metadata in tree.dirs:
            yield ObjectName(metadata, ObjectType.DIR_META)
            stack.append(contents)
