# SPDX-License-Identifier: Apache-2.0
"""Who has to vouch for commits and summaries of a remote, and whether they do.

A remote may ask for OpenPGP signatures, for signatures by plain keys, or for both: then both
must be good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.errors import SignatureError
from ostrya.formats.gvariant.vardict import VarDict
from ostrya.pull.errors import NotTrusted
from ostrya.pull.result import Vouched

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ostrya.formats.checksum import Checksum
    from ostrya.repo.remote_settings import RemoteSettings
    from ostrya.sign.engine import Verifier
    from ostrya.sign.gpg_status import GpgSignature

    GpgCheck = Callable[[bytes, Sequence[bytes]], Sequence[GpgSignature]]

GPG_KEY = "ostree.gpgsigs"


class Judge:
    """Verifies what a remote serves as its settings ask for.

    Attributes:
        wants_summary: Whether the summary has to be signed.
        vouched: Who vouches for each commit that was found to be signed as it has to be.
    """

    __slots__ = (
        "_commit", "_gpg", "_gpg_commit", "_gpg_summary", "_remote", "_summary", "vouched",
    )  # fmt: skip

    def __init__(
        self,
        settings: RemoteSettings,
        *,
        gpg: GpgCheck | None,
        gpg_verify: bool | None = None,
        sign_verify: bool = True,
        allow_dummy: bool = False,
    ) -> None:
        """Read the settings.

        Args:
            settings: The remote's.
            gpg: Verifies OpenPGP signatures with the remote's keyring; None where that cannot be.
            gpg_verify: Overrides the remote's ``gpg-verify``.
            sign_verify: False to look at no signatures by plain keys.
            allow_dummy: Whether this is a test.

        Raises:
            SignatureError: The settings ask for keys that are not there.
        """
        self._remote = settings.name
        self._gpg = gpg
        self._gpg_commit = settings.gpg_verify if gpg_verify is None else gpg_verify
        self._gpg_summary = settings.gpg_verify_summary

        def load(key: str) -> list[Verifier]:
            if not sign_verify or settings.is_address or settings.text(key) is None:
                return []
            # Loaded where it is asked for: keys and their formats take a while.
            from ostrya.sign.remote import remote_verifiers

            return remote_verifiers(key, settings.text, allow_dummy=allow_dummy)

        self._commit = load("sign-verify")
        self._summary = load("sign-verify-summary")
        self.vouched: dict[Checksum, Vouched] = {}

    @property
    def wants_summary(self) -> bool:
        """Whether the summary has to be signed."""
        return self._gpg_summary or bool(self._summary)

    def check(self, checksum: Checksum, data: bytes, detached: VarDict | None) -> None:
        """Verify the signatures of a commit.

        Raises:
            NotTrusted: It has none where one is asked for.
            SignatureError: None is good.
        """
        found = detached or VarDict()
        vouched = Vouched()
        if self._gpg_commit:
            vouched = Vouched(self._check_gpg(f"Commit {checksum}: ", data, found))
        if self._commit:
            try:
                from ostrya.sign.engine import verify_with_any

                sentence = verify_with_any(self._commit, data, lambda key: found.lookup(key, "aay"))
            except SignatureError as exc:
                exc.put_first(f"Can't verify commit {checksum}")
                raise
            vouched = vouched._replace(sentence=sentence)
        if vouched != Vouched():
            self.vouched[checksum] = vouched

    def check_summary(self, data: bytes, signatures: VarDict | None) -> None:
        """Verify the signatures of a summary.

        Raises:
            NotTrusted: It has none where one is asked for.
            SignatureError: None is good.
        """
        if self._gpg_summary:
            if signatures is None:
                raise NotTrusted(
                    "GPG verification enabled, but no summary.sig found (use "
                    "gpg-verify-summary=false in remote config to disable)"
                )
            self._check_gpg("", data, signatures)
        if self._summary:
            if signatures is None:
                raise NotTrusted(
                    "Signatures verification enabled, but no summary.sig found (use "
                    "sign-verify-summary=false in remote config to disable)"
                )
            from ostrya.sign.engine import verify_with_any

            verify_with_any(self._summary, data, lambda key: signatures.lookup(key, "aay"))

    def _check_gpg(self, context: str, data: bytes, metadata: VarDict) -> tuple[GpgSignature, ...]:
        signatures = metadata.lookup(GPG_KEY, "aay")
        if not signatures:
            raise NotTrusted(
                f"{context}GPG verification enabled, but no signatures found (use "
                "gpg-verify=false in remote config to disable)"
            )
        if self._gpg is None:
            raise NotTrusted(
                f"{context}the remote {self._remote} asks for OpenPGP signatures, which cannot be "
                "verified here",
                hint="install gpg, or set gpg-verify=false for a remote that needs no signature",
            )
        try:
            return tuple(self._gpg(data, signatures))
        except SignatureError as exc:
            if context:
                exc.put_first(context.removesuffix(": "))
            raise
