# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from support.gpg_keys import gpg_user


def test_keys_of_a_remote_and_of_the_system(run, make_repo, tmp_path, monkeypatch, schema):
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("OSTREE_GPG_HOME", str(tmp_path / "system"))
    option = f"--repo={make_repo()}"
    run.ok(option, "remote", "add", "R", "http://r")
    list_keys = (option, "remote", "gpg-list-keys")
    assert run.ok(*list_keys, "R").out == run.ok(*list_keys).out == ""
    with gpg_user() as user:
        key = user.make_key("A Person <a@b.org>", "2y", at="20200101T000000")
        (tmp_path / "system").mkdir()
        (tmp_path / "system/keys.gpg").write_bytes(user.export())
    # The system's keys are not the remote's.
    assert run.ok(*list_keys, "R").out == ""
    shown = run.ok(*list_keys).out.replace("\N{FIGURE SPACE}", " ").splitlines()
    assert shown[:4] == [
        f"Key: {key}",
        "  Created: Wed Jan  1 00:00:00 2020",
        "  Expired: Fri Dec 31 00:00:00 2021",
        "  UID: A Person <a@b.org>",
    ]
    found = run.ok(*list_keys, "--json").json()
    schema(found, "remote-gpg-list-keys")
    assert found[0]["keys"][0]["fingerprint"] == key
    assert found[0]["users"][0]["text"] == "A Person <a@b.org>"


def test_no_such_remote(run, make_repo):
    message = run.fails(f"--repo={make_repo()}", "remote", "gpg-list-keys", "S")
    assert message == 'Remote "S" not found'
