# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import base64

import pytest

from ostrya.fleet import auth
from ostrya.fleet.certificates import Peer, Purpose, Wish, issue
from ostrya.fleet.db import devices as rows
from ostrya.fleet.db import tokens
from ostrya.fleet.domain import devices
from ostrya.fleet.domain.setup import registered
from ostrya.fleet.errors import Forbidden, NotWelcome


def peer_of(services, name, purpose, *, known=True):
    fleet = services.fleet
    wish = Wish(name, purpose, 30)
    identity = issue(fleet.authority, wish, fleet.now())
    if known:
        row = registered(identity, wish, fleet.timestamp())
        fleet.database.write(lambda c: rows.add_certificate(c, row))
    return Peer(name, purpose, identity.serial)


def code(kind, deed, *arguments):
    with pytest.raises(kind) as caught:
        deed(*arguments)
    return caught.value.code


def test_a_device_is_who_its_certificate_says(services):
    identity = devices.provision(services.fleet, "a", 30)
    assert auth.device_of(services.registry, Peer("a", Purpose.DEVICE, identity.serial)) == "a"
    # The number of one certificate and the name of another.
    other = Peer("b", Purpose.DEVICE, identity.serial)
    assert code(Forbidden, auth.device_of, services.registry, other) == "certificate_not_registered"


def test_nobody_else_is_a_device(services):
    registry = services.registry
    assert code(NotWelcome, auth.device_of, registry, None) == "certificate_missing"
    for purpose in (Purpose.PROVISIONING, Purpose.TOOL):
        peer = peer_of(services, "x", purpose)
        assert code(Forbidden, auth.device_of, registry, peer) == "certificate_not_of_device"
    stranger = peer_of(services, "y", Purpose.DEVICE, known=False)
    assert code(Forbidden, auth.device_of, registry, stranger) == "certificate_not_registered"


def test_the_shared_credentials_register_and_nothing_else_does(services):
    registry = services.registry
    auth.require_provisioning(registry, peer_of(services, "p", Purpose.PROVISIONING))
    device = peer_of(services, "d", Purpose.DEVICE)
    assert code(Forbidden, auth.require_provisioning, registry, device) == (
        "certificate_not_for_provisioning"
    )


def test_secrets(services, change):
    secret = auth.new_secret()
    change(tokens.add_token, tokens.Token(auth.digest(secret), "ci", "push", 1))
    basic = base64.b64encode(f"me:{secret}".encode()).decode()
    for words in (f"Bearer {secret}", f"bearer  {secret}", f"Basic {basic}"):
        found = auth.caller_of(services.fleet, services.registry, None, words)
        assert found == auth.Caller("ci", "push")
    auth.require(found, auth.PUSH)
    assert code(Forbidden, auth.require, found, auth.ADMIN) == "not_allowed"
    change(tokens.revoke_tokens, "ci", 2)
    assert (
        code(
            NotWelcome, auth.caller_of, services.fleet, services.registry, None, f"Bearer {secret}"
        )
        == "unknown_token"
    )


def test_a_pass_is_good_for_some_time_and_as_long_as_the_secret(services, change, clock):
    secret = auth.new_secret()
    change(tokens.add_token, tokens.Token(auth.digest(secret), "ci", "push", 1))
    text, may = auth.make_pass(services.fleet, "ci", secret)
    assert may == "push"
    assert secret not in text

    def show(shown):
        return auth.caller_of(services.fleet, services.registry, None, f"Bearer {shown}")

    assert show(text) == auth.Caller("ci", "push")
    head, known, end, seal = text.split("_")
    for other in (
        f"{head}_{known}_{int(end) + 1}_{seal}",
        f"{head}_{'0' * 64}_{end}_{seal}",
        f"{head}_{known}_{end}_{'0' * 64}",
        f"{head}_x",
        f"{head}_",
    ):
        assert code(NotWelcome, show, other) == "unknown_token"
    clock.forward(seconds=auth.PASS_S - 1)
    assert show(text)
    clock.forward(seconds=1)
    assert code(NotWelcome, show, text) == "pass_expired"
    text, _ = auth.make_pass(services.fleet, "ci", secret)
    change(tokens.revoke_tokens, "ci", 2)
    assert code(NotWelcome, show, text) == "unknown_token"


def test_a_pass_only_for_whom_the_secret_was_given(services, change):
    secret = auth.new_secret()
    change(tokens.add_token, tokens.Token(auth.digest(secret), "ci", "push", 1))
    for client, shown in (("other", secret), ("ci", "wrong"), ("", "")):
        with pytest.raises(NotWelcome):
            auth.make_pass(services.fleet, client, shown)


@pytest.mark.parametrize(
    "words",
    ["", "Bearer", "Basic", "Basic !!!", "Basic eA==", "Digest x", "Bearer wrong", "\u00e4"],
)
def test_who_says_nothing_is_not_let_in(services, words):
    with pytest.raises(NotWelcome):
        auth.caller_of(services.fleet, services.registry, None, words)


def test_a_tool_may_push_and_a_device_may_not(services):
    tool = peer_of(services, "t", Purpose.TOOL)
    assert auth.caller_of(services.fleet, services.registry, tool, "") == auth.Caller("t", "push")
    device = peer_of(services, "d", Purpose.DEVICE)
    assert code(Forbidden, auth.caller_of, services.fleet, services.registry, device, "") == (
        "certificate_not_for_tools"
    )


def test_the_owner_may_everything():
    auth.require(auth.OWNER, auth.ADMIN)
    auth.require(auth.OWNER, auth.PUSH)
