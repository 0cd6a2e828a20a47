# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.errors import FormatError, RepoError
from ostrya.repo.config_writer import write_config
from ostrya.repo.remote_settings import RemoteSettings
from support.small_repos import configure, make_repo, reopen


def set_remote(repo, name, **values):
    keyfile = repo.config.keyfile
    for key, value in values.items():
        keyfile.set_value(f'remote "{name}"', key.replace("_", "-"), value)
    write_config(repo, keyfile)
    repo.reload_config()


@pytest.fixture
def repo(tmp_path):
    with make_repo(tmp_path / "repo") as repo:
        yield repo


def test_kinds_of_settings(repo):
    set_remote(repo, "o", url="http://x", branches="a;b;", http2="false", proxy="p")
    found = RemoteSettings(repo, "o")
    assert (found.url, found.text("proxy"), found.text("nothing")) == ("http://x", "p", None)
    assert (found.texts("branches"), found.texts("nothing")) == (("a", "b"), ())
    assert not found.boolean("http2", default=True)
    assert found.boolean("nothing", default=True)
    set_remote(repo, "o", http2="perhaps")
    with pytest.raises(FormatError):
        RemoteSettings(repo, "o").boolean("http2", default=True)


def test_signatures_are_asked_for_unless_somebody_says_otherwise(repo):
    set_remote(repo, "o", url="http://x")
    assert RemoteSettings(repo, "o").gpg_verify
    assert not RemoteSettings(repo, "o").gpg_verify_summary
    set_remote(repo, "o", gpg_verify="false", gpg_verify_summary="true")
    assert not RemoteSettings(repo, "o").gpg_verify
    assert RemoteSettings(repo, "o").gpg_verify_summary


def test_what_is_not_there(repo):
    with pytest.raises(RepoError, match='Remote "o" not found'):
        RemoteSettings(repo, "o")
    set_remote(repo, "o", metalink="http://m")
    with pytest.raises(RepoError, match='No "url" option in remote "o"'):
        _ = RemoteSettings(repo, "o").url


def test_an_address_stands_for_itself(repo):
    found = RemoteSettings(repo, "file:///srv/repo")
    assert (found.url, found.gpg_verify, found.text("proxy")) == ("file:///srv/repo", False, None)


def test_a_parent_fills_the_gaps(repo, tmp_path):
    with make_repo(tmp_path / "child") as child:
        set_remote(repo, "o", url="http://parent", proxy="p")
        set_remote(child, "o", url="http://child")
        configure(child, parent=repo.path)
        with reopen(child) as again:
            found = RemoteSettings(again, "o")
            assert (found.url, found.text("proxy")) == ("http://child", "p")


def test_a_copy_elsewhere_keeps_the_keys(repo):
    set_remote(
        repo, "o", url="http://x", metalink="http://m", proxy="p", sign_verify="ed25519",
        sign_verify_summary="ed25519", gpg_verify="false", gpg_verify_summary="true",
        verification_ed25519_key="k", unconfigured_state="later",
    )  # fmt: skip
    found = RemoteSettings(repo, "o").elsewhere("copy", "file:///media/x")
    assert (found.name, found.keyring, found.url) == ("copy", "o", "file:///media/x")
    assert not found.is_address
    assert (found.gpg_verify, found.gpg_verify_summary) == (False, False)
    assert found.text("sign-verify") == "ed25519"
    assert found.text("verification-ed25519-key") == "k"
    for key in ("proxy", "metalink", "unconfigured-state", "sign-verify-summary"):
        assert found.text(key) is None


def test_a_copy_of_a_remote_without_settings_is_signed_with_openpgp(repo):
    set_remote(repo, "o", url="http://x")
    assert RemoteSettings(repo, "o").elsewhere("copy", "file:///x").gpg_verify


@pytest.mark.parametrize(
    ("values", "alone"),
    [
        ({}, False),
        ({"gpg_verify": "false"}, False),
        ({"sign_verify": "ed25519"}, False),
        ({"sign_verify": "ed25519", "gpg_verify": "false"}, True),
        ({"sign_verify": "false", "gpg_verify": "false"}, False),
    ],
)
def test_keys_alone(repo, values, alone):
    set_remote(repo, "o", url="http://x", **values)
    assert RemoteSettings(repo, "o").signed_by_keys_alone == alone


def test_a_remote_that_no_file_describes():
    found = RemoteSettings.described("there", {"url": "https://x/", "gpg-verify": "false"})
    assert (found.name, found.url, found.gpg_verify) == ("there", "https://x/", False)
    assert found.text("proxy") is None
    assert not found.is_address
