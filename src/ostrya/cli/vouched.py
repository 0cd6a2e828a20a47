# SPDX-License-Identifier: Apache-2.0
"""Who vouches for the commits of a pull, as people and programs are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.signing import signatures_as_json, use_local_dates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostrya.formats.checksum import Checksum
    from ostrya.pull.result import Vouched


def describe_vouched(vouched: Mapping[Checksum, Vouched], *, drop_in: bool) -> str:
    """Return paragraphs about commits; libostree has none about signatures by plain keys.

    Args:
        vouched: Who vouches for each commit.
        drop_in: Whether these are to be libostree's words.
    """
    paragraphs = []
    for checksum, found in vouched.items():
        if found.gpg:
            from ostrya.sign.gpg_text import describe_signatures

            use_local_dates()
            head = "GPG: Verification enabled, found" if drop_in else f"Commit {checksum}: found"
            paragraphs.append("\n" + describe_signatures(found.gpg, found=head))
        if found.sentence is not None and not drop_in:
            paragraphs.append(f"\nCommit {checksum}: {found.sentence}\n")
    return "".join(paragraphs) + ("\n" if paragraphs and not drop_in else "")


def vouched_as_json(vouched: Mapping[Checksum, Vouched]) -> list[dict[str, object]]:
    """Return who vouches for commits as the values that ``--json`` prints."""
    return [
        {
            "commit": checksum,
            "gpg": signatures_as_json(list(found.gpg)),
            "sentence": found.sentence,
        }
        for checksum, found in vouched.items()
    ]
