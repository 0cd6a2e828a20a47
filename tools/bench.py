# SPDX-License-Identifier: Apache-2.0
"""Measure ours and the installed ``ostree`` in turn on the same real tree.

Whole commands, ``sync`` and a look at all that will be read before each timing, three interleaved
pairs, medians. The numbers are kept in ``docs/benchmarks.json`` and shown in
``docs/benchmarks.md``; a run replaces the rows it measured.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bench_delta
import bench_fleet
import bench_image
import bench_pull
import bench_report
import bench_sysroot
import debian_tree
import many_files
from measure import Cost, measure

TOP = Path(__file__).resolve().parent.parent
RESULTS = TOP / "docs" / "benchmarks.json"
OURS = str(Path(sys.executable).parent / "ostrya")
PEER = "/usr/bin/ostree"
TOOLS = {"ours": OURS, "peer": PEER}
SETTLE_S = 2
# ext4 passes over inodes that were deleted within the last five minutes.
AFTER_DELETION_S = 310
DELETED = "bench-deleted"
ROOM_BYTES = 12 * 1024**3
PAIRS = 3
CHUNK_BYTES = 1 << 20
BIG_FILE_BYTES = 4 * 1024**3


class Bench:
    """The folder in which things are measured, the tree that is measured, and its update if any."""

    def __init__(self, tree: Path, work: Path, update: Path | None = None) -> None:
        self.tree = tree
        self.update = update
        self.work = work
        self.discarded = 0
        self.served: bench_pull.Served | None = None

    def path(self, name: str) -> Path:
        """A path in the work folder."""
        return self.work / name

    def remove(self, name: str) -> None:
        """Put something in the work folder out of the way; it is deleted after the last timing.

        For minutes after thousands of files were deleted, ext4 searches long for every new
        inode, since it passes over those that were in use lately.
        """
        path = self.path(name)
        if path.exists():
            self.discarded += 1
            path.rename(self.path(f"old-{self.discarded}"))

    def rest(self) -> None:
        """Let the disk come to rest; make room where it gets scarce, and wait that out too."""
        if shutil.disk_usage(self.work).free < ROOM_BYTES:
            old = [str(path) for path in self.work.glob("old-*")]
            subprocess.run(["rm", "-rf", "--", *old], check=True)
            settle()
            time.sleep(AFTER_DELETION_S)
        settle()

    def fresh_repo(self, name: str, mode: str) -> str:
        """An empty repository, made by the peer; its path."""
        self.remove(name)
        repo = str(self.path(name))
        subprocess.run([PEER, "init", f"--repo={repo}", f"--mode={mode}"], check=True)
        return repo

    def shared_repo(self, mode: str) -> str:
        """A repository that holds the tree as ref ``r``, committed by the peer once."""
        name = f"shared-{mode}"
        if not self.path(name).exists():
            repo = self.fresh_repo(f"{name}.new", mode)
            subprocess.run(
                commit_argv(PEER, repo, self.tree), check=True, stdout=subprocess.DEVNULL
            )
            self.path(f"{name}.new").rename(self.path(name))
        return str(self.path(name))

    def copied_repo(self, name: str, mode: str) -> str:
        """A repository of its own that holds the tree as ref ``r``; its path."""
        self.remove(name)
        repo = str(self.path(name))
        subprocess.run(["cp", "-a", self.shared_repo(mode), repo], check=True)
        return repo


def commit_argv(tool: str, repo: str, tree: Path) -> list[str]:
    """A commit of the whole tree to ref ``r``."""
    return [tool, f"--repo={repo}", "commit", "-b", "r", "-s", "release", f"--tree=dir={tree}"]


Prepare = Callable[[Bench, str], list[str]]
Reads = Callable[[Bench], Path]


@dataclass(frozen=True, slots=True)
class Row:
    """One measured command.

    Attributes:
        prepare: Makes the state the command needs, untimed; returns the command line for a tool.
        reads: What the command reads; each timing finds it in the cache.
        target: The largest ratio ours/peer that is good enough; None where none was set.
    """

    name: str
    prepare: Prepare
    reads: Reads
    target: float | None


def prepare_commit(mode: str) -> Prepare:
    """A commit into an empty repository."""
    return lambda bench, tool: commit_argv(tool, bench.fresh_repo("out", mode), bench.tree)


def prepare_recommit(mode: str) -> Prepare:
    """The same tree once more into a repository that has it."""

    def prepare(bench: Bench, tool: str) -> list[str]:
        return commit_argv(tool, bench.shared_repo(mode), bench.tree)

    return prepare


def prepare_update(mode: str) -> Prepare:
    """The second release into a repository that has the first."""

    def prepare(bench: Bench, tool: str) -> list[str]:
        return commit_argv(tool, bench.copied_repo("out", mode), bench.update or bench.tree)

    return prepare


def prepare_fsck(mode: str) -> Prepare:
    """Verification of every object."""
    return lambda bench, tool: [tool, f"--repo={bench.shared_repo(mode)}", "fsck", "-q"]


def prepare_checkout(mode: str, *options: str) -> Prepare:
    """A checkout into a directory that does not exist."""

    def prepare(bench: Bench, tool: str) -> list[str]:
        bench.remove("out")
        repo = bench.shared_repo(mode)
        return [tool, f"--repo={repo}", "checkout", *options, "r", str(bench.path("out"))]

    return prepare


def prepare_pull(bench: Bench, tool: str) -> list[str]:
    """A pull from an archive on this machine into an empty bare repository."""
    source = bench.shared_repo("archive")
    return [tool, f"--repo={bench.fresh_repo('out', 'bare')}", "pull-local", source, "r"]


def prepare_http_pull(mode: str, *options: str, far: bool = False) -> Prepare:
    """A pull over HTTP into an empty repository."""

    def prepare(bench: Bench, tool: str) -> list[str]:
        repo = bench.fresh_repo("out", mode)
        add_remote(bench, repo, far=far)
        return [tool, f"--repo={repo}", "pull", *options, "origin", "r"]

    return prepare


def prepare_no_op_pull(bench: Bench, tool: str) -> list[str]:
    """A pull of what is there already."""
    repo = bench.path("pulled")
    if not repo.exists():
        subprocess.run(
            prepare_http_pull("bare")(bench, PEER), check=True, stdout=subprocess.DEVNULL
        )
        bench.path("out").rename(repo)
    # Its server has another port in each run.
    subprocess.run([PEER, f"--repo={repo}", "remote", "delete", "origin"], check=True)
    add_remote(bench, str(repo))
    return [tool, f"--repo={repo}", "pull", "origin", "r"]


def add_remote(bench: Bench, repo: str, *, far: bool = False) -> None:
    """Tell a repository where the shared archive is served."""
    served = bench.served
    assert served is not None
    url = f"{served.far if far else served.near}/shared-archive"
    argv = [PEER, f"--repo={repo}", "remote", "add", "--no-gpg-verify", "origin", url]
    subprocess.run(argv, check=True)


def tree(bench: Bench) -> Path:
    """The measured tree."""
    return bench.tree


def update(bench: Bench) -> Path:
    """Its second release."""
    return bench.update or bench.tree


def shared(mode: str) -> Reads:
    """The repository that holds the tree."""
    return lambda bench: Path(bench.shared_repo(mode))


ROWS = (
    Row("commit to bare", prepare_commit("bare"), tree, 0.6),
    Row("commit to archive", prepare_commit("archive"), tree, 0.2),
    Row("commit to bare-user", prepare_commit("bare-user"), tree, None),
    Row("commit again, bare", prepare_recommit("bare"), tree, 0.6),
    Row("commit again, archive", prepare_recommit("archive"), tree, 0.15),
    Row("fsck bare", prepare_fsck("bare"), shared("bare"), 0.6),
    Row("fsck archive", prepare_fsck("archive"), shared("archive"), 0.5),
    Row("checkout -H from bare", prepare_checkout("bare", "-H"), shared("bare"), 1.0),
    Row("checkout from archive", prepare_checkout("archive"), shared("archive"), 0.5),
    Row("pull-local archive to bare", prepare_pull, shared("archive"), 0.6),
)
UPDATE_ROWS = (
    Row("commit release 2, bare", prepare_update("bare"), update, None),
    Row("commit release 2, archive", prepare_update("archive"), update, None),
)
SYSROOT_ROWS = (
    Row("admin deploy", bench_sysroot.prepare_deploy, bench_sysroot.shared_sysroot, 1.0),
    Row("admin deploy, release 2", bench_sysroot.prepare_second, bench_sysroot.shared_sysroot, 1.0),
)
HTTP_ROWS = (
    Row("pull to bare", prepare_http_pull("bare"), shared("archive"), 0.5),
    Row("pull to bare-user", prepare_http_pull("bare-user"), shared("archive"), 0.5),
    Row("pull, archive mirror", prepare_http_pull("archive", "--mirror"), shared("archive"), 0.35),
    Row("pull to bare, 40 ms away", prepare_http_pull("bare", far=True), shared("archive"), 0.15),
    Row("pull of nothing new", prepare_no_op_pull, shared("archive"), None),
)
MANY = "pull of a million files"
MANY_DIRS = 10_000
MANY_FILES_EACH = 100
MANY_TARGET_BYTES = 200_000_000
BIG_ROWS = (
    Row("commit to bare", prepare_commit("bare"), tree, None),
    Row("commit to archive", prepare_commit("archive"), tree, None),
    Row("fsck bare", prepare_fsck("bare"), shared("bare"), None),
    Row("fsck archive", prepare_fsck("archive"), shared("archive"), None),
    Row("checkout from archive", prepare_checkout("archive"), shared("archive"), None),
    Row("pull-local archive to bare", prepare_pull, shared("archive"), None),
)


def settle() -> None:
    """Write everything out, so that no timing pays for another's dirty pages."""
    os.sync()
    # What the kernel handed over, the disk may still have to write.
    time.sleep(SETTLE_S)


