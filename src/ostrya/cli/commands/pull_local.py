# SPDX-License-Identifier: Apache-2.0
"""``pull-local``: copy commits from a repository on this machine.

Without REFS all refs of the source are pulled. Objects are hard-linked where both repositories
store them alike and lie on one file system. Commits that are bound to other refs are refused.
Static deltas are used only with --require-static-deltas: to link objects is less work.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ostrya._linux.naming import Below
from ostrya.cli.options import flag, number, text
from ostrya.cli.output import write_line
from ostrya.cli.repo_lookup import make_runtime, named_path
from ostrya.errors import PullError
from ostrya.formats.refs import check_remote_name
from ostrya.pull.options import PullOptions, RefRequest
from ostrya.pull.pull_local import PullLocalOptions, pull_local
from ostrya.repo.free_space import format_size
from ostrya.repo.refs import list_refs
from ostrya.repo.repository import open_repository, require_writable

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.pull.options import PullResult
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
    if arguments.flag("require-static-deltas"):
        pulled = _pull_by_deltas(repo, source_path, refs, options, context)
        loose = pulled.metadata_fetched + pulled.content_fetched
        write_line(
            f"{pulled.delta_parts_fetched} delta parts, {loose} loose fetched; "
            f"{format_size(pulled.content_bytes_written)} content written"
        )
        return 0
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


def _pull_by_deltas(
    repo: Repository,
    source_path: str,
    refs: list[str],
    options: PullLocalOptions,
    context: Context,
) -> PullResult:
    """Treat the other repository as a server, whose deltas are taken."""
    from urllib.parse import quote

    from ostrya.pull.pull import pull

    if not refs:
        with open_repository(source_path, runtime=repo.runtime) as source:
            refs = list(list_refs(source))
    return pull(
        repo,
        f"file://{quote(os.fsencode(os.path.abspath(source_path)))}",
        [RefRequest(ref) for ref in refs],
        PullOptions(
            commits_only=options.commits_only,
            depth=options.depth,
            untrusted=options.untrusted,
            check_user_only_modes=options.check_user_only_modes,
            verify_bindings=options.verify_bindings,
            remote_refs_as=options.remote,
            gpg_verify=options.commit_verifier is not None,
            require_deltas=True,
        ),
        progress=context.progress(),
    )
