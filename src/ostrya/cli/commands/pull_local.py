# SPDX-License-Identifier: Apache-2.0
"""``pull-local``: copy commits from a repository on this machine.

Without REFS all refs of the source are pulled. Objects are hard-linked where both repositories
store them alike and lie on one file system. Commits that are bound to other refs are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya._linux.naming import Below
from ostrya.cli.options import flag, number, text
from ostrya.cli.output import write_line
from ostrya.cli.repo_lookup import make_runtime, named_path
from ostrya.errors import PullError, RepoError
from ostrya.formats.refs import check_remote_name
from ostrya.pull.pull_local import PullLocalOptions, pull_local
from ostrya.repo.free_space import format_size
from ostrya.repo.modes import RepoMode
from ostrya.repo.repository import open_repository, require_writable

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.repo.repository import Repository

PARAMETERS = "SRC_REPO [REFS...]"
OPTIONS = (
    flag("commit-metadata-only", "Copy commits, and nothing that they hold"),
    text("remote", "REMOTE", "Write the refs as those of REMOTE"),
    flag("disable-fsync", "Do not wait for the disk"),
    flag("per-object-fsync", "Wait for the disk object by object, to leave room for others"),
    flag("untrusted", "Hash objects before they are linked"),
    flag("bareuseronly-files", "Refuse files with modes beyond 0775"),
    flag("require-static-deltas", "Fail without static deltas"),
    flag("disable-static-deltas", "Do not use static deltas"),
    flag("disable-verify-bindings", "Take commits that are bound to other refs"),
    number("depth", "DEPTH", "Copy this many parents too; -1 for all (default: 0)"),
    flag("gpg-verify", "Demand OpenPGP signatures of commits; needs --remote"),
    flag("gpg-verify-summary", "Demand an OpenPGP signature of the summary; needs --remote"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Copy, and print how much was new."""
    repo = context.repo
    require_writable(repo)
    if not arguments.positionals:
        raise context.usage_error("DESTINATION must be specified")
    path, *refs = arguments.positionals
    _set_durability(arguments, context)
    if arguments.flag("require-static-deltas"):
        raise _no_deltas(repo)
    remote = arguments.text("remote")
    options = PullLocalOptions(
        remote=None if remote is None else check_remote_name(remote),
        depth=arguments.generations("depth"),
        commits_only=arguments.flag("commit-metadata-only"),
        untrusted=arguments.flag("untrusted"),
        check_user_only_modes=arguments.flag("bareuseronly-files"),
        verify_bindings=not arguments.flag("disable-verify-bindings"),
    )
    options = _with_verifiers(repo, arguments, options)
    runtime = make_runtime(context.environment)
    source_path = named_path(path, "SRC_REPO")
    with Below(source_path):
        source = open_repository(source_path, runtime=runtime)
    with source:
        result = pull_local(repo, source, refs or None, options, progress=context.progress())
    write_line(
        f"{result.metadata_imported} metadata, {result.content_imported} content objects imported; "
        f"{format_size(result.content_bytes_written)} content written"
    )
    return 0


def _with_verifiers(
    repo: Repository, arguments: Arguments, options: PullLocalOptions
) -> PullLocalOptions:
    commits, summary = arguments.flag("gpg-verify"), arguments.flag("gpg-verify-summary")
    if not commits and not summary:
        return options
    if options.remote is None:
        raise PullError("Must specify remote name to enable gpg verification")
    from ostrya.repo.keyrings import remote_keyrings
    from ostrya.sign.gpg import GpgVerifier

    verifier = GpgVerifier(remote_keyrings(repo, options.remote))
    return options._replace(
        commit_verifier=verifier if commits else None,
        summary_verifier=verifier if summary else None,
    )


def _set_durability(arguments: Arguments, context: Context) -> None:
    if arguments.flag("disable-fsync"):
        context.disable_fsync()
    if arguments.flag("per-object-fsync"):
        repo = context.repo
        repo.config = repo.config._replace(per_object_fsync=True)


def _no_deltas(repo: Repository) -> RepoError:
    if repo.mode == RepoMode.ARCHIVE:
        return RepoError("Can't use static deltas in an archive repo")
    return RepoError("Static deltas required, but none are used between local repositories")
