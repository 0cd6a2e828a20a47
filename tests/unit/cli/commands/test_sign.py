# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from support.ed25519_keys import key_pair

ONE, TWO = key_pair(1), key_pair(2)
GOOD = f"ed25519: Signature verified successfully with key '{ONE.public.hex()}'\n"


@pytest.fixture
def signed(run, sample):
    run.ok(sample.option, "sign", "main", ONE.secret_text)
    return sample


def test_keys_on_the_command_line(run, signed):
    verify = (signed.option, "sign", "--verify", "main")
    assert run.ok(*verify, TWO.public_text, "AAAA", ONE.public_text).out == GOOD
    assert run.fails(*verify, TWO.public_text, status=30) == "No valid signatures found"
    assert run.fails(*verify, "AAAA", status=30) == "No valid signatures found"


def test_a_file_of_keys(run, signed, tmp_path):
    path = tmp_path / "keys"
    path.write_text(f"{ONE.public_text}\n{TWO.public_text}\n")
    verify = (signed.option, "sign", "--verify", f"--keys-file={path}", "main")
    assert run.ok(*verify).out == GOOD
    assert run.ok(*verify, TWO.public_text).out == GOOD
    path.write_text(TWO.public_text)
    assert f"verified with: key '{TWO.public.hex()}'" in run.fails(*verify, status=30)


def test_a_directory_of_keys(run, signed, tmp_path):
    verify = (signed.option, "sign", "--verify", f"--keys-dir={tmp_path}", "main")
    assert run.fails(*verify, status=30) == "signature: ed25519: no keys loaded"
    (tmp_path / "trusted.ed25519").write_text(ONE.public_text)
    assert run.ok(*verify).out == GOOD
    (tmp_path / "revoked.ed25519").write_text(ONE.public_text)
    assert "is revoked" in run.fails(*verify, status=30)


def test_a_file_of_secrets(run, sample, tmp_path):
    path = tmp_path / "secrets"
    path.write_text(f"{ONE.secret_text}\n{TWO.secret_text}\n")
    run.ok(sample.option, "sign", f"--keys-file={path}", "main")
    for pair in (ONE, TWO):
        run.ok(sample.option, "sign", "--verify", "main", pair.public_text)


@pytest.mark.parametrize("key", [ONE.public_text, ONE.secret_text])
def test_delete(run, signed, key):
    run.ok(signed.option, "sign", "main", TWO.secret_text)
    found = run.ok(signed.option, "sign", "--delete", "main", key).out
    assert found == "Signatures deleted: 1\n"
    assert run.ok(signed.option, "sign", "-d", "main", key).out == "Signatures deleted: 0\n"
    run.ok(signed.option, "sign", "--verify", "main", TWO.public_text)
    run.fails(signed.option, "sign", "--verify", "main", ONE.public_text)


def test_delete_by_a_file(run, signed, tmp_path):
    path = tmp_path / "keys"
    path.write_text(ONE.public_text)
    found = run.ok(signed.option, "sign", "-d", f"--keys-file={path}", "main").out
    assert found == "Signatures deleted: 1\n"


def test_dummy_is_for_tests(run, sample, monkeypatch):
    dummy = (sample.option, "sign", "--sign-type=dummy")
    message = "dummy signature type is only for ostree testing"
    assert run.fails(*dummy, "main", "word") == message
    monkeypatch.setenv("OSTREE_DUMMY_SIGN_ENABLED", "1")
    run.ok(*dummy, "main", "word")
    assert run.ok(*dummy, "--verify", "main", "word").out == "dummy: Signature verified\n"
    assert run.fails(*dummy, "--verify", "main") == "not implemented"
    monkeypatch.delenv("OSTREE_DUMMY_SIGN_ENABLED")
    assert run.fails(*dummy, "--verify", "main", "word") == "No valid signatures found"


def test_what_is_missing(run, sample):
    assert run.fails(sample.option, "sign", status=2) == "Need a COMMIT to sign or verify"
    message = "Need at least one KEY-ID to sign with"
    assert run.fails(sample.option, "sign", "main", status=2) == message
    message = "Requested signature type is not implemented"
    assert run.fails(sample.option, "sign", "-s", "rot13", "main", "k") == message


def test_a_key_that_is_none_signs_nothing(run, sample):
    found = run.fails(sample.option, "sign", "main", ONE.secret_text, "AAAA", status=30)
    assert found.startswith("Invalid ed25519 secret key: Ill-formed input: expected 64 bytes")
    run.fails(sample.option, "show", "--list-detached-metadata-keys", "main")


def test_commits_and_summaries_are_signed_as_they_are_made(run, sample, tree, tmp_path):
    path = tmp_path / "secret"
    path.write_text(TWO.secret_text)
    keys = (f"--sign={ONE.secret_text}", f"--sign-from-file={path}")
    run.ok(sample.option, "commit", "-b", "signed", *keys, tree)
    for pair in (ONE, TWO):
        run.ok(sample.option, "sign", "--verify", "signed", pair.public_text)
    run.ok(sample.option, "summary", "-u", keys[0])
    assert b"ostree.sign.ed25519" in (sample.path / "summary.sig").read_bytes()
    # Signed, but not by OpenPGP.
    assert "Summary is unsigned" not in run.ok(sample.option, "summary", "-v").out


def test_a_bad_key_stops_a_commit_before_it_is_made(run, sample, tree):
    message = run.fails(sample.option, "commit", "-b", "new", "--sign=AAAA", tree, status=30)
    assert message.startswith("Invalid ed25519 secret key")
    assert run.ok(sample.option, "refs").lines == ["main"]


def test_the_metadata_of_a_collection_is_signed(run, make_repo, tree):
    option = f"--repo={make_repo('c', 'archive', '--collection-id=org.example.C')}"
    run.ok(option, "commit", "-b", "main", tree)
    run.ok(option, "summary", "-u", f"--sign={ONE.secret_text}")
    assert run.ok(option, "sign", "--verify", "ostree-metadata", ONE.public_text).out == GOOD
