# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from support.gpg_keys import gpg_user


@pytest.fixture(scope="module")
def person():
    with gpg_user() as user:
        yield user, user.make_key("A Person <a@b.org>"), user.make_key("Other")


@pytest.fixture
def option(run, make_repo):
    found = f"--repo={make_repo()}"
    run.ok(found, "remote", "add", "R", "http://r")
    return found


def test_from_files(run, option, person, tmp_path, make_repo):
    user, key, other = person
    for name, one in (("one", key), ("two", other)):
        (tmp_path / name).write_bytes(user.export(one, armored=True))
    one, two = f"--keyring={tmp_path}/one", f"--keyring={tmp_path}/two"
    imported = run.ok(option, "remote", "gpg-import", one, two, "R", other[-16:]).out
    assert imported == 'Imported 1 GPG key to remote "R"\n'
    imported = run.ok(option, "remote", "gpg-import", one, "-k", tmp_path / "two", "R").out
    assert imported == 'Imported 1 GPG key to remote "R"\n'
    run.ok(option, "remote", "delete", "R")
    assert not (tmp_path / "repo/R.trustedkeys.gpg").exists()


def test_from_the_standard_input(run, option, person):
    user, key, other = person
    both = user.export(key, armored=True) + user.export(other, armored=True)
    imported = run.ok(option, "remote", "gpg-import", "--stdin", "R", stdin=both).out
    assert imported == 'Imported 2 GPG keys to remote "R"\n'


def test_from_the_user(run, option, person, monkeypatch):
    user, key, _ = person
    monkeypatch.setenv("GNUPGHOME", str(user.home))
    imported = run.ok(option, "remote", "gpg-import", "R", key).out
    assert imported == 'Imported 1 GPG key to remote "R"\n'


def test_refusals(run, option, tmp_path):
    assert run.fails(option, "remote", "gpg-import", status=2) == "NAME must be specified"
    message = run.fails(option, "remote", "gpg-import", "--stdin", "-k", "x", "R", status=2)
    assert message == "--keyring and --stdin are mutually exclusive"
    message = run.fails(option, "remote", "gpg-import", "--stdin", "S")
    assert message == 'Remote "S" not found'
    message = run.fails(option, "remote", "gpg-import", "-k", tmp_path / "x", "R")
    assert message.endswith("x: No such file or directory")
