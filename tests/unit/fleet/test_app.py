# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import os
import ssl
import stat

import pytest

from ostrya.fleet.app import Certificate, make_listeners
from ostrya.fleet.certificates import SERVER_DAYS
from ostrya.fleet.domain.setup import issue_server, write_identity
from ostrya.fleet.errors import SetupError


def test_doors_are_opened(services):
    found = make_listeners(services)
    try:
        assert [one.name for one in found] == ["devices", "tools", "owner"]
        assert [one.tls is not None for one in found] == [True, True, False]
        path = services.settings.path("admin.sock")
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        with pytest.raises(SetupError, match="answers at"):
            make_listeners(services)
    finally:
        for one in found:
            one.socket.close()


def test_a_certificate_is_made_anew_and_shown_while_the_server_runs(services, clock):
    found = make_listeners(services)
    try:
        shown = Certificate(services, found)
        assert not shown.look()
        before = shown_to(found[1])
        clock.forward(days=SERVER_DAYS - 20)
        assert shown.look()
        assert not shown.look()
        assert shown_to(found[1]) != before
        # By another process, or by hand.
        settings, fleet = services.settings, services.fleet
        write_identity(
            settings.path("ca"), "server", issue_server(fleet.authority, settings, fleet.now())
        )
        assert shown.look()
    finally:
        for one in found:
            one.socket.close()


def test_a_certificate_that_cannot_be_read_is_shown_no_worse(services, caplog, monkeypatch):
    monkeypatch.setattr("ostrya.fleet.app.renew_server_if_due", lambda *_: False)
    found = make_listeners(services)
    try:
        shown = Certificate(services, found)
        before = shown_to(found[1])
        with open(services.settings.path("ca", "server.key"), "w") as stream:
            stream.write("x")
        os.utime(services.settings.path("ca", "server.pem"), (1, 1))
        assert not shown.look()
        assert "was not renewed" in caplog.text
        assert shown_to(found[1]) == before
    finally:
        for one in found:
            one.socket.close()


def shown_to(listener):
    """The certificate that who connects is shown, in memory."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    # Before TLS 1.3, the server shows it first of all.
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    pipes = [ssl.MemoryBIO() for _ in range(2)]
    there = listener.tls.wrap_bio(pipes[0], pipes[1], server_side=True)
    here = client.wrap_bio(pipes[1], pipes[0])
    for side in (here, there, here, there, here):
        with contextlib.suppress(ssl.SSLError):
            side.do_handshake()
    return here.getpeercert(binary_form=True)
