# SPDX-License-Identifier: Apache-2.0
"""Killed at every rename, link and fsync, a writer leaves a repository that is old or new, never broken.

After each kill: Debian's ``ostree fsck`` passes, refs are what they were or what they were to
become, the same command run again succeeds, and both tools find the result whole.
Forked workers have hundreds of points, which differ in little but the object's name: of those
``make test`` takes an even sample, and ``make crash-full`` a larger one.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from support import crashes, trees
from support.commands import OURS, PEER

pytestmark = [pytest.mark.crash, pytest.mark.peer, pytest.mark.timeout(1200)]

# Enough for several batches, so that forked workers do the writing.
MANY_FILES = 260
REMOVING = crashes.PUBLISHING + crashes.REMOVING
MANY_SAMPLE, MANY_SAMPLE_FULL = 8, 16
OLD_TIME, NEW_TIME = "--timestamp=@1700000000", "--timestamp=@1700000100"


def small_tree(top: Path) -> Path:
    """Every kind of object, and not many of each."""
    trees.write(top / "usr/bin/hello", b"hello\n", 0o755)
    trees.write(top / "usr/lib/lib.so", trees.seeded_bytes(20_000, 1))
    trees.write(top / "etc/conf", b"key=value\n" * 50)
    trees.write(top / "etc/empty")
    (top / "link").symlink_to("usr/bin/hello")
    return top


def change(top: Path) -> None:
    trees.write(top / "usr/bin/hello", b"hello again\n", 0o755)
    trees.write(top / "usr/bin/more", b"more\n", 0o755)
    trees.write(top / "usr/share/doc/text", b"text\n" * 1000)
    (top / "link").unlink()
    (top / "link").symlink_to("usr/bin/more")
    if (top.parent / "many").exists():
        for number in range(MANY_FILES):
            trees.write(top / f"many/{number % 7}/{number}", f"file {number}\n".encode())


@dataclass(frozen=True)
class Scene:
    """A repository before, a command, and what its refs may be after.

    Attributes:
        prepare: Makes ``repo`` and whatever else the command needs below a folder.
        command: The command line after ``--repo``, given that folder.
        again: The command to run once more; by default the same.
        calls: The system calls to be killed at.
    """

    prepare: Callable[[Path], None]
    command: Callable[[Path], list[str]]
    again: Callable[[Path], list[str]] | None = None
    calls: tuple[str, ...] = crashes.PUBLISHING


def repo_with_history(folder: Path, mode: str, commits: int = 1) -> None:
    tree = small_tree(folder / "tree")
    repo = f"--repo={folder / 'repo'}"
    PEER("init", repo, f"--mode={mode}")
    for number in range(commits):
        trees.write(tree / "number", f"{number}\n".encode())
        PEER(repo, "commit", "-b", "main", "-s", "old", OLD_TIME, f"--tree=dir={tree}")
    change(tree)


def commit_scene(mode: str) -> Scene:
    def command(folder: Path) -> list[str]:
        old = (folder / "repo/refs/heads/main").read_text().strip()
        old = (folder / "old").read_text() if (folder / "old").exists() else old
        (folder / "old").write_text(old)
        return [
            "commit",
            "-b",
            "main",
            "-s",
            "new",
            NEW_TIME,
            f"--parent={old}",
            f"--tree=dir={folder / 'tree'}",
        ]

    return Scene(lambda folder: repo_with_history(folder, mode), command)


def pull_scene() -> Scene:
    def prepare(folder: Path) -> None:
        repo_with_history(folder, "archive")
        (folder / "repo").rename(folder / "source")
        PEER("init", f"--repo={folder / 'repo'}", "--mode=bare")
        PEER(f"--repo={folder / 'repo'}", "pull-local", folder / "source", "main")
        arguments = ["-b", "main", "-s", "new", NEW_TIME, f"--tree=dir={folder / 'tree'}"]
        PEER(f"--repo={folder / 'source'}", "commit", *arguments)

    return Scene(prepare, lambda folder: ["pull-local", str(folder / "source"), "main"])


SCENES = {
    "commit to archive": commit_scene("archive"),
    "commit to bare": commit_scene("bare"),
    "commit to bare-user": commit_scene("bare-user"),
    "pull-local": pull_scene(),
    "prune": Scene(
        lambda folder: repo_with_history(folder, "archive", commits=4),
        lambda _folder: ["prune", "--refs-only", "--depth=0"],
        calls=REMOVING,
    ),
    "prune bare": Scene(
        lambda folder: repo_with_history(folder, "bare", commits=4),
        lambda _folder: ["prune", "--refs-only", "--depth=0"],
        calls=REMOVING,
    ),
    "ref set back": Scene(
        lambda folder: repo_with_history(folder, "archive", commits=2),
        lambda folder: ["reset", "main", first_commit(folder)],
    ),
    "ref made": Scene(
        lambda folder: repo_with_history(folder, "archive"),
        lambda _folder: ["refs", "main", "--create=other/name", "--force"],
        calls=REMOVING,
    ),
    "alias made": Scene(
        lambda folder: repo_with_history(folder, "archive"),
        lambda _folder: ["refs", "main", "--create=alias", "--alias", "--force"],
        calls=REMOVING,
    ),
    "ref deleted": Scene(
        lambda folder: repo_with_history(folder, "archive"),
        lambda _folder: ["refs", "--delete", "main"],
        calls=REMOVING,
    ),
    "summary": Scene(
        lambda folder: repo_with_history(folder, "archive"),
        lambda _folder: ["summary", "-u"],
        calls=REMOVING,
    ),
}


def first_commit(folder: Path) -> str:
    known = folder / "first"
    if not known.exists():
        known.write_text(PEER(f"--repo={folder / 'repo'}", "rev-parse", "main^"))
    return known.read_text()


def refs_of(repo: Path) -> dict[str, str]:
    """Every file below ``refs`` with what it says, an alias's through its link."""
    found = {}
    for path in (repo / "refs").rglob("*"):
        if path.is_file():
            found[str(path.relative_to(repo / "refs"))] = path.read_text().strip()
        elif path.is_symlink():
            found[str(path.relative_to(repo / "refs"))] = "dangling"
    return found


