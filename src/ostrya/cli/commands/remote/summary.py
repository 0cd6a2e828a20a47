# SPDX-License-Identifier: Apache-2.0
"""``remote summary``: the summary of a remote, as its server has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli import dump
from ostrya.cli.options import flag, text
from ostrya.cli.output import write, write_json, write_line
from ostrya.cli.summary_dump import SUMMARY_TYPE, format_summary, summary_as_json
from ostrya.errors import RepoError
from ostrya.repo.remote_settings import RemoteSettings

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.pull.remote_summary import RemoteSummary
    from ostrya.repo.repository import Repository

PARAMETERS = "NAME"
OPTIONS = (
    flag("list-metadata-keys", "List the keys of its metadata"),
    text("print-metadata-key", "KEY", "Print one value of its metadata"),
    text("cache-dir", "PATH", "Keep summaries here instead of in the repository"),
    flag("raw", "Print the summary in GVariant's text form"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Print the summary, or what was asked for of it."""
    from ostrya.pull.pull import remote_summary

    if not arguments.positionals:
        raise context.usage_error("NAME must be specified")
    name = arguments.positionals[0]
    found = remote_summary(context.repo, name, cache_dir=arguments.text("cache-dir"))
    if found is None:
        raise RepoError("Remote server has no summary file")
    with dump.naming(f"summary of {name}"):
        is_view = _print(arguments, context, found)
    if is_view and found.signatures is not None:
        _print_signatures(context.repo, name, found.data, found.signatures)
    return 0


def _print(arguments: Arguments, context: Context, found: RemoteSummary) -> bool:
    """Print what was asked for; say whether that is the summary as people read it."""
    summary = found.summary
    key = arguments.text("print-metadata-key")
    if key is not None:
        value = summary.metadata.get(key)
        if value is None:
            raise RepoError(f"No such metadata key '{key}'")
        shown = dump.print_variant(value)
        if context.json:
            write_json({"key": key, "type": value.type, "value": shown})
        else:
            write_line(shown)
    elif arguments.flag("list-metadata-keys"):
        keys = sorted(summary.metadata.keys())
        if context.json:
            write_json(keys)
        else:
            write("".join(f"{key}\n" for key in keys))
    elif context.json:
        write_json(summary_as_json(summary, signed=found.signatures is not None))
    elif arguments.flag("raw"):
        write_line(dump.dump_data(SUMMARY_TYPE, found.data, "big"))
    else:
        write(format_summary(summary))
        return True
    return False


def _print_signatures(repo: Repository, name: str, data: bytes, encoded: bytes) -> None:
    """Tell who has signed the summary, where the remote asks for OpenPGP signatures of it."""
    settings = RemoteSettings(repo, name)
    if not settings.gpg_verify_summary:
        return
    from ostrya.cli.signing import use_local_dates
    from ostrya.formats.commitmeta import KEY_GPG_SIGNATURES, decode_commitmeta, signatures_in
    from ostrya.repo.keyrings import remote_keyrings
    from ostrya.sign.gpg import GpgVerifier
    from ostrya.sign.gpg_text import describe_signatures

    signatures = signatures_in(decode_commitmeta(encoded), KEY_GPG_SIGNATURES) or ()
    found = GpgVerifier(remote_keyrings(repo, settings.keyring)).check(data, signatures)
    use_local_dates()
    write("\n" + describe_signatures(found, found="GPG: Verification enabled, found"))
