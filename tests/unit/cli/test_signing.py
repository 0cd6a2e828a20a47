# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import locale

import pytest

from ostrya.cli import signing
from ostrya.cli.options import Kind
from ostrya.sign import openpgp
from ostrya.sign.errors import InvalidKey
from ostrya.sign.gpg_status import GpgSignature, Verdict


def test_options():
    declared = {option.name: option.kind for option in signing.sign_options("it")}
    assert declared == {
        "gpg-sign": Kind.TEXTS,
        "gpg-homedir": Kind.TEXT,
        "sign": Kind.TEXTS,
        "sign-type": Kind.TEXT,
    }


def test_keyrings_have_a_size(tmp_path, monkeypatch):
    path = tmp_path / "keyring"
    path.write_bytes(b"1234")
    assert signing.read_keyring(str(path)) == b"1234"
    monkeypatch.setattr(openpgp, "MAX_KEYRING_BYTES", 3)
    with pytest.raises(InvalidKey, match="is larger than"):
        signing.read_keyring(str(path))


def test_counts(capsys):
    signing.print_imported("R", 1)
    signing.print_imported("R", 0)
    assert capsys.readouterr().out == (
        'Imported 1 GPG key to remote "R"\nImported 0 GPG keys to remote "R"\n'
    )


def test_a_locale_that_is_not_there_changes_nothing(monkeypatch):
    monkeypatch.setenv("LC_ALL", "xx_XX.UTF-8")
    before = locale.setlocale(locale.LC_TIME)
    signing.use_local_dates()
    assert locale.setlocale(locale.LC_TIME) == before


def test_json():
    (found,) = signing.signatures_as_json([GpgSignature(Verdict.GOOD, "F")])
    assert (found["verdict"], found["fingerprint"]) == ("good", "F")
