# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.fetch.http_options import HttpOptions
from ostrya.pull.errors import RemoteRefusal
from ostrya.pull.network import NetworkOptions, http_options
from ostrya.repo.config_writer import write_config
from ostrya.repo.remote_settings import RemoteSettings
from support.small_repos import make_repo


@pytest.fixture
def repo(tmp_path):
    with make_repo(tmp_path / "repo") as repo:
        yield repo


def settings(repo, **values):
    keyfile = repo.config.keyfile
    for key, value in {"url": "http://x", **values}.items():
        keyfile.set_value('remote "o"', key.replace("_", "-"), value)
    write_config(repo, keyfile)
    repo.reload_config()
    return RemoteSettings(repo, "o")


def test_defaults_are_the_fetchers(repo):
    found = http_options(repo, settings(repo), NetworkOptions())
    assert found == HttpOptions(cookie_file=f"{repo.path}/o.cookies.txt")


def test_settings_of_the_remote_and_of_the_pull(repo):
    remote = settings(
        repo, proxy="http://p", http2="false", tls_permissive="true", tls_ca_path="/ca",
        tls_client_cert_path="/c", tls_client_key_path="/k",
    )  # fmt: skip
    network = NetworkOptions((("a", "b"),), "base/1", "more/2", 7, 0, 9, 3)
    found = http_options(repo, remote, network)
    assert (found.proxy, found.http2, found.tls_permissive) == ("http://p", False, True)
    assert (found.tls_ca_path, found.tls_client_cert_path, found.tls_client_key_path) == (
        "/ca", "/c", "/k",
    )  # fmt: skip
    assert (found.headers, found.user_agent) == ((("a", "b"),), "base/1 more/2")
    assert (found.retry.retries, found.low_speed_limit_bytes) == (7, 0)
    assert (found.low_speed_time_s, found.max_in_flight) == (9, 3)


@pytest.mark.parametrize("key", ["tls_client_cert_path", "tls_client_key_path"])
def test_a_certificate_needs_its_key(repo, key):
    with pytest.raises(RemoteRefusal, match="must specify both"):
        http_options(repo, settings(repo, **{key: "/x"}), NetworkOptions())
