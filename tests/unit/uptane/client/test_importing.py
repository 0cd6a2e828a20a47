# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from ostrya.uptane.client import importing, tls_files
from ostrya.uptane.client.config import ClientConfig, ImportSection, TlsSection
from ostrya.uptane.client.importing import has_root, import_files, import_installed
from ostrya.uptane.client.installs import State, install_log
from ostrya.uptane.client.primary_key import KEY_FACT, load_primary_key
from ostrya.uptane.errors import IdentityError
from ostrya.uptane.steps import Repository
from support.fleet_ca import FleetCa
from support.uptane_world import key, make_repo


@pytest.fixture
def given(tmp_path):
    """What a device is given."""
    folder = tmp_path / "import"
    ca = FleetCa()
    ca.issue("device-1").write(folder, "client")
    (folder / "ca.pem").write_bytes(ca.pem)
    (folder / "ecu.key").write_text(key(1).to_json()["keyval"]["private"])
    for name, number in (("director", 10), ("repo", 20)):
        (folder / name).mkdir()
        (folder / name / "root.json").write_bytes(make_repo(name, number).files["1.root.json"])
    return folder


@pytest.fixture
def config(given):
    return ClientConfig(
        import_=ImportSection(
            str(given), "ca.pem", "client.key", "client.pem", "ecu.key", "ecu.pub",
        )
    )  # fmt: skip


def test_all_of_it(storage, config, given):
    import_files(config, storage)
    facts = tls_files.tls_facts(storage)
    assert facts[tls_files.CERT] == (given / "client.pem").read_bytes()
    assert facts[tls_files.CA] == (given / "ca.pem").read_bytes()
    assert load_primary_key(config, storage).key == key(1).key
    assert has_root(storage, Repository.DIRECTOR)
    assert has_root(storage, Repository.IMAGE)


def test_another_certificate_replaces_it_and_another_key_or_root_does_not(storage, config, given):
    import_files(config, storage)
    roots = storage.rows("SELECT data FROM metadata")
    before = storage.fact(KEY_FACT)
    FleetCa().issue("device-2").write(given, "client")
    (given / "ecu.key").write_text(key(2).to_json()["keyval"]["private"])
    (given / "repo/root.json").write_bytes(make_repo("repo", 30).files["1.root.json"])
    import_files(config, storage)
    assert storage.fact(tls_files.CERT) == (given / "client.pem").read_bytes()
    assert storage.fact(KEY_FACT) == before
    assert storage.rows("SELECT data FROM metadata") == roots


def test_nothing_given_is_nothing_done(storage, tmp_path):
    import_files(ClientConfig(import_=ImportSection(str(tmp_path / "none"))), storage)
    assert storage.rows("SELECT count(*) FROM facts") == [(0,)]


def test_files_may_be_gone_later(storage, config, given):
    import_files(config, storage)
    for path in ("client.pem", "client.key", "ca.pem", "ecu.key"):
        (given / path).unlink()
    import_files(config, storage)
    assert len(tls_files.tls_facts(storage)) == 3


def test_on_a_token_no_files_are_looked_at(storage, config):
    import_files(
        config._replace(tls=TlsSection(pkey_source="pkcs11", cert_source="pkcs11")), storage
    )
    assert set(tls_files.tls_facts(storage)) == {tls_files.CA}


@pytest.mark.parametrize(
    ("path", "data", "words"),
    [
        ("client.key", FleetCa().issue("x").key_pem, "do not belong together"),
        ("client.pem", b"none", "no certificate"),
        ("ca.pem", b"none", "no certificate"),
        ("ecu.key", b"none", "no secret key"),
        ("repo/root.json", b"{}", "no root of the Image repository"),
        ("repo/root.json", b"x" * (importing.MAX_FILE_BYTES + 1), "larger than"),
    ],
    ids=["another-key", "certificate", "authority", "ecu", "root", "large"],
)
def test_wrong_files(storage, config, given, path, data, words):
    (given / path).write_bytes(data)
    with pytest.raises(IdentityError, match=words):
        import_files(config, storage)
    if path.startswith("c"):
        assert tls_files.tls_facts(storage) == {}


def test_a_root_that_its_own_keys_did_not_sign(storage, config, given):
    repo = make_repo("repo", 20)
    repo.keys["root"] = [key(99)]
    honest = repo.write_root()
    forged = honest.replace(b'"version":2', b'"version":3')
    assert forged != honest
    (given / "repo/root.json").write_bytes(forged)
    with pytest.raises(IdentityError):
        import_files(config, storage)
    assert not has_root(storage, Repository.IMAGE)


def test_folders_are_no_files(storage, config, given):
    (given / "client.key").unlink()
    (given / "client.key").mkdir()
    with pytest.raises(IdentityError, match="cannot be read"):
        import_files(config, storage)


def installed(tmp_path, text: str) -> ClientConfig:
    (tmp_path / "installed_versions").write_text(text)
    return ClientConfig(import_=ImportSection(str(tmp_path)))


A, B = "a" * 64, "b" * 64


@pytest.mark.parametrize(
    "text",
    [
        f'{{"{A}": {{"name": "os-7", "length": 3, "is_current": true}}, "{B}": {{"name": "os-6"}}}}',
        f'{{"{B}": "os-7", "{A}": "os-6"}}',
    ],
    ids=["aktualizr", "older"],
)
def test_what_runs(storage, tmp_path, text):
    config = installed(tmp_path, text)
    import_installed(config, storage, "ecu-1")
    log = install_log(storage, "ecu-1")
    assert [(one.target.name, one.state) for one in log] == [
        ("os-6", State.EARLIER), ("os-7", State.CURRENT),
    ]  # fmt: skip
    (tmp_path / "installed_versions").write_text(f'{{"{A}": "os-9"}}')
    import_installed(config, storage, "ecu-1")
    assert install_log(storage, "ecu-1") == log


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"x": "os"}', f'{{"{A}": 1}}', "{"])
def test_what_runs_has_to_be_said_by_digests(storage, tmp_path, text):
    with pytest.raises(IdentityError, match="installed_versions"):
        import_installed(installed(tmp_path, text), storage, "ecu-1")
    assert install_log(storage, "ecu-1") == ()


def test_nothing_runs_that_was_installed(storage, tmp_path):
    import_installed(installed(tmp_path, "{}"), storage, "ecu-1")
    assert install_log(storage, "ecu-1") == ()
