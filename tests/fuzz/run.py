# SPDX-License-Identifier: Apache-2.0
"""Run fuzz targets: each so many inputs, by atheris if it is installed, by mutation if not.

Usage: python tests/fuzz/run.py [--runs N] [--seed N] [--grow] [TARGET …]
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.util
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
TARGETS = HERE / "targets"
MEMORY_LIMIT = 1 << 30
HANG_SECONDS = 20
GROWN_SIZE = 600

if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))

from mutate import mutate  # noqa: E402

Target = Callable[[bytes], object]


class Outcome(NamedTuple):
    """How a target did: inputs, distinct endings, inputs that gave a value, and failures."""

    target: str
    runs: int
    places: int
    accepted: int
    failures: int
    found: tuple[bytes, ...] = ()


def target_names() -> list[str]:
    """Name every target."""
    return sorted(path.stem for path in TARGETS.glob("*.py"))


def load(name: str) -> Target:
    """Find the function of a target."""
    module = importlib.import_module(f"targets.{name}")
    found: Target = module.TestOneInput
    return found


def seeds(name: str) -> list[bytes]:
    """Read the corpus of a target."""
    return [path.read_bytes() for path in sorted((CORPUS / name).glob("*"))] or [b""]


def ending(target: Target, data: bytes) -> tuple[object, ...]:
    """Run a target; say where it ended: where an error came from, or what value it was.

    Raises:
        Exception: Whatever the target fails with.
    """
    told = target(data)
    if isinstance(told, BaseException):
        place = told.__traceback__
        lines = []
        while place is not None:
            lines.append((place.tb_frame.f_code.co_name, place.tb_lineno))
            place = place.tb_next
        return tuple(lines[-4:])
    return ("value", type(told).__name__, len(data).bit_length())


def mutate_target(name: str, runs: int, seed: int) -> Outcome:
    """Run a target on so many inputs, made from its corpus."""
    target = load(name)
    rng = random.Random(f"{name}:{seed}")
    pool = seeds(name)
    places: set[tuple[object, ...]] = set()
    found: list[bytes] = []
    accepted = failures = 0
    for count in range(runs):
        data = pool[count] if count < len(pool) else mutate(rng.choice(pool), rng.choice(pool), rng)
        try:
            signal.alarm(HANG_SECONDS)
            place = ending(target, data)
        except Exception:  # noqa: BLE001
            failures += 1
            report(name, data)
            if failures == 10:
                return Outcome(name, count + 1, len(places), accepted, failures, tuple(found))
            continue
        finally:
            signal.alarm(0)
        accepted += place[0] == "value"
        if place not in places:
            places.add(place)
            pool.append(data)
            found.append(data)
    return Outcome(name, runs, len(places), accepted, failures, tuple(found))


def report(name: str, data: bytes) -> None:
    """Keep and show an input that a target fails on."""
    path = Path(f"crash-{name}-{hashlib.sha256(data).hexdigest()[:12]}")
    path.write_bytes(data)
    print(f"{name} fails on {data.hex()} ({path})", file=sys.stderr)
    traceback.print_exc()


def grow(name: str, outcome: Outcome) -> int:
    """Write inputs that ended in new places to the corpus; say how many."""
    folder = CORPUS / name
    folder.mkdir(parents=True, exist_ok=True)
    new = 0
    for data in outcome.found:
        path = folder / hashlib.sha256(data).hexdigest()[:16]
        if len(data) <= GROWN_SIZE and not path.exists():
            path.write_bytes(data)
            new += 1
    return new


def atheris_options(runs: int, seed: int) -> list[str]:
    """Say how much atheris runs, and within which limits."""
    return [
        f"-runs={runs}",
        f"-seed={seed}",
        f"-timeout={HANG_SECONDS}",
        f"-rss_limit_mb={MEMORY_LIMIT >> 20}",
    ]


def set_limits() -> None:
    """Limit the memory of this process, and turn an input without end into a failure."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    signal.signal(signal.SIGALRM, on_hang)


def atheris_target(name: str, runs: int, seed: int) -> int:
    """Run a target under atheris, in a process of its own; give its status."""
    program = (
        "import sys, atheris\n"
        f"sys.path.insert(0, {str(HERE)!r})\n"
        "with atheris.instrument_imports(include=['ostrya']):\n"
        f"    from targets.{name} import TestOneInput\n"
        "def run(data):\n"
        "    TestOneInput(data)\n"
        "atheris.Setup(sys.argv, run)\n"
        "atheris.Fuzz()\n"
    )
    options = atheris_options(runs, seed)
    with tempfile.TemporaryDirectory() as scratch:
        # It writes what it finds to the first folder, which shall not be the corpus.
        argv = [sys.executable, "-c", program, *options, scratch, str(CORPUS / name)]
        return subprocess.run(argv, check=False).returncode


def on_hang(_signal: int, _frame: object) -> None:
    """Turn a hang into a failure."""
    raise TimeoutError(f"no end after {HANG_SECONDS} s")


def main() -> int:
    """Run the targets that the command line names, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--grow", action="store_true", help="write what is new to the corpus")
    parser.add_argument("--no-atheris", action="store_true")
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    args = parser.parse_args()
    names = args.targets or target_names()
    if unknown := set(names) - set(target_names()):
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    if importlib.util.find_spec("atheris") and not args.no_atheris:
        return max(atheris_target(name, args.runs, args.seed) for name in names)
    set_limits()
    print(f"{'target':<16}{'inputs':>10}{'values':>10}{'places':>8}{'failures':>10}{'per s':>9}")
    failures = 0
    for name in names:
        start = time.perf_counter()
        outcome = mutate_target(name, args.runs, args.seed)
        speed = outcome.runs / (time.perf_counter() - start)
        failures += outcome.failures
        print(
            f"{name:<16}{outcome.runs:>10,}{outcome.accepted:>10,}{outcome.places:>8}"
            f"{outcome.failures:>10}{speed:>9,.0f}",
            flush=True,
        )
        if args.grow:
            print(f"  {grow(name, outcome)} new in the corpus")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
