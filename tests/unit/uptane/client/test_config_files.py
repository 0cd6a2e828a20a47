# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.client import config_files
from ostrya.uptane.client.config import Booted, KeySource, KeyType, PackageManager
from ostrya.uptane.client.config_files import load_config
from ostrya.uptane.errors import ConfigError


def write(folder, name, text):
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text)
    return str(path)


def test_an_aktualizr_configuration(tmp_path):
    path = write(
        tmp_path, "sota.toml",
        """\
[tls]
server = "https://gate.example.org:8443"
pkey_source = "pkcs11"

[p11]
module = "/usr/lib/softhsm/libsofthsm2.so"
pass = "1234"

[provision]
expiry_days = 30
mode = "SharedCred"

[uptane]
polling_sec = "300"
key_type = "ED25519"
force_install_completion = "true"

[pacman]
type = "none"
booted = "staged"
compose_apps = "a b"

[storage]
tls_pkey_path = "pkey.pem"
""",
    )  # fmt: skip
    loaded = load_config([path])
    config = loaded.config
    assert config.tls.pkey_source is KeySource.PKCS11
    assert config.p11.pass_ == "1234"
    assert config.provision.expiry_days == "30"
    assert config.uptane.polling_sec == 300
    assert config.uptane.key_type is KeyType.ED25519
    assert config.uptane.force_install_completion is True
    assert (config.pacman.type, config.pacman.booted) == (PackageManager.NONE, Booted.STAGED)
    assert config.pacman.extra == {"compose_apps": "a b"}
    assert loaded.warnings == ()
    assert loaded.files == (path,)


def test_later_files_win_key_by_key_and_hide_their_namesakes(tmp_path, monkeypatch):
    system, device = tmp_path / "lib", tmp_path / "etc"
    write(system, "10-a.toml", '[tls]\nserver = "https://a"\n[logger]\nloglevel = 0\n')
    write(system, "20-b.toml", '[tls]\nserver = "https://hidden"\n[uptane]\npolling_sec = 1\n')
    write(device, "20-b.toml", '[tls]\nserver = "https://b"\n')
    write(device, "note.txt", "no TOML")
    monkeypatch.setattr(config_files, "FOLDERS", (str(system), str(device)))
    loaded = load_config()
    assert loaded.config.tls.server == "https://b"
    assert loaded.config.logger.loglevel == 0
    assert loaded.config.uptane.polling_sec == 10
    assert [path.rpartition("/")[2] for path in loaded.files] == ["10-a.toml", "20-b.toml"]
    named = load_config(
        [str(device), write(tmp_path, "z.toml", '[tls]\nserver = "https://z"\n')],
        {("uptane", "polling_sec"): "7"},
    )
    assert named.config.tls.server == "https://z"
    assert named.config.uptane.polling_sec == 7


def test_nothing_there_is_the_defaults(tmp_path, monkeypatch):
    monkeypatch.setattr(config_files, "FOLDERS", (str(tmp_path / "none"),))
    assert load_config().config == config_files.ClientConfig()


def test_what_nobody_knows_is_told(tmp_path):
    path = write(tmp_path, "a.toml", '[isotp]\nx = 1\n[tls]\nserver = "https://a"\nsever = "b"\n')
    loaded = load_config([path])
    assert loaded.config.tls.server == "https://a"
    assert loaded.warnings == (
        f"{path}:1: [isotp] is not known",
        f"{path}:5: sever of [tls] is not known",
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[tls]\nserver = [1]\n", "a.toml:2: server of [tls] is a list"),
        ("[tls]\n\nserver = 2026-01-01\n", "a.toml:3: server of [tls] is a time"),
        ("tls = 3\n", "a.toml:1: tls is no section"),
        ("[uptane]\npolling_sec = -1\n", "a.toml:2: polling_sec of [uptane] is '-1'"),
        ("[uptane]\npolling_sec = true\n", "where a number"),
        ("[uptane]\npolling_sec = 99999999999\n", "where a number"),
        ('[uptane]\nkey_type = "DSA"\n', "none of RSA2048, RSA3072, RSA4096, ED25519"),
        ('[telemetry]\nreport_network = "maybe"\n', "where true or false is wanted"),
        ('[tls]\nserver = "ftp://x"\n', "a.toml:2: server of [tls] is 'ftp://x', and no address"),
        ('[uptane]\nrepo_server = "host:8443"\n', "and no address, as https://"),
        ("[tls\n", "a.toml is no TOML"),
        ('[tls]\nserver = "\ufeff\n', "a.toml is no TOML"),
    ],
)  # fmt: skip
def test_wrong_values(tmp_path, text, words):
    path = write(tmp_path, "a.toml", text)
    with pytest.raises(ConfigError) as caught:
        load_config([path])
    assert words in str(caught.value)


def test_wrong_files(tmp_path):
    with pytest.raises(ConfigError, match="there is no configuration at"):
        load_config([str(tmp_path / "none.toml")])
    with pytest.raises(ConfigError, match=r"no file in .* whose name ends in \.toml"):
        load_config([str(tmp_path)])
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not UTF-8"):
        load_config([str(tmp_path / "b.toml")])
    (tmp_path / "c.toml").write_bytes(b"#" * (config_files.MAX_BYTES + 1))
    with pytest.raises(ConfigError, match="larger than"):
        load_config([str(tmp_path / "c.toml")])
    with pytest.raises(ConfigError, match=r"no section \[nothing\]"):
        load_config([], {("nothing", "a"): "1"})
    with pytest.raises(ConfigError, match="the command line: polling_sec"):
        load_config([], {("uptane", "polling_sec"): "soon"})


def test_a_file_of_another_system(tmp_path):
    path = tmp_path / "a.toml"
    path.write_bytes(b'\xef\xbb\xbf[tls]\r\nserver = "https://a"\r\n')
    assert load_config([str(path)]).config.tls.server == "https://a"
