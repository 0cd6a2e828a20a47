# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.fleet import auth
from ostrya.fleet.domain.credentials import Wanted
from ostrya.fleet.domain.credentials import make as make_credentials
from ostrya.fleet.domain.services import open_services
from ostrya.fleet.domain.setup import Plan, make_fleet
from ostrya.fleet.settings import Server, Settings
from ostrya.uptane.author import images, publish, roles, workplace
from ostrya.uptane.author.credentials import Credentials
from ostrya.uptane.author.images import About
from ostrya.uptane.author.push_server import push_to_server, take_apart
from ostrya.uptane.errors import AuthoringError
from support.fleet_server import start


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server whose images are signed elsewhere, and what a tool is given for it."""
    from datetime import UTC, datetime

    top = tmp_path_factory.mktemp("push")
    names = Server("demo", ("127.0.0.1",), "127.0.0.1:0", "127.0.0.1:0")
    plan = Plan(Settings(str(top / "fleet"), names), image_folder=str(top / "laptop"))
    make_fleet(plan, datetime.now(UTC))
    with start(top / "fleet") as running:
        with open_services(str(top / "fleet")) as services:
            secret = auth.new_secret()
            found = make_credentials(services, Wanted("ci", secret, auth.digest(secret)))
        url = running.addresses["tools"].encode()
        yield top / "laptop", Credentials({**found.members, "tufrepo.url": url})


def now():
    from datetime import UTC, datetime

    return datetime.now(UTC)


def sign(work):
    assert not publish.publish(work, now()).missing


def test_images_first_then_what_is_signed(server, tmp_path):
    folder, credentials = server
    work = workplace.open_workplace(str(folder))
    (tmp_path / "fw").write_bytes(b"firmware")
    images.add_file(work, "a/fw 1", str(tmp_path / "fw"), About(("board",)), now())
    sign(work)
    pushed = push_to_server(work, credentials)
    assert pushed[0] == "targets/a/fw%201"
    assert "targets.json" in pushed
    assert push_to_server(work, credentials) == ()


def test_somebody_else_published(server, tmp_path):
    folder, credentials = server
    import shutil

    shutil.copytree(folder, tmp_path / "other")
    ours, other = (workplace.open_workplace(str(one)) for one in (folder, tmp_path / "other"))
    images.add_commit(ours, "os-1", "a" * 64, About(("board",)), now())
    images.add_commit(other, "os-2", "b" * 64, About(("board",)), now())
    for work in (ours, other):
        sign(work)
    assert push_to_server(ours, credentials)
    with pytest.raises(AuthoringError, match="has Targets of version"):
        push_to_server(other, credentials)


def test_what_strangers_signed_is_refused(server, tmp_path):
    folder, credentials = server
    settings = workplace.open_workplace(str(folder)).settings
    work = roles.create(str(tmp_path / "w"), settings, roles.NewKeys("ed25519", {}), now())
    sign(work)
    for _ in range(5):
        roles.renew(work, "targets", now())
        sign(work)
    with pytest.raises(AuthoringError, match="answers 409"):
        push_to_server(work, credentials)


def test_credentials_that_lack_something(server, tmp_path):
    folder, credentials = server
    work = workplace.open_workplace(str(folder))
    for name in ("tufrepo.url", "client_auth.p12"):
        found = {key: value for key, value in credentials.members.items() if key != name}
        with pytest.raises(AuthoringError, match="have no"):
            push_to_server(work, Credentials(found))
    with pytest.raises(AuthoringError, match="cannot be read"):
        take_apart(b"nonsense")
    empty = roles.create(str(tmp_path / "w"), work.settings, roles.NewKeys("ed25519", {}), now())
    with pytest.raises(AuthoringError, match="nothing is published"):
        push_to_server(empty, credentials)
