# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import subprocess

import pytest

from ostrya._linux.process import run
from ostrya.boot import sandbox
from ostrya.boot.sandbox import BWRAP, root_argv, run_in_tree, sandbox_argv
from ostrya.errors import CommandFailed
from support.shell_trees import put_shell


def pairs(argv: list[str], option: str) -> dict[str, str]:
    """What is bound where."""
    return {argv[at + 2]: argv[at + 1] for at, word in enumerate(argv) if word == option}


def test_what_a_program_sees():
    argv = sandbox_argv("/t", ["prog", "--bind"], [("/s/boot", "/boot")])
    head = argv[: argv.index("--")]
    assert pairs(head, "--bind") == {
        "/usr": "/t/usr",
        "/etc": "/t/etc",
        "/var": "/t/var",
        "/boot": "/s/boot",
    }
    assert pairs(head, "--symlink")["/lib64"] == "/usr/lib64"
    assert argv[argv.index("--") :] == ["--", "prog", "--bind"]


def test_a_tree_as_the_root():
    argv = root_argv("/s/ostree/t", "/s", ["/usr/sbin/prog", "-x"])
    assert pairs(argv, "--bind") == {"/": "/s/ostree/t", "/sysroot": "/s", "/boot": "/s/boot"}
    assert argv[-3:] == ["--", "/usr/sbin/prog", "-x"]


def test_what_it_writes(monkeypatch):
    monkeypatch.setattr(sandbox, "run", lambda argv: argv[-1].encode())
    assert run_in_tree("/t", ["prog", "word"]) == b"word"


def test_one_that_fails(monkeypatch):
    monkeypatch.setattr(sandbox, "BWRAP", "/nonexistent/bwrap")
    with pytest.raises(CommandFailed, match="command not found"):
        run_in_tree("/t", ["prog"])


@pytest.mark.root
def test_for_real(tmp_path):
    if not os.path.exists(BWRAP):
        pytest.skip(f"{BWRAP} is not installed")
    sysroot = tmp_path / "sysroot"
    tree = sysroot / "tree"
    put_shell(tree)
    (tree / "etc/name").write_text("inside\n")
    (sysroot / "boot").mkdir()
    argv = ["/usr/bin/sh", "-c", "read x < /etc/name; echo $x; echo $x > /boot/out"]
    if subprocess.run(sandbox_argv(str(tree), ["/usr/bin/sh", "-c", ":"]), check=False).returncode:
        pytest.skip("this kernel has no namespaces for us")
    assert run_in_tree(str(tree), argv, [(str(sysroot / "boot"), "/boot")]) == b"inside\n"
    assert (sysroot / "boot/out").read_text() == "inside\n"
    (sysroot / "boot/out").unlink()
    assert run(root_argv(str(tree), str(sysroot), argv)) == b"inside\n"
    assert (sysroot / "boot/out").read_text() == "inside\n"
