# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal

import pytest

from ostrya.cli.dispatch import load_command, verb_options
from ostrya.cli.table import VERBS, find_verb
from ostrya.cli.verb import Verb


def all_verbs(verbs: tuple[Verb, ...] = VERBS) -> list[Verb]:
    return [one for verb in verbs for one in (all_verbs(verb.verbs) if verb.verbs else (verb,))]


@pytest.mark.parametrize("verb", all_verbs(), ids=lambda verb: verb.module)
def test_every_module_of_the_table_is_a_command(verb):
    command = load_command(verb)
    assert isinstance(command.PARAMETERS, str)
    assert callable(command.run)
    assert command.__doc__.startswith("``")


@pytest.mark.parametrize("verb", all_verbs(), ids=lambda verb: verb.module)
def test_no_option_is_declared_twice(verb):
    names = [option.name for option in verb_options(verb, load_command(verb), drop_in=False)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("verb", all_verbs(), ids=lambda verb: verb.module)
def test_our_own_options_are_not_those_of_ostree(verb):
    names = {option.name for option in verb_options(verb, load_command(verb), drop_in=True)}
    # Of its own verbs, libostree's `admin status` prints JSON.
    assert not names & ({"progress"} if verb.module == "admin.status" else {"json", "progress"})


def test_help_of_the_program(run):
    found = run.ok("--help")
    assert found.out.startswith("Usage:\n  ostrya [OPTION…] COMMAND\n\nBuiltin Commands:\n")
    assert found.err == ""


def test_help_of_a_group(run):
    assert 'Builtin "remote" Commands:\n  add ' in run.ok("remote", "--help").out


@pytest.mark.parametrize("place", ["before", "after"])
def test_help_of_a_verb_needs_no_repository(run, place):
    argv = ["--help", "ls"] if place == "before" else ["ls", "-h"]
    assert run.ok(*argv).out.startswith("Usage:\n  ostrya ls [OPTION…] COMMIT [PATH...]\n")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "No command specified"),
        (["nosuchcommand"], "Unknown command 'nosuchcommand'"),
        (["nosuchcommand", "--repo=x"], "Unknown option --repo=x"),
        (["--foo"], "Unknown option --foo"),
        (["remote"], 'No "remote" subcommand specified'),
        (["remote", "frob"], "Unknown \"remote\" subcommand 'frob'"),
        (["admin", "kargs"], 'No "admin kargs" subcommand specified'),
        (["admin", "kargs", "frob"], "Unknown \"admin kargs\" subcommand 'frob'"),
    ],
)
def test_no_such_verb(run, argv, message):
    for runner, status in ((run, 2), (run.as_ostree(), 1)):
        found = runner(*argv)
        assert (found.status, found.error) == (status, message)
        assert found.err.startswith("Usage:\n")
        assert found.out == ""


def test_unknown_option_of_a_verb(run, sample):
    assert run.fails(sample.option, "refs", "--foo", status=2) == "Unknown option --foo"
    assert run.as_ostree().fails(sample.option, "refs", "--json", status=1) == (
        "Unknown option --json"
    )


def test_version_in_any_place(run):
    for argv in (["--version"], ["refs", "--version"], ["remote", "--version"]):
        assert run.ok(*argv).out.startswith("ostrya:\n Version: '")
        assert run.as_ostree().ok(*argv).out.startswith("libostree:\n Version: '")


def test_a_detached_repository_option_before_the_verb(run, sample):
    assert run.ok("--repo", sample.path, "refs").lines == ["main"]


def test_no_repository_found(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = run("refs")
    assert found.error == "Command requires a --repo argument"
    assert found.err.startswith("Usage:\n  ostrya refs ")


def test_the_repository_here_or_in_the_variable(run, sample, tmp_path, monkeypatch):
    monkeypatch.chdir(sample.path)
    assert run.ok("refs").lines == ["main"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OSTREE_REPO", str(sample.path))
    assert run.ok("refs").lines == ["main"]
    # A name on the command line comes before both.
    assert "opendir" in run.fails("refs", "--repo=nope")


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["init", "--repo="], "--repo"),
        (["--repo=", "init"], "--repo"),
        (["init", "--repo", ""], "--repo"),
        (["refs", "--repo="], "--repo"),
        (["remote", "list", "--repo="], "--repo"),
        (["remote", "delete", "--sysroot=", "x"], "--sysroot"),
    ],
)
def test_an_empty_path_is_not_the_current_directory(run, sample, monkeypatch, words, what):
    monkeypatch.chdir(sample.path if "init" not in words else sample.path.parent)
    before = set(os.listdir())
    assert run.fails(*words, status=2) == f"The path of {what} is empty"
    assert run.as_ostree().fails(*words, status=1) == f"The path of {what} is empty"
    assert set(os.listdir()) == before


@pytest.mark.parametrize("name", ["config", "fsck", "refs", "summary", "commit", "prune", "export"])
def test_what_may_write_ends_in_order(run, sample, monkeypatch, name):
    module = load_command(find_verb(VERBS, name))
    handlers = []

    def look(*_args):
        handlers.extend(map(signal.getsignal, (signal.SIGTERM, signal.SIGHUP)))
        return 0

    monkeypatch.setattr(module, "run", look)
    run.ok(sample.option, name)
    assert signal.SIG_DFL not in handlers
    assert len(handlers) == 2