def warm(folder: Path) -> None:
    """Read every file once: some kernels drop what was not looked at for a minute."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with path.open("rb", buffering=0) as stream:
                while stream.read(CHUNK_BYTES):
                    pass


def measure_row(bench: Bench, row: Row, pairs: int) -> dict[str, Any]:
    """Measure one row for both tools, in turn; the tool that begins changes from pair to pair."""
    costs: dict[str, list[Cost]] = {who: [] for who in TOOLS}
    for pair in range(pairs):
        order = list(TOOLS) if pair % 2 == 0 else list(reversed(TOOLS))
        for who in order:
            argv = row.prepare(bench, TOOLS[who])
            warm(row.reads(bench))
            settle()
            costs[who].append(measure(argv))
    result: dict[str, Any] = {"target": row.target, "pairs": pairs}
    for who, tool in TOOLS.items():
        argv = row.prepare(bench, tool)
        peak = measure(argv, memory=True)
        result[who] = {
            "wall_s": round(statistics.median(cost.wall_s for cost in costs[who]), 3),
            "cpu_s": round(statistics.median(cost.cpu_s for cost in costs[who]), 3),
            "largest_rss": peak.largest_rss,
            "tree_pss": peak.tree_pss,
        }
        if row.name == "commit to archive":
            result[who]["object_bytes"] = content_bytes(bench.path("out"))
    bench.remove("out")
    bench.rest()
    return result


def measure_delta(bench: Bench, delta: bench_delta.DeltaRow) -> dict[str, Any]:
    """Measure a row about deltas once for each tool: minutes say enough; and weigh what is made."""
    result: dict[str, Any] = {"target": delta.target, "pairs": 1}
    for who, tool in TOOLS.items():
        argv = delta.prepare(bench, tool)
        settle()
        cost = measure(argv)
        peak = measure(delta.prepare(bench, tool), memory=True)
        result[who] = {
            "wall_s": round(cost.wall_s, 3),
            "cpu_s": round(cost.cpu_s, 3),
            "largest_rss": peak.largest_rss,
            "tree_pss": peak.tree_pss,
        }
        if delta.size_target is not None:
            result[who]["delta_bytes"] = bench_delta.delta_bytes(bench, delta)
            result["size_target"] = delta.size_target
    bench.rest()
    return result


def content_bytes(repo: Path) -> int:
    """Bytes of all content objects of an archive repository."""
    return sum(path.stat().st_size for path in repo.glob("objects/??/*.filez"))


def measure_cpu(argv_for: Callable[[str], list[str]], target_s: float) -> dict[str, Any]:
    """CPU of a short command: the median of twenty."""
    result: dict[str, Any] = {"target_cpu_s": target_s}
    for who, tool in TOOLS.items():
        costs = [measure(argv_for(tool)) for _ in range(20)]
        result[who] = {
            "wall_s": round(statistics.median(cost.wall_s for cost in costs), 4),
            "cpu_s": round(statistics.median(cost.cpu_s for cost in costs), 4),
        }
    return result


def make_big_tree(folder: Path) -> Path:
    """A tree of one 4 GiB file: stretches that deflate well, badly, and not at all, by turns."""
    tree = folder / "big"
    target = tree / "disk.img"
    if target.exists() and target.stat().st_size == BIG_FILE_BYTES:
        return tree
    tree.mkdir(parents=True, exist_ok=True)
    stretch = 32 * 1024**2
    text = (b"A line of a log file that repeats itself with the number %08d.\n" * 64)[: 64 * 1024]
    with target.open("wb") as stream:
        for number in range(BIG_FILE_BYTES // stretch):
            if number % 4 == 0:
                stream.write(os.urandom(stretch))
            elif number % 4 == 1:
                stream.truncate(stream.seek(stretch, os.SEEK_CUR))
            else:
                chunk = text.replace(b"%08d", b"%08d" % number)
                stream.write((chunk * (stretch // len(chunk) + 1))[:stretch])
    return tree


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=PAIRS, help="pairs per row (default 3)")
    parser.add_argument(
        "--only", metavar="TEXT", nargs="+", default=[""], help="rows whose name contains a TEXT"
    )
    parser.add_argument("--big", action="store_true", help="also a tree with one file of 4 GiB")
    parser.add_argument(
        "--many", action="store_true", help="also a pull of a million files in 10,000 directories"
    )
    parser.add_argument("--fleet", action="store_true", help="only a server under load")
    parser.add_argument("--images", action="store_true", help="only how long images take")
    parser.add_argument("--tree", type=Path, help="another tree; prints, writes no page")
    return parser.parse_args()


def is_wanted(name: str, args: argparse.Namespace) -> bool:
    """Whether a row was asked for."""
    return any(text in name for text in args.only)


def merge(results: dict[str, Any], group: str, name: str, row: dict[str, Any]) -> None:
    """Put a row where it belongs, dated, and say what it was."""
    row["date"] = datetime.datetime.now(datetime.UTC).date().isoformat()
    results.setdefault(group, {})[name] = row
    print(bench_report.one_line(name, row), flush=True)


def run_rows(bench: Bench, args: argparse.Namespace, results: dict[str, Any]) -> None:
    """Measure the rows asked for on the Debian tree."""
    for row in (*ROWS, *((*UPDATE_ROWS, *SYSROOT_ROWS) if bench.update else ())):
        if is_wanted(row.name, args):
            merge(results, "rows", row.name, measure_row(bench, row, args.pairs))
    http = [row for row in HTTP_ROWS if is_wanted(row.name, args)]
    if http:
        bench.shared_repo("archive")
        with bench_pull.served(bench.work, bench.path("nginx")) as bench.served:
            for row in http:
                merge(results, "rows", row.name, measure_row(bench, row, args.pairs))
    for delta in bench_delta.ROWS if bench.update else ():
        if is_wanted(delta.name, args):
            merge(results, "rows", delta.name, measure_delta(bench, delta))
    if is_wanted("rev-parse", args):
        repo = bench.shared_repo("bare")
        cpu = measure_cpu(lambda tool: [tool, f"--repo={repo}", "rev-parse", "r"], 0.06)
        merge(results, "rows", "rev-parse", cpu)
    if is_wanted("admin status", args) and bench.update:
        cpu = measure_cpu(bench_sysroot.status_argv(bench), 0.08)
        merge(results, "rows", "admin status", cpu)


def wait_out_deletion(folder: Path) -> None:
    """Wait until what an earlier run deleted does not slow this one down."""
    stamp = folder / DELETED
    if (folder / "bench-work").exists():
        shutil.rmtree(folder / "bench-work")
        stamp.touch()
    left_s = stamp.stat().st_mtime + AFTER_DELETION_S - time.time() if stamp.exists() else 0
    if left_s > 0:
        print(f"waiting {left_s:.0f} s for the file system to forget what was deleted", flush=True)
        time.sleep(left_s)


def run_big(folder: Path, work: Path, args: argparse.Namespace, results: dict[str, Any]) -> None:
    """Measure the rows asked for on the tree with one big file, once each."""
    bench = Bench(make_big_tree(folder), work / "big")
    bench.work.mkdir(parents=True, exist_ok=True)
    for row in BIG_ROWS:
        if is_wanted(row.name, args):
            merge(results, "big", row.name, measure_row(bench, row, 1))


def run_fleet(results: dict[str, Any]) -> None:
    """Load a server."""
    for name in bench_fleet.KINDS:
        row = bench_fleet.measure_kind(name)
        results.setdefault("fleet", {})[name] = row
        print(bench_fleet.one_line(name, row), flush=True)


def run_images(work: Path, tree: Path, args: argparse.Namespace, results: dict[str, Any]) -> None:
    """Build an image from nothing, and again after a change."""
    folder = work / "images"
    folder.mkdir(parents=True)
    bench = bench_image.ImageBench(OURS, tree, folder)
    for name in bench_image.TARGETS_S:
        if is_wanted(name, args):
            row = bench_image.measure_step(bench, name, settle)
            row["date"] = datetime.datetime.now(datetime.UTC).date().isoformat()
            results.setdefault("images", {})[name] = row
            print(bench_image.one_line(name, row), flush=True)


def run_many(work: Path, args: argparse.Namespace, results: dict[str, Any]) -> None:
    """Pull a million small files with both tools, once each."""
    if not is_wanted(MANY, args):
        return
    bench = Bench(work, work / "many")
    bench.work.mkdir(parents=True)
    many_files.make(bench.path("shared-archive"), MANY_DIRS, MANY_FILES_EACH)
    row: dict[str, Any] = {"pairs": 1, "target_bytes": MANY_TARGET_BYTES}
    with bench_pull.served(bench.work, bench.path("nginx")) as bench.served:
        for who, tool in TOOLS.items():
            repo = bench.fresh_repo(who, "bare-user-only")
            add_remote(bench, repo)
            words = ("pull", "--disable-fsync", "origin", many_files.REF)
            row[who] = vars_of(measure([tool, f"--repo={repo}", *words], memory=True))
            shutil.rmtree(repo)
    merge(results, "many", MANY, row)


def vars_of(cost: Cost) -> dict[str, float]:
    """What a command took, as it is kept."""
    return {
        "wall_s": round(cost.wall_s, 1),
        "cpu_s": round(cost.cpu_s, 1),
        "largest_rss": cost.largest_rss,
        "tree_pss": cost.tree_pss,
    }


def main() -> int:
    """Measure, merge with what was known, write the page."""
    args = parse_arguments()
    if not Path(PEER).exists():
        sys.exit(f"{PEER} is missing: there is nothing to compare with")
    folder = debian_tree.cache_folder()
    reason = debian_tree.can_build()
    built = all((folder / release).is_dir() for release in debian_tree.SUITES)
    if reason and not args.tree and not built:
        sys.exit(f"the Debian trees cannot be built: {reason}; --tree takes another")
    tree = args.tree or debian_tree.build(folder, "rel1")
    update = None if args.tree else debian_tree.build(folder, "rel2")
    work = folder / "bench-work"
    wait_out_deletion(folder)
    work.mkdir(parents=True)
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() and not args.tree else {}
    try:
        if args.fleet:
            run_fleet(results)
        if args.images:
            run_images(work, tree, args, results)
        elif not args.fleet:
            run_rows(Bench(tree, work, update), args, results)
        if args.many:
            run_many(work, args, results)
        if args.big:
            run_big(folder, work, args, results)
    finally:
        # Whatever stopped it, the rows that were measured count.
        if not args.tree:
            results["machine"] = bench_report.machine(folder, PEER)
            results["tree"] = bench_report.describe_tree(tree)
            RESULTS.write_text(json.dumps(results, indent=1) + "\n")
            bench_report.write_page(results)
        shutil.rmtree(work, ignore_errors=True)
        (folder / DELETED).touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
