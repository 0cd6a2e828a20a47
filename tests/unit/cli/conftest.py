# SPDX-License-Identifier: Apache-2.0
"""Verbs run in this very process, on small repositories that do not wait for the disk."""

from __future__ import annotations

import io
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from ostrya.cli.main import main


@dataclass(frozen=True)
class Outcome:
    """What a command line came to."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def error(self) -> str:
        """The sentence after ``error:``."""
        found = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(found) == 1, self.err
        return found[0].removeprefix("error: ")

    def json(self):
        return json.loads(self.out)


class Runner:
    """Runs command lines as ``ostrya``, or under another name."""

    def __init__(self, capture, monkeypatch, name: str = "ostrya") -> None:
        self._capture = capture
        self._monkeypatch = monkeypatch
        self._name = name

    def as_ostree(self) -> Runner:
        return Runner(self._capture, self._monkeypatch, "ostree")

    def __call__(self, *argv: object, stdin: bytes = b"") -> Outcome:
        self._capture.readouterr()
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = main([self._name, *map(str, argv)])
        sys.stdout.flush()
        out, err = self._capture.readouterr()
        return Outcome(
            status, out.decode("utf-8", "surrogateescape"), err.decode("utf-8", "surrogateescape")
        )

    def ok(self, *argv: object, stdin: bytes = b"") -> Outcome:
        outcome = self(*argv, stdin=stdin)
        assert outcome.status == 0, outcome.err
        return outcome

    def fails(self, *argv: object, status: int | None = None) -> str:
        """Run, demand failure, and return the sentence."""
        outcome = self(*argv)
        assert outcome.status != 0, outcome.out
        if status is not None:
            assert outcome.status == status, outcome.err
        return outcome.error


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    """No variable of the caller's shell changes what the verbs do."""
    for name in list(os.environ):
        if name.startswith(("OSTREE_", "OSTRYA_")) or name in {"SOURCE_DATE_EPOCH", "NO_COLOR"}:
            monkeypatch.delenv(name)


@pytest.fixture
def run(capfdbinary, monkeypatch) -> Runner:
    return Runner(capfdbinary, monkeypatch)


@pytest.fixture
def make_repo(run, tmp_path):
    """Make a repository that does not wait for the disk; return its path."""

    def make(name: str = "repo", mode: str = "archive", *options: str) -> Path:
        path = tmp_path / name
        run.ok("init", f"--repo={path}", f"--mode={mode}", *options)
        with (path / "config").open("a") as config:
            config.write("fsync=false\n")
        return path

    return make


@pytest.fixture
def tree(tmp_path) -> Path:
    """A small tree: two files, a link, a directory with a file."""
    top = tmp_path / "tree"
    (top / "dir/sub").mkdir(parents=True)
    (top / "file").write_text("content\n")
    (top / "other").write_text("other\n")
    (top / "dir/inner").write_text("inner\n")
    (top / "link").symlink_to("dir/inner")
    for path in (top, top / "dir", top / "dir/sub"):
        path.chmod(0o755)
    for path in (top / "file", top / "other", top / "dir/inner"):
        path.chmod(0o644)
    return top


@dataclass(frozen=True)
class Sample:
    """A repository with one branch of two commits."""

    path: Path
    first: str
    second: str

    @property
    def option(self) -> str:
        return f"--repo={self.path}"


@pytest.fixture
def sample(run, make_repo, tree) -> Sample:
    repo = make_repo()
    commit = ("commit", f"--repo={repo}", "-b", "main", "--owner-uid=0", "--owner-gid=0")
    first = run.ok(
        *commit, "-s", "First", "-m", "Body\n\nof it", "--timestamp=@1000000000",
        "--add-metadata-string=version=1", tree,
    )  # fmt: skip
    (tree / "file").write_text("changed\n")
    second = run.ok(*commit, "-s", "Second", "--timestamp=@1000000001", tree)
    return Sample(repo, first.out.strip(), second.out.strip())


@pytest.fixture
def schema():
    """Check a value against a published schema."""
    import jsonschema

    folder = Path(__file__).resolve().parents[3] / "docs" / "reference" / "json"

    def check(value, name: str) -> None:
        jsonschema.validate(value, json.loads((folder / f"{name}.json").read_text()))

    return check
