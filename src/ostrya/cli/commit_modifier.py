# SPDX-License-Identifier: Apache-2.0
"""What ``commit`` changes about the trees it takes in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.line_files import read_lines, read_stat_overrides
from ostrya.errors import OstryaError
from ostrya.repo.modes import RepoMode
from ostrya.tree.modifier import CommitModifier

if TYPE_CHECKING:
    from ostrya.cli.parser import Arguments
    from ostrya.formats.checksum import Checksum
    from ostrya.repo.repository import Repository


def make_modifier(arguments: Arguments, repo: Repository) -> CommitModifier:
    """Return the modifier that the options ask for.

    Raises:
        OstryaError: Two options contradict each other.
        FormatError: A list of paths cannot be parsed.
        OSError: A list of paths cannot be read.
    """
    uid, gid = _owner(arguments, "owner-uid"), _owner(arguments, "owner-gid")
    _check(arguments, uid, gid)
    reduced = repo.mode == RepoMode.BARE_USER_ONLY
    modifier = CommitModifier(
        owner_uid=uid,
        owner_gid=gid,
        canonical_permissions=arguments.flag("canonical-permissions") or reduced,
        skip_xattrs=arguments.flag("no-xattrs") or reduced,
        read_only_executables=arguments.flag("mode-ro-executables"),
        consume=arguments.flag("consume"),
        devino_canonical=arguments.flag("devino-canonical"),
        generate_sizes=arguments.flag("generate-sizes"),
        label_usr_etc_as_etc=_labeling_epoch(arguments) == 1,
    )
    overrides = arguments.text("statoverride")
    if overrides is not None:
        modifier.mode_adds, modifier.mode_overrides = read_stat_overrides(overrides)
    skip_list = arguments.text("skip-list")
    if skip_list is not None:
        modifier.skip_paths = set(read_lines(skip_list))
    if arguments.flag("link-checkout-speedup") or modifier.devino_canonical:
        from ostrya.tree.devino import scan_hardlinks

        modifier.devino = scan_hardlinks(repo)
    policy = arguments.text("selinux-policy")
    if policy is not None:
        set_policy(modifier, policy)
    return modifier


def set_policy(modifier: CommitModifier, root_path: str) -> None:
    """Let a modifier label files after the SELinux policy of a root file system."""
    from ostrya.tree.selinux import load_policy

    modifier.label_for = load_policy(root_path).label_for


def set_policy_of_commit(modifier: CommitModifier, repo: Repository, commit: Checksum) -> None:
    """Let a modifier label files after the SELinux policy of a commit."""
    from ostrya.tree.selinux import load_policy_of_commit

    modifier.label_for = load_policy_of_commit(repo, commit).label_for


def _owner(arguments: Arguments, name: str) -> int | None:
    value = arguments.number(name)
    return None if value is None or value < 0 else value


def _labeling_epoch(arguments: Arguments) -> int:
    epoch = arguments.number("selinux-labeling-epoch") or 0
    if epoch not in {0, 1}:
        raise OstryaError(f"Unknown SELinux labeling epoch: {epoch}")
    return epoch


def _check(arguments: Arguments, uid: int | None, gid: int | None) -> None:
    if arguments.flag("canonical-permissions"):
        for name, value in (("uid", uid), ("gid", gid)):
            if value:
                raise OstryaError(
                    f"Cannot specify both --canonical-permissions and non-zero --owner-{name}"
                )
    if arguments.text("selinux-policy") and arguments.flag("selinux-policy-from-base"):
        raise OstryaError("Cannot specify both --selinux-policy and --selinux-policy-from-base")
