# SPDX-License-Identifier: Apache-2.0
"""What a pull from another machine can be told."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple

if TYPE_CHECKING:
    from ostrya.formats.checksum import Checksum


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


class Plan(StrEnum):
    """What is done with the ways to a commit: told, or compared to go the cheapest."""

    SHOW = "show"
    CHEAPEST = "cheapest"


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
        plan: Find out what each way costs, and pull nothing or take the cheapest that fits; with
            None, take deltas as libostree does.
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
    plan: Plan | None = None
