# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from ostrya.pull.errors import PushFailed, PushRefused
from ostrya.pull.push import PushOptions, push
from ostrya.pull.push_target import SummaryChoice
from ostrya.pull.push_treehub import treehub_target
from ostrya.repo.detached import write_detached_bytes
from ostrya.repo.fsck import fsck
from ostrya.repo.repository import open_repository
from support.small_repos import commit_files
from support.treehub import Treehub


@pytest.fixture
def main(repo, tmp_path):
    return commit_files(repo, tmp_path, {f"dir/{n}": str(n) for n in range(5)})


@pytest.fixture
def hub(tmp_path):
    with Treehub(tmp_path / "hub") as hub:
        yield hub


def pushed(repo, hub, ref="main", *, credentials=None, **options):
    target = treehub_target(hub.url, credentials, None, retries=0)
    return push(repo, target, [ref], PushOptions(**options), jobs=4)


def ref_of(hub) -> str:
    return (hub.folder / "refs/heads/main").read_text()


def test_pushed(repo, hub, main):
    result = pushed(repo, hub)
    assert (result.sent.content, result.sent.metadata, result.summary) == (5, 4, "none")
    assert ref_of(hub) == main
    with open_repository(str(hub.folder)) as out:
        assert fsck(out).partial == 0
    assert pushed(repo, hub).sent.content == 0
    assert pushed(repo, hub, dry_run=True).refs[0].change == "unchanged"


def test_steps_forward_and_back(repo, hub, main, tmp_path):
    pushed(repo, hub)
    second = commit_files(repo, tmp_path, {"a": "2"}, parent=main, timestamp=2)
    assert pushed(repo, hub).refs[0].change == "fast-forward"
    commit_files(repo, tmp_path, {"a": "3"}, timestamp=3)
    with pytest.raises(PushRefused, match="no ancestor"):
        pushed(repo, hub)
    assert ref_of(hub) == second
    assert pushed(repo, hub, force=True).refs[0].change == "forced"


def test_a_step_that_the_server_does_not_see(repo, hub, main, tmp_path):
    """It looks at the parent alone, which was not pushed."""
    pushed(repo, hub)
    between = commit_files(repo, tmp_path, {"a": "2"}, parent=main, timestamp=2)
    commit_files(repo, tmp_path, {"a": "3"}, parent=between, timestamp=3)
    with pytest.raises(PushFailed, match="answers 409: no fast-forward") as raised:
        pushed(repo, hub)
    assert "--force" in raised.value.hint
    assert ref_of(hub) == main
    pushed(repo, hub, force=True)


def test_signatures_change_under_their_name(repo, hub, main):
    write_detached_bytes(repo, main, b"one")
    pushed(repo, hub)
    write_detached_bytes(repo, main, b"two")
    assert pushed(repo, hub).sent.detached == 1
    assert [path.read_bytes() for path in hub.folder.rglob("*.commitmeta")] == [b"two"]


def test_what_was_there_meanwhile_is_no_mistake(repo, hub, main, monkeypatch):
    pushed(repo, hub)
    monkeypatch.setattr("ostrya.pull.push_treehub.TreehubTarget._has", lambda *_args: False)
    assert pushed(repo, hub, recheck=True).sent.bytes == 0


@pytest.mark.parametrize("auth", ["basic", "oauth2", ""])
def test_who_we_are(repo, main, tmp_path, auth):
    credentials = tmp_path / "treehub.json"
    with Treehub(tmp_path / "hub", auth=auth) as hub:
        credentials.write_text(json.dumps(hub.credentials()))
        pushed(repo, hub, credentials=str(credentials))
        assert ref_of(hub) == main
        if not auth:
            return
        with pytest.raises(PushRefused, match="config answers 401"):
            pushed(repo, hub)
        wrong = {"client_secret": "wrong"} if auth == "oauth2" else {"password": "wrong"}
        credentials.write_text(json.dumps(hub.credentials(**wrong)))
        with pytest.raises((PushRefused, PushFailed), match="401"):
            pushed(repo, hub, credentials=str(credentials))


def test_user_and_password_in_the_address(repo, main, tmp_path):
    with Treehub(tmp_path / "hub", auth="basic") as hub:
        url = hub.url.replace("://", "://me:pass@")
        target = treehub_target(url, None, None, retries=0)
        assert "pass" not in target.shown
        push(repo, target, ["main"])
        assert ref_of(hub) == main


def test_a_token_that_was_withdrawn(repo, main, tmp_path):
    credentials = tmp_path / "treehub.json"
    with Treehub(tmp_path / "hub", auth="oauth2") as hub:
        credentials.write_text(json.dumps(hub.credentials()))

        def withdraw(method: str, path: str) -> None:
            if method == "POST" and path.endswith(".commit"):
                hub.on_request = lambda _method, _path: None
                hub.tokens = {"another"}

        hub.on_request = withdraw
        pushed(repo, hub, credentials=str(credentials))
        assert ref_of(hub) == main
        assert len([line for line in hub.requests if "oauth2" in line]) == 2


def test_there_is_no_summary(repo, hub, main):
    with pytest.raises(PushRefused, match="has no summary"):
        pushed(repo, hub, summary=SummaryChoice(wanted=True))


@pytest.mark.parametrize("config", [None, "[core]\nrepo_version=1\nmode=bare\n", "nonsense"])
def test_no_treehub(repo, hub, main, config):
    (hub.folder / "config").unlink()
    if config is not None:
        (hub.folder / "config").write_text(config)
    with pytest.raises(Exception, match=r"config answers 404|in mode bare|/config: "):
        pushed(repo, hub)
    assert not list((hub.folder / "objects").iterdir())


def test_a_ref_that_holds_no_checksum(repo, hub, main):
    (hub.folder / "refs/heads/main").write_text("nonsense")
    with pytest.raises(PushFailed, match="refs/heads/main holds no checksum"):
        pushed(repo, hub)
