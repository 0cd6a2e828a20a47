# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ostrya.uptane.client.ostree_remote import remote_settings
from ostrya.uptane.client.server import Treehub


def test_a_remote_has_what_a_treehub_says():
    found = remote_settings(Treehub("https://t", "/ca", "/cert", "/key", "http://p"))
    assert found["url"] == "https://t"
    assert found["gpg-verify"] == found["gpg-verify-summary"] == "false"
    assert found["tls-ca-path"] == "/ca"
    assert found["tls-client-cert-path"] == "/cert"
    assert found["tls-client-key-path"] == "/key"
    assert found["proxy"] == "http://p"
    assert "tls-client-cert-path" not in remote_settings(Treehub("https://t", "/ca", "", ""))
