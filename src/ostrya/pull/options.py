# SPDX-License-Identifier: Apache-2.0
"""What a pull from another machine can be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum
    from ostrya.formats.refs import CollectionRef


class RefRequest(NamedTuple):
    """A ref to pull.

    Attributes:
        ref: Its name.
        commit: The commit to pull for it, None for the one that the remote says.
        collection_id: The collection that it belongs to, None where nobody cares.
    """

    ref: str
    commit: Checksum | None = None
    collection_id: str | None = None


class PullOptions(NamedTuple):
    """How to pull.

    Attributes:
        mirror: Write refs as the remote has them, all of them if none is named.
        commits_only: Pull commits, and nothing they hold.
        trees_only: Pull commits and directories, but no files.
        subpaths: Pull only what lies on the way to these absolute paths, or below them.
        depth: How many generations of parents to pull too; -1 for all that are there.
        untrusted: Hash objects of a repository on this machine that could be linked unseen.
        trusted_http: Take objects for an archive mirror as they come, without hashing them.
        check_user_only_modes: Refuse files that mode bare-user-only cannot hold.
        verify_bindings: Refuse commits that say they belong under other refs.
        timestamp_check: Refuse commits older than the one that the ref points to here.
        timestamp_check_from: Refuse commits older than this one.
        cache_dir: Keep summaries in ``summaries`` here, instead of in the repository.
        url: Pull from here instead of the remote's address.
        remote_refs_as: Write refs as those of a remote of this name.
        gpg_verify: Overrides the remote's own setting.
        sign_verify: False to look at no signatures of keys.
        collection_id: The collection that all commits must belong to; None for the remote's.
        use_deltas: Take static deltas where they lead from what is here to what is wanted.
        require_deltas: Refuse to do without.
        apply_memory: The most memory that a delta may say it takes, in bytes; None for what there
            is.
        dry_run: Find out what the deltas come to, and pull nothing.
    """

    mirror: bool = False
    commits_only: bool = False
    trees_only: bool = False
    subpaths: tuple[str, ...] = ()
    depth: int = 0
    untrusted: bool = False
    trusted_http: bool = False
    check_user_only_modes: bool = False
    verify_bindings: bool = True
    timestamp_check: bool = False
    timestamp_check_from: str | None = None
    cache_dir: str | None = None
    url: str | None = None
    remote_refs_as: str | None = None
    gpg_verify: bool | None = None
    sign_verify: bool = True
    collection_id: str | None = None
    use_deltas: bool = True
    require_deltas: bool = False
    apply_memory: int | None = None
    dry_run: bool = False


class PullResult(NamedTuple):
    """What was pulled.

    Attributes:
        metadata_fetched: Commits, directories and their metadata that came over the network.
        content_fetched: Files and links that did.
        metadata_imported: Those that were taken from a repository on this machine.
        content_imported: Likewise.
        content_bytes_written: Bytes of files that had to be written.
        bytes_transferred: Bytes that came over the network.
        is_local: Whether the remote itself is on this machine.
        refs: The refs that were set, and the commits they point to.
        delta_parts_fetched: Parts of static deltas that were applied.
        plan: Of a pull that was not made: what its deltas come to, in one sentence.
    """

    metadata_fetched: int
    content_fetched: int
    metadata_imported: int
    content_imported: int
    content_bytes_written: int
    bytes_transferred: int
    is_local: bool
    refs: dict[CollectionRef, Checksum]
    delta_parts_fetched: int = 0
    plan: str | None = None
