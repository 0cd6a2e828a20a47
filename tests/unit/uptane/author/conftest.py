# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.author.publish import publish
from ostrya.uptane.author.roles import NewKeys, create
from ostrya.uptane.author.workplace import DAYS, Settings
from ostrya.uptane.delegation_search import Question, find_image
from ostrya.uptane.full_verification import refresh_image
from ostrya.uptane.metadata.dialect import Dialect
from ostrya.uptane.steps import run_steps
from ostrya.uptane.trusted_set import open_trusted
from support.uptane_world import NOW


@pytest.fixture
def make(tmp_path):
    """Make a folder that a repository is kept in, published."""

    def make(name="img", dialect=Dialect.UPTANE, *, director=False, plans=None, sign=True):
        settings = Settings(dialect, DAYS, director)
        work = create(str(tmp_path / name), settings, NewKeys("ed25519", plans or {}), NOW)
        if sign:
            assert publish(work, NOW).missing == ()
        return work

    return make


@pytest.fixture
def work(make):
    return make()


@pytest.fixture
def fw(tmp_path):
    path = tmp_path / "fw.bin"
    path.write_bytes(b"firmware")
    return str(path)


class Device:
    """Follows what is served from a folder, and keeps what it trusts."""

    def __init__(self, folder, dialect=Dialect.UPTANE) -> None:
        self.folder, self.dialect = folder, dialect
        self.kept = {"root": (folder / "1.root.json").read_bytes()}

    def fetch(self, wanted):
        path = self.folder / wanted.file
        return path.read_bytes() if path.exists() else None

    def keep(self, accepted):
        self.kept = dict(accepted.trusted.files)

    def refresh(self, now=NOW):
        found = open_trusted("image", self.dialect, self.kept)
        return run_steps(refresh_image(found, now), self.fetch, self.keep)

    def find(self, name, now=NOW, kinds=("board",)):
        steps = find_image(self.refresh(now), Question(name, frozenset(kinds), now))
        return run_steps(steps, self.fetch, self.keep)[1]


@pytest.fixture
def device(tmp_path):
    """Make a device that follows a workplace."""

    def follow(work):
        return Device(tmp_path / work.folder / "repository", work.dialect)

    return follow
