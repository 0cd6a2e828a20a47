# SPDX-License-Identifier: Apache-2.0
"""The program as a process: its name, its status, its pipes, and programs it hands over to."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from support import trees
from support.commands import OURS, OURS_PATH, clean_environment


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("manners")
    (folder / "bin").mkdir()
    (folder / "bin/ostree").symlink_to(OURS_PATH)
    (folder / "bin/ostrya").symlink_to(OURS_PATH)
    for number in range(4000):
        trees.write(folder / f"tree/{number:0100}", b"")
    trees.write(folder / "tree/content", b"x")
    OURS("init", f"--repo={folder / 'repo'}", "--mode=archive")
    OURS(f"--repo={folder / 'repo'}", "commit", "-b", "main", f"--tree=dir={folder / 'tree'}")
    return folder


def run(place: Path, *words: str, name: str = "ostrya", **options):
    env = clean_environment() | {"PATH": f"{place / 'bin'}:/usr/bin:/bin"} | options.pop("env", {})
    return subprocess.run(
        [place / "bin" / name, *words], cwd=place, env=env, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=60, **options,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["refs", "--repo=repo"], 0),
        (["--help"], 0),
        (["refs", "--nope"], 2),
        ([], 2),
        (["nope"], 2),
        (["rev-parse", "--repo=repo"], 2),
        (["rev-parse", "--repo=repo", "nope"], 20),
        (["commit", "--repo=repo", "-b", "a b"], 10),
        (["commit", "--repo=repo", "-b", "x", "--timestamp=x"], 2),
    ],
)
def test_status_under_both_names(place, words, status):
    assert run(place, *words).returncode == status
    assert run(place, *words, name="ostree").returncode == (1 if status else 0)


def test_a_repository_that_is_not_there(place):
    done = run(place, "--repo=nope", "refs")
    assert done.returncode == 20
    assert done.stderr.startswith("error: opening repo: opendir(")
    assert "hint: " in done.stderr
    assert "hint: " not in run(place, "--repo=nope", "refs", name="ostree").stderr


def test_as_a_module(place):
    import sys

    argv = [sys.executable, "-m", "ostrya", f"--repo={place / 'repo'}", "refs"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout == "main\n"


def test_a_reader_that_goes_away(place):
    line = f"{place / 'bin/ostrya'} --repo=repo ls -R main | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line], cwd=place, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[1] == "141"
    assert done.stderr == ""


def test_a_version_that_nobody_reads(place):
    line = f"set -o pipefail; {place / 'bin/ostree'} --version | grep -q -e '- libarchive'"
    subprocess.run(["bash", "-c", line], check=True)


def test_a_full_device(place):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [place / "bin/ostrya", "--repo=repo", "ls", "-R", "main"],
            cwd=place, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode != 0
    assert done.stderr.startswith("error: ")
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_extensions(place, tmp_path):
    for name in ("ostree-hello", "ostrya-hello"):
        path = tmp_path / name
        path.write_text('#!/bin/sh\necho "$(basename "$0") $*"; exit 7\n')
        path.chmod(0o755)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = run(place, "-v", "hello", "--x", "y", env=env)
    assert (done.returncode, done.stdout) == (7, "ostrya-hello -v hello --x y\n")
    done = run(place, "hello", name="ostree", env=env)
    assert (done.returncode, done.stdout) == (7, "ostree-hello hello\n")
    # What is built in is never handed over.
    (tmp_path / "ostree-refs").symlink_to(tmp_path / "ostree-hello")
    assert run(place, "refs", "--repo=repo", name="ostree", env=env).stdout == "main\n"


def test_names_that_are_not_utf8_can_be_shown(place, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / os.fsdecode(b"\xff")).write_text("x")
    done = subprocess.run(
        [place / "bin/ostrya", "--repo=repo", "diff", tmp_path / "a", tmp_path / "b"],
        cwd=place, capture_output=True, check=True,
    )  # fmt: skip
    assert done.stdout == b"A    \xff\n"


@pytest.mark.parametrize("charset", ["C", "POSIX", "en_US.ISO-8859-1"])
def test_any_locale(place, charset):
    done = run(place, "refs", "--help", env={"LC_ALL": charset})
    assert done.returncode == 0
    assert "[OPTION" in done.stdout


def test_progress_on_stderr_and_data_on_stdout(place):
    done = run(place, "--repo=repo", "fsck", "--json", "--progress=json")
    assert json.loads(done.stdout)["ok"] is True
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert events[0]["event"] == "started"
    assert events[-1]["event"] == "finished"
    plain = run(place, "--repo=repo", "fsck", "-q", "--progress=plain").stderr.splitlines()
    assert plain[0] == "fsck objects ..."
    assert plain[-1].startswith("fsck objects: done (")


def test_verbose_is_for_stderr(place):
    done = run(place, "--repo=repo", "-v", "rev-parse", "main")
    assert len(done.stdout) == 65


def in_shell(place: Path, words: str):
    line = f"{place / 'bin/ostrya'} --repo=repo {words}"
    return subprocess.run(
        ["bash", "-c", line], cwd=place, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("closing", ["2>&-", "<&-", "<&- 2>&-"])
def test_streams_that_are_closed(place, closing):
    done = in_shell(place, f"refs {closing}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "main\n", "")


@pytest.mark.parametrize(
    "words",
    ["refs", "refs --json", "export main", "cat main /content", "ls -R --nul-filenames-only main",
     "ls --help", "refs --version"],
)  # fmt: skip
@pytest.mark.parametrize("closing", [">&-", "<&- >&-", ">&- 2>&-"])
def test_nothing_is_lost_without_a_word(place, words, closing):
    done = in_shell(place, f"{words} {closing}")
    assert done.returncode == 1
    if "2>" not in closing:
        assert done.stderr == "error: standard output: Bad file descriptor\n"


def test_files_do_not_become_the_standard_output(place, tmp_path):
    done = in_shell(place, f"export main -o {tmp_path / 'tar'} <&- >&- 2>&-")
    assert done.returncode == 0
    assert (tmp_path / "tar").stat().st_size > 4000 * 512


@pytest.mark.parametrize("words", ["commit -b x --tree=tar=-", "checkout --from-stdin nowhere"])
def test_nothing_to_read(place, words):
    done = in_shell(place, f"{words} <&-")
    assert done.returncode == 1
    assert done.stderr == "error: The standard input is closed\n"
