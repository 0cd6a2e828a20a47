# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import base64

import pytest

from ostrya.errors import SignatureError
from ostrya.formats.gvariant.vardict import VarDict, Variant
from ostrya.pull.errors import NotTrusted
from ostrya.pull.judge import Judge
from ostrya.pull.result import Vouched
from ostrya.repo.config_writer import write_config
from ostrya.repo.remote_settings import RemoteSettings
from ostrya.sign.engine import make_signer
from ostrya.sign.gpg_status import GpgSignature, Verdict
from support.small_repos import make_repo

SUM = "ab" * 32
OTHER = "cd" * 32
GOOD = GpgSignature(Verdict.GOOD, "F")
SECRET = base64.b64encode(b"any bytes").decode()


@pytest.fixture
def repo(tmp_path):
    with make_repo(tmp_path / "repo") as repo:
        yield repo


def judge(repo, *, gpg=None, name="o", **settings):
    keyfile = repo.config.keyfile
    for key, value in {"url": "http://x", **settings}.items():
        keyfile.set_value('remote "o"', key.replace("_", "-"), value)
    write_config(repo, keyfile)
    repo.reload_config()
    return Judge(RemoteSettings(repo, name), gpg=gpg, allow_dummy=True)


def signed(data: bytes, *, key="ostree.sign.dummy", signature=None) -> VarDict:
    if signature is None:
        signature = make_signer("dummy", "secret", allow_dummy=True).sign(data)
    return VarDict.of({key: Variant("aay", (signature,))})


def test_nothing_is_asked_for(repo):
    found = judge(repo, gpg_verify="false")
    found.check(SUM, b"commit", None)
    found.check_summary(b"summary", None)
    assert not found.wants_summary
    assert found.vouched == {}


def test_an_address_has_no_settings(repo):
    judge(repo, name="file:///srv/x").check(SUM, b"commit", None)


def test_openpgp_is_asked_for_by_default(repo):
    asked = []
    found = judge(repo, gpg=lambda data, signatures: asked.append((data, signatures)) or [GOOD])
    with pytest.raises(NotTrusted, match="GPG verification enabled, but no signatures found"):
        found.check(SUM, b"commit", None)
    found.check(SUM, b"commit", signed(b"", key="ostree.gpgsigs", signature=b"sig"))
    assert asked == [(b"commit", (b"sig",))]
    assert found.vouched == {SUM: Vouched((GOOD,))}


def test_openpgp_that_cannot_be_verified_is_not_good(repo):
    found = judge(repo, gpg=None)
    with pytest.raises(NotTrusted, match="cannot be verified here"):
        found.check(SUM, b"commit", signed(b"", key="ostree.gpgsigs", signature=b"sig"))


def test_plain_keys(repo):
    settings = {"gpg_verify": "false", "sign_verify": "dummy", "verification_dummy_key": "secret"}
    found = judge(repo, **settings)
    found.check(SUM, b"commit", signed(b"commit"))
    for bad in (None, VarDict(), signed(b"commit", signature=b"wrong")):
        with pytest.raises(SignatureError, match=f"Can't verify commit {OTHER}: "):
            found.check(OTHER, b"commit", bad)
    assert list(found.vouched) == [SUM]
    assert "dummy" in (found.vouched[SUM].sentence or "")
    # The summary was not asked for.
    assert not found.wants_summary


def test_both_have_to_be_good(repo):
    def bad(_data, _signatures):
        raise SignatureError("gpg says no")

    settings = {"sign_verify": "dummy", "verification_dummy_key": "secret"}
    metadata = signed(b"commit").with_item("ostree.gpgsigs", Variant("aay", (b"sig",)))
    judge(repo, gpg=lambda *_: [GOOD], **settings).check(SUM, b"commit", metadata)
    with pytest.raises(SignatureError, match=f"^Commit {SUM}: gpg says no$"):
        judge(repo, gpg=bad, **settings).check(SUM, b"commit", metadata)
    with pytest.raises(SignatureError):
        judge(repo, gpg=lambda *_: [GOOD], **settings).check(
            SUM, b"commit", metadata.without("ostree.sign.dummy")
        )


def test_summaries(repo):
    found = judge(
        repo, gpg_verify="false", sign_verify_summary="dummy", verification_dummy_key="secret"
    )
    assert found.wants_summary
    found.check(SUM, b"commit", None)
    found.check_summary(b"summary", signed(b"summary"))
    with pytest.raises(NotTrusted, match=r"no summary\.sig found"):
        found.check_summary(b"summary", None)
    with pytest.raises(SignatureError, match="No signatures found"):
        found.check_summary(b"summary", VarDict())
    found = judge(repo, gpg_verify_summary="true", sign_verify_summary="false")
    with pytest.raises(NotTrusted, match=r"no summary\.sig found \(use gpg-verify-summary=false"):
        found.check_summary(b"summary", None)


def test_a_pull_may_ask_for_more_or_less(repo):
    judge(repo, gpg_verify="true", sign_verify="dummy", verification_dummy_key="secret")
    settings = RemoteSettings(repo, "o")
    Judge(settings, gpg=None, gpg_verify=False, sign_verify=False).check(SUM, b"commit", None)
    judge(repo, gpg_verify="false")
    settings = RemoteSettings(repo, "o")
    with pytest.raises(NotTrusted):
        Judge(settings, gpg=None, gpg_verify=True, sign_verify=False).check(SUM, b"commit", None)
