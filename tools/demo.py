# SPDX-License-Identifier: Apache-2.0
"""The main job on a real tree: commit, compare, verify, sign, serve, pull, install, update, undo.

Every step is one ``ostrya`` command, shown as a reader would type it. By default the tree is made
of this machine's own programs, libraries and readable settings, some 300 MB; ``--rootfs`` takes a
directory or a tar archive instead. Neither root nor any other program is needed.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

import demo_fleet
import demo_sysroot
import demo_tree

TOP = Path(__file__).resolve().parent.parent
OSTRYA = Path(sys.executable).parent / "ostrya"
FIRST_DAY = "2026-01-15 09:00:00 +0000"
SECOND_DAY = "2026-02-15 09:00:00 +0000"
LISTED = 6


class Demo:
    """A folder to work in, a screen, and what the steps told."""

    def __init__(self, work: Path, console: Console) -> None:
        self.work = work
        self.console = console
        self.step_number = 0

    def say(self, text: str) -> None:
        """Begin a step."""
        self.step_number += 1
        self.console.print(f"\n[bold]{self.step_number}. {text}[/bold]")

    def shown(self, path: Path) -> str:
        """A path as short as a reader would type it."""
        try:
            return str(path.relative_to(Path.cwd()))
        except ValueError:
            return str(path)

    def type(self, *words: str | Path, after: str = "") -> list[str]:
        """Say a command as a reader would type it; return its arguments."""
        typed = [self.shown(word) if isinstance(word, Path) else word for word in words]
        line = f"{self.shown(OSTRYA)} {shlex.join(typed)}{after}"
        self.console.print("   [green]$[/green] ", end="")
        self.console.print(line, markup=False, soft_wrap=True)
        return [str(OSTRYA), *(str(word) for word in words)]

    def run(self, *words: str | Path, progress: bool = False, refused: bool = False) -> str:
        """Run one ``ostrya`` command: say it, draw its progress, return what it printed.

        With ``refused`` it has to fail, and what it says is shown.
        """
        argv = self.type(*words)
        if progress:
            argv.append("--progress=json")
        start = time.monotonic()
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        errors = self.follow(process)
        output = process.stdout.read() if process.stdout else ""
        if (process.wait() != 0) != refused:
            self.console.print(
                errors or "This should have been refused.", style="red", markup=False
            )
            sys.exit(process.returncode or 1)
        if refused:
            self.console.print(f"   {errors.strip()}", style="yellow", markup=False)
        if progress:
            self.console.print(f"   [dim]{time.monotonic() - start:.1f} s[/dim]")
        return output

    def follow(self, process: subprocess.Popen[str]) -> str:
        """Draw the progress events that a command writes to stderr; return its other lines."""
        others: list[str] = []
        columns = (
            TextColumn("   "), SpinnerColumn(), TextColumn("{task.description}"), BarColumn(),
            TextColumn("{task.completed:,.0f}"), TimeElapsedColumn(),
        )  # fmt: skip
        quiet = not self.console.is_terminal
        with Progress(*columns, console=self.console, transient=True, disable=quiet) as bars:
            tasks = {}
            for line in process.stderr or ():
                try:
                    event = json.loads(line)
                except ValueError:
                    others.append(line)
                    continue
                name = event["task"]
                if name not in tasks:
                    tasks[name] = bars.add_task(name, total=event.get("total"))
                bars.update(tasks[name], completed=event.get("done", 0))
                if event.get("total") is not None:
                    bars.update(tasks[name], total=event["total"])
        return "".join(others)


def megabytes(count: int) -> str:
    """Bytes as a person reads them."""
    return f"{count / 1e6:,.1f} MB"


def table_output(text: str) -> dict[str, str]:
    """The lines of ``commit --table-output``."""
    return dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)


def commit_words(repo: str, branch_time: str, version: str, source: str) -> list[str]:
    """A commit of a tree, in the form that any user can make and check out."""
    return [
        repo, "commit", "--branch=demo/system", f"--subject=Release {version}",
        f"--add-metadata-string=version={version}", f"--timestamp={branch_time}",
        "--canonical-permissions", "--table-output", f"--tree={source}",
    ]  # fmt: skip


def first_source(demo: Demo, rootfs: Path | None) -> str:
    """The tree of release 1, as an argument of ``commit --tree``."""
    if rootfs is not None:
        kind = "dir" if rootfs.is_dir() else "tar"
        return f"{kind}={demo.shown(rootfs)}"
    demo.say("A real tree: this machine's programs, libraries and settings")
    quiet = not demo.console.is_terminal
    with Progress(console=demo.console, transient=True, disable=quiet) as bars:
        task = bars.add_task("   copying", total=demo_tree.BUDGET_BYTES)
        tree = demo.work / "system"
        copied = demo_tree.gather(tree, lambda done: bars.update(task, completed=done))
    demo.console.print(f"   {copied.files:,} files, {megabytes(copied.size)}: {demo.shown(tree)}")
    return f"dir={demo.shown(tree)}"


def make_release_2(demo: Demo, repo: str) -> Path:
    """Check release 1 out as copies and edit it as a new release would."""
    demo.say("Release 2: some files change, some come, some go")
    tree = demo.work / "edit"
    demo.run(repo, "checkout", "-U", "-C", "demo/system", tree, progress=True)
    edited = demo_tree.edit(tree)
    demo.console.print(
        f"   edited: {edited.changed} files changed, {edited.added} added, {edited.removed} removed"
    )
    return tree


def show_difference(demo: Demo, repo: str) -> None:
    """What the second commit changed."""
    demo.say("What is different?")
    lines = demo.run(repo, "diff", "demo/system^", "demo/system").splitlines()
    kinds = {"M": "changed", "A": "added", "D": "removed"}
    for letter, meaning in kinds.items():
        same = [line for line in lines if line.startswith(letter)]
        for line in same[:LISTED]:
            demo.console.print(f"   {line}", markup=False, highlight=False)
        if len(same) > LISTED:
            demo.console.print(f"   [dim]… {len(same) - LISTED} more {meaning}[/dim]")


def show_sharing(demo: Demo, trees: list[Path]) -> None:
    """One file that both checkouts and the repository share."""
    old, new = trees
    for folder, _dirs, files in os.walk(old):
        for name in sorted(files):
            left = Path(folder) / name
            right = new / left.relative_to(old)
            if right.exists() and not left.is_symlink() and left.stat().st_size > 100_000:
                info = left.stat()
                if info.st_ino == right.stat().st_ino:
                    demo.console.print(
                        f"   {left.relative_to(old)}: one inode in both, {info.st_nlink} links, "
                        f"{megabytes(info.st_size)} on the disk once"
                    )
                    return


def verify(demo: Demo, repo: str) -> None:
    """Hash everything again; ask libostree too where it is installed."""
    demo.say("Verify: every object is hashed again")
    demo.run(repo, "fsck", progress=True)
    demo.console.print("   all objects are what their names say")
    peer = shutil.which("ostree")
    if peer and Path(peer).resolve() != OSTRYA.resolve():
        done = subprocess.run(
            [peer, repo, "fsck", "-q"], capture_output=True, text=True, check=False
        )
        verdict = "agrees" if done.returncode == 0 else f"disagrees: {done.stderr.strip()}"
        demo.console.print(f"   libostree's own tool is installed here: it {verdict}")


def print_summary(demo: Demo, rows: dict[str, dict[str, str]], sizes: dict[str, int]) -> None:
    """New and shared, per release."""
    table = Table(title="\nWhat each release cost", title_justify="left")
    for heading in ("release", "commit", "tree", "new content", "shared content", "new objects"):
        table.add_column(heading, justify="left" if heading in {"release", "commit"} else "right")
    for release, row in rows.items():
        new = int(row["Content Bytes Written"])
        objects = int(row["Content Written"]) + int(row["Metadata Written"])
        shared = max(0, sizes[release] - new)
        cells = (megabytes(sizes[release]), megabytes(new), megabytes(shared), f"{objects:,}")
        table.add_row(release, row["Commit"][:16], *cells)
    demo.console.print(table)


def unique_size(tree: Path) -> int:
    """Bytes of all regular files below a directory, every content object once.

    In a checkout by hard link, files that share an object share an inode.
    """
    seen: dict[int, int] = {}
    for folder, _dirs, files in os.walk(tree):
        for name in files:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                info = os.lstat(path)
                seen[info.st_ino] = info.st_size
    return sum(seen.values())


def play(demo: Demo, rootfs: Path | None) -> None:
    """All steps."""
    store = demo.work / "repo"
    repo = f"--repo={demo.shown(store)}"
    source = first_source(demo, rootfs)
    demo.say("A repository")
    demo.run(repo, "init", "--mode=bare-user-only")
    demo.say("Release 1: the tree becomes a commit")
    rows = {
        "1.0": table_output(demo.run(*commit_words(repo, FIRST_DAY, "1.0", source), progress=True))
    }
    tree = make_release_2(demo, repo)
    demo.say("Release 2 becomes a commit: only what is new is stored")
    words = commit_words(repo, SECOND_DAY, "2.0", f"dir={demo.shown(tree)}")
    rows["2.0"] = table_output(demo.run(*words, progress=True))
    show_difference(demo, repo)
    demo.say("Both releases as directories, made of hard links into the repository")
    trees = [demo.work / "release-1", demo.work / "release-2"]
    for revision, target in zip(("demo/system^", "demo/system"), trees, strict=True):
        demo.run(repo, "checkout", "-U", "-H", revision, target, progress=True)
    show_sharing(demo, trees)
    verify(demo, repo)
    demo.say("The history")
    demo.console.print(demo.run(repo, "log", "demo/system"), markup=False, highlight=False)
    sizes = {release: unique_size(tree) for release, tree in zip(rows, trees, strict=True)}
    print_summary(demo, rows, sizes)
    demo_fleet.play(demo, trees[1])
    demo_sysroot.play(demo, trees[1])


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rootfs", type=Path, help="a directory or a tar archive to commit")
    parser.add_argument("--work", type=Path, default=TOP / "build" / "demo", help="where to work")
    return parser.parse_args()


def main() -> int:
    """Play the demo in a fresh folder and leave it for the reader to look around in."""
    args = parse_arguments()
    if args.rootfs is not None and not args.rootfs.exists():
        sys.exit(f"{args.rootfs} does not exist")
    shutil.rmtree(args.work, ignore_errors=True)
    args.work.mkdir(parents=True)
    console = Console(highlight=False, soft_wrap=True)
    start = time.monotonic()
    demo = Demo(args.work, console)
    play(demo, args.rootfs.absolute() if args.rootfs else None)
    took = time.monotonic() - start
    place = demo.shown(args.work)
    console.print(f"\n{took:.0f} seconds. Everything is in {place}; look around, then delete it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
