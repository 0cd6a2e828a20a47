# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from support.gpg_keys import gpg_user


@pytest.fixture(scope="module")
def person():
    with gpg_user() as user:
        yield user, user.make_key("A Person <a@b.org>"), user.make_key("Other")


@pytest.fixture
def homedir(person):
    return f"--gpg-homedir={person[0].home}"


def test_sign_show_delete(run, sample, person, homedir, tmp_path, monkeypatch, schema):
    user, key, other = person
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("OSTREE_GPG_HOME", str(tmp_path / "trusted"))
    assert "signature" not in run.ok(sample.option, "show", "main").out
    run.ok(sample.option, "gpg-sign", homedir, "main", key)
    shown = run.ok(sample.option, "show", "main").out
    assert "\nFound 1 signature:\n\n  Signature made " in shown
    assert "  Can't check signature: public key not found\n" in shown
    (tmp_path / "trusted").mkdir()
    (tmp_path / "trusted/keyring.gpg").write_bytes(user.export(key, armored=True))
    shown = run.ok(sample.option, "show", "main").out
    assert f" using EdDSA key ID {key[-16:]}\n" in shown
    assert shown.endswith('  Good signature from "A Person <a@b.org>"\n')
    found = run.ok(sample.option, "show", "--json", "main").json()
    schema(found, "show")
    assert found["gpg_signatures"][0]["verdict"] == "good"
    message = run.fails(sample.option, "gpg-sign", homedir, "main", key, status=30)
    assert message == f"Commit is already signed with GPG key {key}"
    run.ok(sample.option, "gpg-sign", homedir, "main", other)
    delete = (sample.option, "gpg-sign", "--delete", "main")
    assert run.ok(*delete, "a@b.org", other).out == "Signatures deleted: 2\n"
    assert run.ok(*delete, key).out == "Signatures deleted: 0\n"
    assert "signature" not in run.ok(sample.option, "show", "main").out


def test_remotes_have_keyrings(run, sample, person, homedir):
    user, key, other = person
    for name, one in (("R", key), ("S", other)):
        run.ok(sample.option, "remote", "add", name, "http://r")
        (sample.path / f"{name}.trustedkeys.gpg").write_bytes(user.export(one))
    run.ok(sample.option, "gpg-sign", homedir, "main", key)
    show = (sample.option, "show", "main")
    assert "Good signature" in run.ok(*show, "--gpg-verify-remote=R").out
    assert "public key not found" in run.ok(*show, "--gpg-verify-remote=S").out
    assert "Good signature" in run.ok(*show).out
    assert run.fails(*show, "--gpg-verify-remote=T") == 'Remote "T" not found'


def test_commits_and_summaries_are_signed_as_they_are_made(run, sample, person, homedir, tree):
    _, key, other = person
    gpg = (homedir, f"--gpg-sign={key}", f"--gpg-sign={other}")
    run.ok(sample.option, "commit", "-b", "signed", *gpg, tree)
    assert "Found 2 signatures:" in run.ok(sample.option, "show", "signed").out
    run.ok(sample.option, "summary", "-u", *gpg)
    shown = run.ok(sample.option, "summary", "-v").out
    assert "\nFound 2 signatures on the summary:\n\n  Signature made " in shown


def test_pull_local_demands_signatures(run, make_repo, sample, person, homedir):
    user, key, other = person
    target = f"--repo={make_repo('target')}"
    for name, one in (("R", key), ("S", other)):
        path = sample.path.parent / f"{name}.asc"
        path.write_bytes(user.export(one, armored=True))
        run.ok(target, "remote", "add", f"--gpg-import={path}", name, "http://r")
    pull = (target, "pull-local", "--gpg-verify", sample.path, "main")
    message = "Must specify remote name to enable gpg verification"
    assert run.fails(*pull, status=41) == message
    message = run.fails(*pull, "--remote=R", status=30)
    assert message.startswith(f"Commit {sample.second}: GPG verification enabled, but no sig")
    run.ok(sample.option, "gpg-sign", homedir, "main", key)
    assert "public key not found" in run(*pull, "--remote=S").err
    run.ok(*pull, "--remote=R")
    summary = (target, "pull-local", "--gpg-verify-summary", "--remote=R", sample.path, "main")
    assert "no summary found" in run.fails(*summary, status=41)
    run.ok(sample.option, "summary", "-u", homedir, f"--gpg-sign={key}")
    run.ok(*summary)


def test_what_is_missing(run, sample, homedir):
    assert run.fails(sample.option, "gpg-sign", status=2) == "Need a COMMIT to sign"
    message = "Need at least one GPG KEY-ID to sign with"
    assert run.fails(sample.option, "gpg-sign", "main", status=2) == message
    message = run.fails(sample.option, "gpg-sign", homedir, "main", "01234567", status=30)
    assert message.startswith("No gpg key found with ID 01234567 (homedir: ")
