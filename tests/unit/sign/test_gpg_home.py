# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from ostrya._linux import process
from ostrya.errors import CommandFailed, SignatureError
from ostrya.sign import gpg_home
from ostrya.sign.errors import InvalidKey
from ostrya.sign.gpg_home import Keyrings, last_words, temporary_home
from ostrya.sign.openpgp import public_keys


def test_a_home_has_what_it_was_given(people):
    user, keys = people
    armored = user.export(keys["good"], armored=True)
    given = Keyrings((("a", user.export(keys["other"])),), (("b", armored), ("c", b"junk")))
    with temporary_home(given) as home:
        assert Path(home.path).stat().st_mode & 0o077 == 0
        listed = home.run("--with-colons", "--list-keys").stdout.decode()
        assert keys["other"] in listed
        assert keys["good"] in listed
        assert keys["revoked"] not in listed
    assert not Path(home.path).exists()


def test_a_revocation_in_any_copy_counts(people):
    user, keys = people
    before = user.export(keys["revoked"])
    user.revoke(keys["revoked"])
    after = user.export(keys["revoked"])
    with temporary_home(Keyrings((("a", before), ("b", after)))) as home:
        assert len(public_keys(home.read("pubring.gpg"))) == 1
        listed = home.run("--with-colons", "--list-keys").stdout.decode()
    assert "pub:r:" in listed


def test_keyboxes(people):
    user, keys = people
    box = (user.home / "pubring.kbx").read_bytes()
    with temporary_home(Keyrings((("box", box),))) as home:
        assert keys["good"].encode() in home.run("--with-colons", "--list-keys").stdout
    with (
        pytest.raises(InvalidKey, match=r"^box: this is no OpenPGP keyring: "),
        temporary_home(Keyrings((("box", box[:12] + bytes(500)),))),
    ):
        pass


def test_a_broken_keyring_is_named():
    with (
        pytest.raises(InvalidKey, match=r"^name: this is no OpenPGP keyring"),
        temporary_home(Keyrings((("name", b"junk"),))),
    ):
        pass


def test_without_gpg(monkeypatch):
    def missing(argv, **_):
        raise CommandFailed(tuple(argv), 127, "gpg: command not found")

    monkeypatch.setattr(gpg_home, "run_to_end", missing)
    with temporary_home(Keyrings()) as home, pytest.raises(SignatureError) as caught:
        home.run("--list-keys")
    assert "install GnuPG" in caught.value.hint


def test_last_words():
    assert last_words(process.Completed(2, b"", b"gpg: a\ngpg: b\n")) == "b"
    assert last_words(process.Completed(2, b"", b"")) == "gpg ended with status 2"
