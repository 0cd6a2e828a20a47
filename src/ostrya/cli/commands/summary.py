# SPDX-License-Identifier: Apache-2.0
"""``summary``: write or show the repository's summary.

The summary is the file that tells others which refs there are, and which commits they point to.
Writing it anew removes the signature of the old one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli import dump
from ostrya.cli.errors import UsageError
from ostrya.cli.options import flag, text, texts
from ostrya.cli.output import write, write_json, write_line
from ostrya.cli.signing import make_signers, sign_options
from ostrya.cli.summary_dump import SUMMARY_TYPE, format_summary, summary_as_json
from ostrya.errors import RepoError
from ostrya.formats.summary import Summary
from ostrya.repo.repository import require_writable
from ostrya.repo.summary import read_summary, regenerate_summary

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.formats.gvariant.vardict import VarDict
    from ostrya.repo.repository import Repository

PARAMETERS = ""
OPTIONS = (
    flag("update", "Write the summary anew", short="u"),
    flag("view", "Show the summary", short="v"),
    flag("raw", "Print the summary in GVariant's text form"),
    flag("list-metadata-keys", "List the keys of its metadata"),
    text("print-metadata-key", "KEY", "Print one value of its metadata"),
    texts("add-metadata", "KEY=VALUE", "With --update, add to the metadata", short="m"),
    *sign_options("the summary"),
)


def run(arguments: Arguments, context: Context) -> int:
    """Write the summary, or print what was asked for."""
    repo = context.repo
    key = arguments.text("print-metadata-key")
    if arguments.flag("update"):
        _update(repo, arguments)
    elif arguments.flag("raw"):
        with dump.naming(_path(repo)):
            raw = dump.dump_data(SUMMARY_TYPE, read_summary(repo), "big")
        if context.json:
            write_json({"raw": raw})
        else:
            write_line(raw)
    elif arguments.flag("view"):
        _view(context, arguments)
    elif arguments.flag("list-metadata-keys"):
        keys = sorted(_load(repo).metadata.keys())
        if context.json:
            write_json(keys)
        else:
            write("".join(f"{key}\n" for key in keys))
    elif key is not None:
        _print_value(context, key)
    else:
        raise UsageError("No option specified; use -u to update summary")
    return 0


def _update(repo: Repository, arguments: Arguments) -> None:
    from ostrya.cli.metadata import variant_entries
    from ostrya.formats.gvariant.vardict import VarDict

    require_writable(repo)
    signers = make_signers(repo, arguments)
    additional = VarDict(variant_entries(arguments.texts("add-metadata")))
    if repo.config.collection_id is not None:
        from ostrya.repo.metadata_commit import write_metadata_commit

        write_metadata_commit(repo, additional, signers=signers)
    regenerate_summary(repo, additional, signers=signers)


def _view(context: Context, arguments: Arguments) -> None:
    from ostrya._linux.dirfd import exists

    summary = _load(context.repo)
    signed = exists("summary.sig", dir_fd=context.repo.dir_fd)
    if context.json:
        # The parts inside are decoded as they are shown.
        with dump.naming(_path(context.repo)):
            shown = summary_as_json(summary, signed=signed)
        write_json(shown)
        return
    with dump.naming(_path(context.repo)):
        text = format_summary(summary)
    write(text)
    if not signed:
        write_line("Summary is unsigned")
        return
    _write_signatures(context.repo, arguments.text("gpg-homedir"))


def _write_signatures(repo: Repository, homedir: str | None) -> None:
    from ostrya.formats.commitmeta import KEY_GPG_SIGNATURES, signatures_in
    from ostrya.repo.summary_signing import read_summary_signatures

    signatures = signatures_in(read_summary_signatures(repo), KEY_GPG_SIGNATURES)
    if signatures is None:
        return
    from ostrya.cli.signing import use_local_dates
    from ostrya.repo.keyrings import global_keyrings
    from ostrya.sign.gpg import GpgVerifier
    from ostrya.sign.gpg_text import describe_signatures

    verifier = GpgVerifier(global_keyrings(repo, extra_dir=homedir))
    found = verifier.check(read_summary(repo), signatures)
    use_local_dates()
    write("\n" + describe_signatures(found, " on the summary"))


def _print_value(context: Context, key: str) -> None:
    metadata = _load(context.repo).metadata if context.json else _swapped_metadata(context.repo)
    value = metadata.get(key)
    if value is None:
        raise RepoError(f"No such metadata key '{key}'")
    if context.json:
        write_json({"key": key, "type": value.type, "value": dump.print_variant(value)})
    else:
        write_line(dump.print_variant(value))


def _path(repo: Repository) -> str:
    return f"{repo.path}/summary"


def _load(repo: Repository) -> Summary:
    with dump.naming(_path(repo)):
        return Summary.decode(read_summary(repo))


def _swapped_metadata(repo: Repository) -> VarDict:
    """Return the metadata with every number swapped, as libostree prints it."""
    from ostrya.formats.gvariant.decode import decode_variant

    with dump.naming(_path(repo)):
        metadata: VarDict = decode_variant(SUMMARY_TYPE, read_summary(repo), byteorder="big")[1]
    return metadata
