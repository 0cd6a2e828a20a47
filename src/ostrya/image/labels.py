# SPDX-License-Identifier: Apache-2.0
"""SELinux labels for a release, if it has a policy.

They are those of the system that it becomes: what is in ``/usr/etc`` has the labels of ``/etc``.
Nothing of SELinux is needed on the machine that builds.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from ostrya.formats.checksum import Checksum
from ostrya.formats.object_name import ObjectType
from ostrya.formats.xattrs import Xattrs, canonical_xattrs
from ostrya.image.errors import SourceError
from ostrya.repo.reader import load_dirmeta, load_file
from ostrya.tree.errors import ContextsError, PolicyError
from ostrya.tree.selinux import SelinuxPolicy, load_policy_from
from ostrya.tree.worker_results import gather, take_told
from ostrya.workers import map_batches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ostrya.image.decisions import Report
    from ostrya.image.tree import TreeEditor
    from ostrya.repo.transaction import Transaction
    from ostrya.tree.mutable_tree import MutableTree
    from ostrya.tree.worker_results import Told

_LABEL = b"security.selinux"
_MAX_POLICY_BYTES = 256 << 20
_BATCH = 64

_Task = tuple[str, str]
_Batch = tuple[int, list[_Task]]
_Result = tuple[int, list[str], "Told"]


def label_tree(editor: TreeEditor, report: Report) -> None:
    """Label all that is in a tree by its own policy; without one nothing is done.

    Raises:
        SourceError: SELinux is in use, and its policy lacks something.
    """
    try:
        policy = load_policy_from(_EditedFiles(editor))
        if policy.name is None:
            return
        labels = _Labels(editor, policy)
        count = labels.set_all()
    except (PolicyError, ContextsError) as exc:
        raise SourceError(f"SELinux: {exc.message}", hint=exc.hint) from exc
    report.tell(
        "labels.set", "", f"labelled {count} files and directories by the policy {policy.name}"
    )


class _EditedFiles:
    """Files of a policy, in a tree that is being changed."""

    def __init__(self, editor: TreeEditor) -> None:
        self._editor = editor

    def exists(self, path: str) -> bool:
        return self._editor.find(path) is not None

    def read(self, path: str) -> bytes | None:
        if not self._editor.is_file(path):
            return None
        return self._editor.read(path, max_bytes=_MAX_POLICY_BYTES)

    def names(self, path: str) -> list[str]:
        return self._editor.names(path)


class _Labels:
    def __init__(self, editor: TreeEditor, policy: SelinuxPolicy) -> None:
        self._editor = editor
        self._policy = policy
        self._places: dict[int, list[tuple[MutableTree, str]]] = {}
        self._count = 0

    def set_all(self) -> int:
        """Label the tree; return how much is in it."""
        for number, checksums, told in map_batches(_make_worker(self._editor.tx), self._batches()):
            for (tree, name), checksum in zip(self._places.pop(number), checksums, strict=True):
                tree.replace_file(name, Checksum(checksum))
            gather(self._editor.tx, told)
        return self._count

    def _batches(self) -> Iterator[_Batch]:
        number = 0
        tasks: list[_Task] = []
        places: list[tuple[MutableTree, str]] = []
        for tree, name, content, label in self._walk():
            tasks.append((content, label))
            places.append((tree, name))
            if len(tasks) == _BATCH:
                self._places[number] = places
                yield number, tasks
                number, tasks, places = number + 1, [], []
        if tasks:
            self._places[number] = places
            yield number, tasks

    def _walk(self) -> Iterator[tuple[MutableTree, str, str, str]]:
        """Label directories, and yield files with the labels that they get."""
        stack: list[tuple[str, MutableTree]] = [("", self._editor.root)]
        while stack:
            path, tree = stack.pop()
            self._label_directory(path or "/", tree)
            stack.extend((f"{path}/{name}", child) for name, child in tree.dirs().items())
            for name, content in list(tree.files().items()):
                with load_file(self._editor.tx.repo, content) as file:
                    mode = file.header.mode
                label = self._label(f"{path}/{name}", mode)
                self._count += 1
                if label is not None:
                    yield tree, name, str(content), label

    def _label_directory(self, path: str, tree: MutableTree) -> None:
        self._count += 1
        if tree.metadata_checksum is None:
            return
        meta = load_dirmeta(self._editor.tx.repo, tree.metadata_checksum)
        label = self._label(path, meta.mode)
        if label is not None:
            changed = meta._replace(xattrs=_with_label(meta.xattrs, label))
            tree.set_metadata_checksum(
                self._editor.tx.writer.write_metadata(ObjectType.DIR_META, changed.encode())
            )

    def _label(self, path: str, mode: int) -> str | None:
        if (path + "/").startswith("/usr/etc/"):
            path = path[len("/usr") :]
        return self._policy.label_for(path, mode)


def _make_worker(tx: Transaction) -> Callable[[], Callable[[_Batch], _Result]]:
    def make() -> Callable[[_Batch], _Result]:
        writer = tx.new_writer()

        def work(batch: _Batch) -> _Result:
            number, tasks = batch
            checksums = []
            for content, label in tasks:
                with load_file(tx.repo, Checksum(content)) as file:
                    header = file.header._replace(xattrs=_with_label(file.header.xattrs, label))
                    if header.xattrs == file.header.xattrs:
                        checksums.append(content)
                    elif stat.S_ISLNK(header.mode):
                        checksums.append(str(writer.write_symlink(header)))
                    else:
                        checksums.append(str(writer.write_stream(header, file.size, file.chunks())))
            return number, checksums, take_told(writer)

        return work

    return make


def _with_label(xattrs: Xattrs, label: str) -> Xattrs:
    others = [pair for pair in xattrs if pair[0] != _LABEL]
    # On the disk it is a C string, its NUL included.
    return canonical_xattrs([*others, (_LABEL, label.encode() + b"\0")])
