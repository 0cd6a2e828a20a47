# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

WHILE_LOADING = """
import os, signal, sys

class Impatient:
    def find_spec(self, name, *_):
        if name == "ostrya.cli.main":
            os.kill(os.getpid(), signal.SIGINT)

{before}
sys.meta_path.insert(0, Impatient())
sys.argv = ["ostrya", "--version"]
from ostrya.cli.start import main
sys.exit(main())
"""


def run(before: str) -> subprocess.CompletedProcess[str]:
    program = WHILE_LOADING.format(before=before)
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )


def test_interrupted_while_loading_it_ends_without_a_word():
    done = run("signal.signal(signal.SIGINT, signal.default_int_handler)")
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_what_ignores_interrupts_goes_on_ignoring_them():
    done = run("signal.signal(signal.SIGINT, signal.SIG_IGN)")
    assert done.returncode == 0
    assert done.stderr == ""


@pytest.mark.parametrize("handler", [signal.default_int_handler, signal.SIG_IGN])
def test_what_was_set_is_set_again(handler, monkeypatch):
    from ostrya.cli import main as module
    from ostrya.cli.start import main

    monkeypatch.setattr(module, "main", lambda: signal.getsignal(signal.SIGINT))
    before = signal.signal(signal.SIGINT, handler)
    try:
        assert main() == handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_names_are_utf8_whatever_the_locale(tmp_path):
    """A locale of one byte a character would make two of each that is not ASCII."""
    made = tmp_path / "de_DE.ISO-8859-1"
    command = ["localedef", "-i", "de_DE", "-f", "ISO-8859-1", made]
    subprocess.run(command, check=True, capture_output=True)
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/grüß").touch()
    (tmp_path / "tree/日本").touch()
    env = os.environ | {"LOCPATH": str(tmp_path), "LC_ALL": "de_DE.ISO-8859-1"}
    program = Path(sys.executable).with_name("ostrya")
    repo = f"--repo={tmp_path / 'repo'}"
    for words in (
        ["init", "--mode=archive"],
        ["commit", "-b", "main", f"--tree=dir={tmp_path / 'tree'}"],
        ["checkout", "-U", "main", str(tmp_path / "out")],
    ):
        subprocess.run([program, repo, *words], check=True, env=env, capture_output=True)
    assert sorted(os.listdir(tmp_path / "out")) == ["grüß", "日本"]
    listed = subprocess.run(
        [program, repo, "ls", "main"], check=True, env=env, capture_output=True
    ).stdout
    assert "grüß".encode() in listed


ENDING = """
import atexit, sys
from ostrya.cli import main as module, start

def main():
    sys.stdout.write("last words")
    sys.stderr.write("and these")
    return 3

module.main = main
atexit.register(lambda: sys.stderr.write(", taken apart"))
{before}
start.run()
"""


@pytest.mark.parametrize(
    ("before", "more"),
    [
        ("", ""),
        ("sys.setprofile(lambda *_: None)", ", taken apart"),
        ("sys.settrace(lambda *_: None)", ", taken apart"),
    ],
)
def test_it_ends_at_once_but_says_all(before, more):
    """Whoever profiles or traces it writes down what was seen at the very end."""
    done = subprocess.run(
        [sys.executable, "-c", ENDING.format(before=before)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "last words", f"and these{more}")


def test_nobody_reads_what_it_says_last():
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", ENDING.format(before="")],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (3, "and these")
