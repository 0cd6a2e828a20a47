# SPDX-License-Identifier: Apache-2.0
"""A ramdisk that is built again only if something that it was made of has changed.

What the builder of ramdisks asks a tree is written down with the answers. As long as the answers
are the same, so is the ramdisk, whatever else has changed in the tree.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

from ostrya.boot.initramfs.build import InitramfsOptions, build_initramfs
from ostrya.image.cache import key_of
from ostrya.image.tree_view import EditedTreeFiles

if TYPE_CHECKING:
    from ostrya.image.cache import Cache
    from ostrya.image.tree import TreeEditor

_STEP = "ramdisk"
_HOST_BUSYBOXES = ("/usr/bin/busybox", "/bin/busybox")
_Question = tuple[str, str]


def ramdisk_for(
    editor: TreeEditor, options: InitramfsOptions, cache: Cache, code: str
) -> tuple[bytes, bool]:
    """Return a ramdisk for a tree, and whether it was there.

    Args:
        editor: The tree.
        options: What the ramdisk is to be like.
        cache: Where earlier ones are.
        code: The digest of our own code.

    Raises:
        InitramfsError: The tree lacks something for it.
    """
    key = key_of(_STEP, code, tuple(options), _host_programs(options))
    found = cache.load(_STEP, key)
    if found is not None:
        known = json.loads(found)
        answers = [((kind, path), answer) for kind, path, answer in known["answers"]]
        if _still_holds(editor, answers):
            return b64decode(known["data"]), True
    asked = _AskedTreeFiles(editor)
    data = build_initramfs(asked, options).data
    answers = sorted(asked.answers.items())
    record = {
        "answers": [[kind, path, answer] for (kind, path), answer in answers],
        "data": b64encode(data).decode(),
    }
    cache.store(_STEP, key, json.dumps(record).encode())
    return data, False


def is_known(editor: TreeEditor, options: InitramfsOptions, cache: Cache, code: str) -> bool:
    """Say whether a ramdisk for a tree is there."""
    found = cache.load(_STEP, key_of(_STEP, code, tuple(options), _host_programs(options)))
    if found is None:
        return False
    answers = [((kind, path), answer) for kind, path, answer in json.loads(found)["answers"]]
    return _still_holds(editor, answers)


def _host_programs(options: InitramfsOptions) -> tuple[str, ...]:
    """Return digests of what may be taken from this machine."""
    found = []
    for path in (options.busybox, *_HOST_BUSYBOXES):
        if path is not None and os.path.isfile(path):
            with open(path, "rb") as stream:
                found.append(sha256(stream.read()).hexdigest())
    return tuple(found)


def _still_holds(editor: TreeEditor, answers: list[tuple[_Question, str]]) -> bool:
    asked = _AskedTreeFiles(editor)
    return all(asked.answer(question) == answer for question, answer in answers)


class _AskedTreeFiles(EditedTreeFiles):
    """Files of a tree, and what was asked of them.

    Attributes:
        answers: By kind of question and path.
    """

    def __init__(self, editor: TreeEditor) -> None:
        super().__init__(editor)
        self.answers: dict[_Question, str] = {}
        self._inside = False

    def answer(self, question: _Question) -> str:
        """Say what a question is answered with, in a few words."""
        kind, path = question
        if kind == "names":
            return key_of(super().names(path))
        if kind == "file":
            return super().find_file(path) or ""
        if kind == "dir":
            return super().find_dir(path) or ""
        if kind == "resolve":
            return super().resolve(path)
        # The checksum of an object says all of a file; of what is missing, that it is.
        real = super().find_file(path)
        return "" if real is None else str(self._editor.find(real))

    def resolve(self, path: str) -> str:
        """Return where a path leads; see `EditedTreeFiles`."""
        self._note("resolve", path)
        return super().resolve(path)

    def read(self, path: str) -> bytes:
        """Read a file; see `EditedTreeFiles`."""
        self._note("read", path)
        return super().read(path)

    def names(self, path: str) -> list[str]:
        """List a directory; see `EditedTreeFiles`."""
        self._note("names", path)
        return super().names(path)

    def find_file(self, path: str) -> str | None:
        """Return where a regular file really is; see `EditedTreeFiles`."""
        self._note("file", path)
        return super().find_file(path)

    def find_dir(self, path: str) -> str | None:
        """Return where a directory really is; see `EditedTreeFiles`."""
        self._note("dir", path)
        return super().find_dir(path)

    def _note(self, kind: str, path: str) -> None:
        question = (kind, path)
        if self._inside or question in self.answers:
            return
        # What an answer itself asks is part of the answer.
        self._inside = True
        try:
            self.answers[question] = self.answer(question)
        finally:
            self._inside = False