def contents_of(repo: Path) -> tuple[list[str], str]:
    """All objects, and what the summary says but for the time it was made."""
    objects = sorted(str(path.relative_to(repo)) for path in repo.glob("objects/??/*"))
    summary = ""
    if (repo / "summary").exists():
        summary = PEER(f"--repo={repo}", "summary", "-v")
    lines = [line for line in summary.splitlines() if "last-modified" not in line.lower()]
    return objects, "\n".join(lines)


def restore(base: Path, folder: Path) -> None:
    """Put the repository back as it was before the command."""
    shutil.rmtree(folder / "repo", ignore_errors=True)
    shutil.copytree(base, folder / "repo", symlinks=True)


@pytest.mark.parametrize("jobs", ["one process", "all processors"])
@pytest.mark.parametrize("name", SCENES)
def test_killed_at_any_step(tmp_path, name, jobs, crash_full, record_property):
    scene = SCENES[name]
    many = jobs == "all processors" and name.startswith(("commit", "pull"))
    if many:
        (tmp_path / "many").touch()
    scene.prepare(tmp_path)
    repo, base, log = tmp_path / "repo", tmp_path / "base", tmp_path / "strace"
    command = OURS.argv(f"--repo={repo}", *scene.command(tmp_path))
    if jobs == "one process":
        command = ["taskset", "--cpu-list", "0", *command]
    shutil.copytree(repo, base, symlinks=True)
    before = refs_of(repo)
    points = crashes.find_points(command, log, scene.calls)
    after, wanted = refs_of(repo), contents_of(repo)
    assert points, "the command changed nothing"
    reached = 0
    limit = None
    if many:
        limit = MANY_SAMPLE_FULL if crash_full else MANY_SAMPLE
    for point in crashes.sample(points, limit):
        restore(base, repo.parent)
        reached += crashes.run_and_kill(command, log, point)
        check_left_behind(repo, point, before, after)
        again = scene.again or scene.command
        done = OURS.run(f"--repo={repo}", *again(tmp_path))
        # A ref that is gone already cannot be deleted again.
        assert done.returncode == 0 or name == "ref deleted", (point, done.stderr.decode())
        check_whole(repo, point, after)
        assert contents_of(repo) == wanted, point
    assert reached, "no point was reached"
    record_property("told", f"{name}, {jobs}|{reached} kills|{len(points)} points")


def check_left_behind(
    repo: Path, point: crashes.Point, before: dict[str, str], after: dict[str, str]
) -> None:
    """Right after the kill: whole by the peer's judgement, each ref old or new."""
    done = PEER.run(f"--repo={repo}", "fsck", "-q")
    assert done.returncode == 0, (point, done.stderr.decode())
    found = refs_of(repo)
    for ref in before.keys() | after.keys() | found.keys():
        assert found.get(ref) in {before.get(ref), after.get(ref)}, (point, ref)


def check_whole(repo: Path, point: crashes.Point, after: dict[str, str]) -> None:
    """After the second run: the refs that were wanted, and both tools content."""
    assert refs_of(repo) == after, point
    for tool in (OURS, PEER):
        done = tool.run(f"--repo={repo}", "fsck", "-q")
        assert done.returncode == 0, (point, tool.name, done.stderr.decode())
