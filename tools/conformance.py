# SPDX-License-Identifier: Apache-2.0
"""Run libostree's installed test scripts against ``ostrya``, called under the name ``ostree``.

Each script runs in an empty directory of its own, with ours first on PATH. Their TAP is counted,
a table printed, and logs are kept in ``build/conformance``. Without arguments the scripts of
``tests/upstream/must-pass.txt`` run; the exit status is 1 if one of that list fails or is skipped.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
SUITE = Path("/usr/libexec/installed-tests/libostree")
MUST_PASS = TOP / "tests" / "upstream" / "must-pass.txt"
PAGE = TOP / "docs" / "conformance.md"
LOGS = TOP / "build" / "conformance"
SCRIPT_TIMEOUT_S = 900
# Compiled tests call the library itself, and JavaScript ones too: nothing of ours runs in them.
SCRIPT = re.compile(r"test-[a-zA-Z0-9-]+\.(sh|py)")
TAP_LINE = re.compile(r"^(ok|not ok)\b[^#]*(#\s*skip.*)?", re.IGNORECASE)
TAP_PLAN_SKIP = re.compile(r"^1\.\.0\s*#\s*skip(.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one script."""

    name: str
    result: str
    ok: int
    not_ok: int
    skipped: int
    seconds: float
    note: str = ""


def must_pass() -> list[str]:
    """The committed list."""
    lines = (line.partition("#")[0].strip() for line in MUST_PASS.read_text().splitlines())
    return [line for line in lines if line]


def all_scripts() -> list[str]:
    """Every script of the suite that runs the command."""
    return sorted(p.name for p in SUITE.iterdir() if SCRIPT.fullmatch(p.name))


def user_xattrs_work(folder: Path) -> bool:
    """Whether a file here can carry a user xattr; many scripts skip without."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as probe:
            os.setxattr(probe.name, "user.ostrya.probe", b"1")
    except OSError:
        return False
    return True


def scratch() -> Path:
    """A new directory on a file system with user xattrs."""
    LOGS.mkdir(parents=True, exist_ok=True)
    for parent in (Path("/var/tmp"), LOGS):
        if parent.is_dir() and os.access(parent, os.W_OK) and user_xattrs_work(parent):
            return Path(tempfile.mkdtemp(prefix="ostrya-conformance-", dir=parent))
    print("no folder with user xattrs found: scripts that need them will skip", file=sys.stderr)
    return Path(tempfile.mkdtemp(prefix="ostrya-conformance-"))


def make_path(folder: Path, *, peer: bool) -> str:
    """A PATH on which ``ostree`` is ours (or, with ``peer``, the installed one)."""
    path = os.environ["PATH"]
    venv_bin = str(Path(sys.executable).parent)
    # The scripts' own `python3` must be one that has Debian's modules, not this environment's.
    path = os.pathsep.join(p for p in path.split(os.pathsep) if p != venv_bin)
    if peer:
        return path
    ours = Path(venv_bin) / "ostrya"
    if not ours.exists():
        sys.exit(f"{ours} does not exist: run `make venv`")
    bindir = folder / "bin"
    bindir.mkdir()
    (bindir / "ostree").symlink_to(ours)
    path = f"{bindir}{os.pathsep}{path}"
    found = shutil.which("ostree", path=path)
    if found is None or Path(found).resolve() != ours.resolve():
        sys.exit(f"`ostree` on PATH is {found}, not {ours}")
    return path


def environment(path: str) -> dict[str, str]:
    """The environment scripts run in."""
    drop = ("OSTREE_", "OSTRYA_", "PYTEST_", "VIRTUAL_ENV", "MAKE", "MFLAGS", "PYTHONPATH")
    env = {k: v for k, v in os.environ.items() if not k.startswith(drop)}
    env.update(
        PATH=path,
        LC_ALL="C.UTF-8",
        G_TEST_SRCDIR=str(SUITE),
        G_TEST_BUILDDIR=str(SUITE),
        OSTREE_TEST_SUDO="1",
        # One of them knows how large a delta is that looks for likeness under the same path only.
        OSTRYA_DELTA_PARTNERS="path",
        # The scripts are older than the names that boot entries have had since 2024.5.
        OSTREE_SYSROOT_OPTS="bootloader-naming-1",
        OSTREE_TEST_ALLOW_RANDOM="1",
    )
    return env


def count(log: str) -> tuple[int, int, int, str | None]:
    """ok, not ok and skipped tests of a TAP stream, and the reason if the whole was skipped."""
    ok = not_ok = skipped = 0
    whole = None
    for line in log.splitlines():
        if plan := TAP_PLAN_SKIP.match(line):
            whole = plan[1].strip(" -") or "no reason given"
        elif (found := TAP_LINE.match(line)) is None:
            continue
        elif found[2]:
            skipped += 1
        elif found[1].lower() == "ok":
            ok += 1
        else:
            not_ok += 1
    return ok, not_ok, skipped, whole


def last_words(log: str) -> str:
    """The line of a failed script that tells most."""
    noise = re.compile(r"\+ |gpg-connect-agent|OK closing|ok |# ")
    lines = [line for line in log.splitlines() if line.strip() and not noise.match(line)]
    errors = [line for line in lines if re.search(r"error:|Assert|Error\b|not found", line)]
    errors = errors if lines and lines[-1] in errors else []
    return (errors or lines or [""])[-1][:120]


def run_script(name: str, folder: Path, env: dict[str, str]) -> Outcome:
    """Run one script to its end, or kill its whole process group at the deadline."""
    work = folder / name
    work.mkdir()
    log_path = LOGS / f"{name}.log"
    start = time.monotonic()
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [str(SUITE / name)], cwd=work, env=env, stdin=subprocess.DEVNULL,
            stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            status: int | None = process.wait(SCRIPT_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            status = None
        kill_group(process.pid)
        process.wait()
    seconds = time.monotonic() - start
    unmount_below(work)
    text = log_path.read_text(errors="replace")
    ok, not_ok, skipped, whole = count(text)
    if status is None:
        return Outcome(name, "timeout", ok, not_ok, skipped, seconds, last_words(text))
    if whole is not None and status in {0, 77}:
        return Outcome(name, "skip", ok, not_ok, skipped, seconds, whole)
    if status == 0 and not_ok == 0:
        return Outcome(name, "pass", ok, not_ok, skipped, seconds)
    return Outcome(name, "FAIL", ok, not_ok, skipped, seconds, last_words(text))


def kill_group(pid: int) -> None:
    """End whatever a script left running in its session's first process group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def unmount_below(folder: Path) -> None:
    """Unmount what a failed script left mounted, so that its directory can go."""
    for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
        target = line.split()[1]
        if target.startswith(f"{folder}/"):
            subprocess.run(["umount", "--lazy", target], check=False)


