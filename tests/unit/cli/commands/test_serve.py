# SPDX-License-Identifier: Apache-2.0
"""What ``serve`` refuses; serving itself is in tests/functional."""

from __future__ import annotations


def test_options_that_need_another(run, sample):
    error = run.fails(sample.option, "serve", "--client-ca=x", status=2)
    assert error == "--tls-key and --client-ca need --tls-cert"


def test_ports(run, sample):
    assert run.fails(sample.option, "serve", "--port=70000", status=2) == "Invalid port 70000"
