# SPDX-License-Identifier: Apache-2.0
"""``push``: copy refs and their commits to another place.

TARGET is a directory, ``s3://BUCKET/PREFIX``, ``ssh://[USER@]HOST[:PORT]/PATH``, the ``http://`` or
``https://`` address of a server with the treehub interface, or the credentials.zip or treehub.json
of such a server. A REF that would lose commits there
is refused, as is one that somebody else moves meanwhile. An archive is made where there is nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import flag, number, text, texts
from ostrya.cli.output import write_json, write_line, write_message
from ostrya.cli.repo_lookup import make_runtime
from ostrya.cli.signing import make_signers, sign_options
from ostrya.pull.push_target import SummaryChoice
from ostrya.repo.free_space import format_size

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.pull.push import PushedRef, PushOptions, PushResult
    from ostrya.pull.push_address import TargetOptions

PARAMETERS = "TARGET REF..."
OPTIONS = (
    flag("all", "Push all local refs"),
    number("depth", "DEPTH", "Push this many parents too; -1 for all (default: 0)"),
    flag("force", "Move refs although they lose commits", short="f"),
    flag("deltas", "Of a treehub: send the static deltas too that lead to what is pushed"),
    flag("dry-run", "Look what is missing there, and send nothing", short="n"),
    flag("recheck", "Ask for every object, even of commits that are there"),
    flag("disable-verify-bindings", "Push commits that are bound to other refs"),
    number("jobs", "N", "How many requests at a time (default: 16)"),
    number("network-retries", "N", "How often a request is tried again (default: 5)"),
    flag("summary", "Write the summary there, even if there is none yet"),
    flag("copy-summary", "Take our summary there as it is, with its signature"),
    *sign_options("the summary there"),
    text("endpoint-url", "URL", "Of a bucket: the server, for others than Amazon's"),
    text("region", "REGION", "Of a bucket: its region"),
    text("credentials", "FILE", "Of HTTP: treehub.json, or a zip archive that holds one"),
    text("tls-ca", "FILE", "Of HTTPS: the authorities to trust, instead of the system's"),
    texts("ssh-option", "OPTION", "Of ssh: give ssh this option, Port=2222 for instance"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Push, and print what became of each ref."""
    from ostrya.pull.parallel import DEFAULT_JOBS
    from ostrya.pull.push import push
    from ostrya.pull.push_address import open_target

    if not arguments.positionals:
        raise context.usage_error("TARGET must be specified")
    address, *refs = arguments.positionals
    if arguments.flag("all"):
        if refs:
            raise context.usage_error("Name refs, or say --all, but not both")
        from ostrya.repo.refs import list_refs

        refs = sorted(list_refs(context.repo, include_remotes=False))
    elif not refs:
        raise context.usage_error("At least one REF must be specified, or --all")
    jobs = arguments.number("jobs")
    if jobs is not None and jobs < 1:
        raise context.usage_error(f"Invalid number of jobs {jobs}")
    options = _options(arguments, context)
    target = open_target(
        address, _target_options(arguments), runtime=make_runtime(context.environment)
    )
    result = push(
        context.repo,
        target,
        refs,
        options,
        jobs=DEFAULT_JOBS if jobs is None else jobs,
        progress=context.progress(lines_elsewhere=True),
    )
    _print(context, result, dry_run=options.dry_run)
    return 0


def _options(arguments: Arguments, context: Context) -> PushOptions:
    from ostrya.pull.push import PushOptions

    signers = tuple(make_signers(context.repo, arguments))
    copied = arguments.flag("copy-summary")
    if copied and (signers or arguments.flag("summary")):
        raise context.usage_error("--copy-summary does not go with --summary, nor with signing")
    return PushOptions(
        depth=arguments.generations("depth"),
        force=arguments.flag("force"),
        dry_run=arguments.flag("dry-run"),
        recheck=arguments.flag("recheck"),
        verify_bindings=not arguments.flag("disable-verify-bindings"),
        summary=SummaryChoice(arguments.flag("summary"), copied, signers),
        deltas=arguments.flag("deltas"),
    )


def _target_options(arguments: Arguments) -> TargetOptions:
    from ostrya.pull.push_address import TargetOptions

    retries = arguments.number("network-retries")
    defaults = TargetOptions()
    return TargetOptions(
        endpoint_url=arguments.text("endpoint-url"),
        region=arguments.text("region"),
        credentials=arguments.text("credentials"),
        tls_ca_path=arguments.text("tls-ca"),
        ssh_options=tuple(arguments.texts("ssh-option")),
        retries=defaults.retries if retries is None else retries,
    )


def _print(context: Context, result: PushResult, *, dry_run: bool) -> None:
    sent = result.sent
    if context.json:
        write_json(
            {
                "refs": [ref._asdict() for ref in result.refs],
                "dry_run": dry_run,
                "metadata": sent.metadata,
                "content": sent.content,
                "detached": sent.detached,
                "bytes": sent.bytes,
                "summary": result.summary,
                "deltas": result.deltas,
            }
        )
        return
    for ref in result.refs:
        write_line(_describe(ref))
    counts = f"{sent.metadata} metadata, {sent.content} content objects"
    if dry_run:
        write_line(f"Would send {counts}")
        return
    write_line(f"{counts} sent; {format_size(sent.bytes)} written")
    if result.deltas:
        write_line(f"{result.deltas} static {'delta' if result.deltas == 1 else 'deltas'} sent")
    if result.summary == "signed":
        write_message(
            "The summary there is signed and was left as it was: sign it with --gpg-sign or "
            "--sign, or take ours along with --copy-summary"
        )


def _describe(ref: PushedRef) -> str:
    if ref.old is None or ref.old == ref.new:
        return f"{ref.ref}: {ref.new} ({ref.change})"
    return f"{ref.ref}: {ref.old} -> {ref.new} ({ref.change})"