def remove(folder: Path) -> None:
    """Delete a scratch directory, immutable flags and odd modes notwithstanding."""
    subprocess.run(["chattr", "-R", "-f", "-i", str(folder)], check=False, capture_output=True)
    subprocess.run(["chmod", "-R", "u+rwX", str(folder)], check=False, capture_output=True)
    shutil.rmtree(folder, ignore_errors=True)


def print_table(outcomes: list[Outcome]) -> None:
    """The table, and a closing line that counts scripts."""
    width = max(len(o.name) for o in outcomes)
    print(f"\n{'script':<{width}}  result    ok  not ok  skipped  seconds")
    for o in outcomes:
        counts = f"{o.ok:>3}  {o.not_ok:>6}  {o.skipped:>7}  {o.seconds:>7.1f}"
        row = f"{o.name:<{width}}  {o.result:<7}  {counts}"
        print(f"{row}  {o.note}".rstrip())
    passed = sum(o.result == "pass" for o in outcomes)
    skipped = sum(o.result == "skip" for o in outcomes)
    failed = len(outcomes) - passed - skipped
    print(f"\nconformance: {passed} passed, {failed} failed, {skipped} skipped")


def suite_version() -> str:
    """The version of the package that the scripts are in."""
    query = ["dpkg-query", "--show", "--showformat=${Version}", "ostree-tests"]
    return subprocess.run(query, capture_output=True, text=True, check=True).stdout


def write_page(outcomes: list[Outcome]) -> None:
    """Write ``docs/conformance.md``; with ``all`` it shows what is still ahead too."""
    needed = set(must_pass())
    today = datetime.datetime.now(datetime.UTC).date()
    lines = [
        "# Conformance",
        "",
        "libostree's own test scripts, as Debian installs them (`ostree-tests`), run against",
        "`ostrya` under the name `ostree`. `make conformance` runs those that must pass, a list",
        "that only grows; `make conformance SCRIPTS='all --page'` runs all and writes this page.",
        "",
        f"Run on {today} with ostree-tests {suite_version()}.",
        "The others skip themselves, for the reason beside them.",
        "",
    ]
    for title, chosen in (("Must pass", True), ("Others", False)):
        rows = [o for o in outcomes if (o.name in needed) == chosen]
        lines += [
            f"## {title}",
            "",
            "| script | result | ok | not ok | skipped | why it is skipped |",
            "|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {o.name} | {o.result} | {o.ok} | {o.not_ok} | {o.skipped} | {o.note} |"
            for o in rows
        ]
        lines.append("")
    PAGE.write_text("\n".join(lines))


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("scripts", nargs="*", help="names, or `all`; default: the list")
    parser.add_argument("--peer", action="store_true", help="run the installed ostree")
    parser.add_argument("--jobs", type=int, default=2, help="scripts at a time (default 2)")
    parser.add_argument("--page", action="store_true", help="write docs/conformance.md")
    parser.add_argument("--keep", action="store_true", help="keep the scripts' directories")
    return parser.parse_args()


def select(names: list[str]) -> list[str]:
    """The scripts meant by the command line."""
    known = all_scripts()
    chosen = known if names == ["all"] else names or must_pass()
    chosen = [n if n in known else f"{n}.sh" for n in chosen]
    unknown = sorted(set(chosen) - set(known))
    if unknown:
        sys.exit(f"no such script in {SUITE}: {', '.join(unknown)}")
    return chosen


def main() -> int:
    """Run the scripts chosen; 0 if none of those that must pass failed."""
    args = parse_arguments()
    if not SUITE.is_dir():
        sys.exit(
            f"{SUITE} is missing: install Debian's ostree-tests (as root, `make conformance` does)"
        )
    scripts = select(args.scripts)
    if not scripts:
        sys.exit("nothing to run")
    folder = scratch()
    try:
        env = environment(make_path(folder, peer=args.peer))
        with ThreadPoolExecutor(args.jobs) as pool:
            futures = [pool.submit(run_script, name, folder, env) for name in scripts]
            outcomes = []
            for future in futures:
                outcome = future.result()
                print(f"{outcome.result:<7} {outcome.name} ({outcome.seconds:.1f} s)", flush=True)
                outcomes.append(outcome)
    finally:
        if args.keep:
            print(f"kept: {folder}")
        else:
            remove(folder)
    print_table(outcomes)
    if args.page:
        write_page(outcomes)
    needed = set(scripts) if args.scripts and args.scripts != ["all"] else set(must_pass())
    return int(any(o.name in needed and o.result != "pass" for o in outcomes))


if __name__ == "__main__":
    sys.exit(main())
