# SPDX-License-Identifier: Apache-2.0
"""Who vouches for a deployment's commit, as the remote that it came from asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import OstryaError, SignatureError, SysrootError
from ostrya.formats.commitmeta import KEY_GPG_SIGNATURES
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.formats.refs import parse_refspec
from ostrya.repo.detached import read_detached
from ostrya.repo.reader import has_object, load_commit_bytes
from ostrya.repo.remote_settings import RemoteSettings
from ostrya.sign.engine import verify_with_any
from ostrya.sign.errors import NoSignature
from ostrya.sign.gpg import require_good
from ostrya.sign.gpg_text import describe_signature
from ostrya.sign.remote import remote_verifiers

if TYPE_CHECKING:
    from ostrya.sign.gpg_status import GpgSignature
    from ostrya.sysroot.deployment import Deployment
    from ostrya.sysroot.sysroot import Sysroot


def verify_deployment(sysroot: Sysroot, deployment: Deployment) -> str:
    """Verify the signatures of a deployment's commit; return who vouches for it.

    Raises:
        SysrootError: It came from no remote, or its commit is gone.
        SignatureError: Nobody trusted does.
    """
    if not has_object(sysroot.repo, ObjectName(deployment.checksum, ObjectType.COMMIT)):
        raise SysrootError("Cannot verify, failed to load commit")
    refspec = None if deployment.origin is None else deployment.origin.refspec
    if refspec is None:
        raise SysrootError("No origin/refspec, cannot verify")
    remote = parse_refspec(refspec)[0]
    if remote is None:
        raise SysrootError("Cannot verify deployment without remote")
    settings = RemoteSettings(sysroot.repo, remote)
    data = load_commit_bytes(sysroot.repo, deployment.checksum)
    found = read_detached(sysroot.repo, deployment.checksum)
    if found is None:
        raise NoSignature("Can't verify commit without detached metadata")
    verifiers = remote_verifiers(
        "sign-verify", settings.text, allow_dummy=sysroot.repo.runtime.dummy_signatures
    )
    if not (settings.gpg_verify or verifiers):
        raise NoSignature(
            f"Cannot verify commit for remote {remote}; GPG verification disabled, and no "
            "signapi verifiers configured"
        )
    said = []
    if settings.gpg_verify:
        signatures = _check(sysroot, deployment, settings.keyring)
        require_good(signatures)
        said.append("".join(describe_signature(one, "GPG: ") for one in signatures))
    if verifiers:
        try:
            said.append(verify_with_any(verifiers, data, lambda key: found.lookup(key, "aay")))
        except SignatureError as exc:
            exc.put_first("Can't verify commit")
            raise
    return "\n".join(said)


def deployment_signatures(
    sysroot: Sysroot, deployment: Deployment, index: int
) -> list[GpgSignature]:
    """Return the OpenPGP signatures of a deployment's commit, if its remote asks for them.

    Raises:
        OstryaError: They cannot be looked at.
    """
    refspec = None if deployment.origin is None else deployment.origin.refspec
    remote = None if refspec is None else parse_refspec(refspec)[0]
    if remote is None:
        return []
    try:
        settings = RemoteSettings(sysroot.repo, remote)
    except OstryaError:
        # The remote may have been deleted since.
        return []
    if not settings.gpg_verify:
        return []
    if not has_object(sysroot.repo, ObjectName(deployment.checksum, ObjectType.COMMIT)):
        return []
    try:
        return _check(sysroot, deployment, settings.keyring)
    except OstryaError as exc:
        exc.put_first(f"Deployment {index}")
        raise


def _check(sysroot: Sysroot, deployment: Deployment, remote: str) -> list[GpgSignature]:
    from ostrya.repo.keyrings import remote_keyrings
    from ostrya.repo.signing import commit_signatures
    from ostrya.sign.gpg import GpgVerifier

    signatures = commit_signatures(sysroot.repo, deployment.checksum, KEY_GPG_SIGNATURES)
    if not signatures:
        return []
    data = load_commit_bytes(sysroot.repo, deployment.checksum)
    return GpgVerifier(remote_keyrings(sysroot.repo, remote)).check(data, signatures)
