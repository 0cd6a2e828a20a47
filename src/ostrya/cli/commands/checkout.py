# SPDX-License-Identifier: Apache-2.0
"""``checkout``: a commit, or many, laid out in a directory."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ostrya.cli.errors import UsageError
from ostrya.cli.options import FSYNC, flag, text
from ostrya.errors import OstryaError
from ostrya.repo.refs import require_rev
from ostrya.tree.checkout import checkout_commit
from ostrya.tree.checkout_options import CheckoutOptions, Overwrite
from ostrya.tree.errors import PathNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments

PARAMETERS = "COMMIT [DESTINATION]"
OPTIONS = (
    flag("user-mode", "Leave out owners and extended attributes", short="U"),
    flag("disable-cache", "Do not keep or use inflated content of archive repositories"),
    text("subpath", "PATH", "Only PATH of the commit"),
    flag("union", "Keep directories that are there, replace files"),
    flag("union-add", "Keep directories and files that are there"),
    flag("union-identical", "Keep what is there, refuse to replace a file by a different one"),
    flag("whiteouts", "Let '.wh.' files remove what they name"),
    flag("process-passthrough-whiteouts", "Turn '.ostree-wh.' files into overlayfs whiteouts"),
    flag("allow-noent", "Do nothing if the commit does not have --subpath"),
    flag("from-stdin", "Read commits and subpaths, each ended by a NUL, from the standard input"),
    text("from-file", "FILE", "Read commits and subpaths, each ended by a NUL, from FILE"),
    FSYNC,
    flag("require-hardlinks", "Fail rather than copy", short="H"),
    flag("force-copy-zerosized", "Copy empty files, as is always done", short="z"),
    flag("force-copy", "Copy instead of linking", short="C"),
    flag("bareuseronly-dirs", "Reduce modes of directories to those in 0775", short="M"),
    text("skip-list", "FILE", "File with paths to leave out; those of directories end in /"),
    text("selinux-policy", "PATH", "Label files after the policy in PATH; implies --force-copy"),
    text("selinux-prefix", "PREFIX", "Where the tree will be, for --selinux-policy"),
    flag("composefs", "Write a composefs image of the commit into the file DESTINATION"),
    flag("composefs-noverity", "As --composefs, without the fs-verity digests of files"),
)

# Options that libostree's newer interface is needed for; without any, inflated content is kept.
_BEYOND_THE_BASICS = (
    *("disable-cache", "whiteouts", "require-hardlinks", "union-add", "force-copy"),
    *("force-copy-zerosized", "bareuseronly-dirs", "union-identical"),
    "process-passthrough-whiteouts",
)
_EXCLUSIVE = (
    ("union", "union-add"),
    ("union", "union-identical"),
    ("union-add", "union-identical"),
    ("require-hardlinks", "force-copy"),
)
_OVERWRITE = {
    "union": Overwrite.UNION_FILES,
    "union-add": Overwrite.ADD_FILES,
    "union-identical": Overwrite.UNION_IDENTICAL,
}


def run(arguments: Arguments, context: Context) -> int:
    """Lay out one commit, or those of a list."""
    if not arguments.positionals:
        raise context.usage_error("COMMIT must be specified")
    options = _make_options(arguments, context)
    if arguments.flag("from-stdin") or arguments.text("from-file") is not None:
        destination = arguments.positionals[0]
        for rev, subpath in _read_list(arguments.text("from-file")):
            try:
                _check_out(context, arguments, options, (rev, subpath, destination))
            except OstryaError as exc:
                exc.message = f"Processing tree {rev}: {exc.message}"
                raise
        return 0
    rev = arguments.positionals[0]
    destination = arguments.positionals[1] if len(arguments.positionals) > 1 else rev
    _check_out(context, arguments, options, (rev, arguments.text("subpath") or "/", destination))
    return 0


def _check_out(
    context: Context, arguments: Arguments, options: CheckoutOptions, what: tuple[str, str, str]
) -> None:
    rev, subpath, destination = what
    repo = context.repo
    if _wants_image(arguments):
        _write_image(context, arguments, rev, destination)
        return
    forgiven = (PathNotFound,) if arguments.flag("allow-noent") else ()
    with suppress(*forgiven):
        checkout_commit(
            repo,
            require_rev(repo, rev),
            destination,
            options=options,
            subpath=subpath or "/",
            progress=context.progress(),
        )


def _wants_image(arguments: Arguments) -> bool:
    return arguments.flag("composefs") or arguments.flag("composefs-noverity")


def _write_image(context: Context, arguments: Arguments, rev: str, destination: str) -> None:
    from ostrya.cli.output_file import naming_output
    from ostrya.tree.composefs import Verity, checkout_image

    repo = context.repo
    verity = Verity.NONE if arguments.flag("composefs-noverity") else Verity.ALL
    commit = require_rev(repo, rev)
    with naming_output(destination):
        checkout_image(repo, commit, destination, verity=verity, progress=context.progress())


def _check_image_options(arguments: Arguments) -> None:
    flags = any(arguments.flag(name) for name in _BEYOND_THE_BASICS)
    texts = ("skip-list", "selinux-policy", "selinux-prefix")
    if flags or any(arguments.text(name) is not None for name in texts):
        raise UsageError("Specified options are incompatible with --composefs")


def _make_options(arguments: Arguments, context: Context) -> CheckoutOptions:
    if _wants_image(arguments):
        _check_image_options(arguments)
        return CheckoutOptions()
    policy, prefix = arguments.text("selinux-policy"), arguments.text("selinux-prefix")
    for first, second in _EXCLUSIVE:
        if arguments.flag(first) and arguments.flag(second):
            raise UsageError(f"Cannot specify both --{first} and --{second}")
    if policy is not None and arguments.flag("require-hardlinks"):
        raise UsageError("Cannot specify both --require-hardlinks and --force-copy")
    if prefix is not None and policy is None:
        raise UsageError("Cannot specify --selinux-prefix without --selinux-policy")
    if arguments.flag("union-identical") and not arguments.flag("require-hardlinks"):
        raise UsageError("--union-identical requires --require-hardlinks")
    skip_list = arguments.text("skip-list")
    basic = not any(arguments.flag(name) for name in _BEYOND_THE_BASICS)
    basic = basic and policy is None and skip_list is None
    overwrite = [mode for name, mode in _OVERWRITE.items() if arguments.flag(name)]
    options = CheckoutOptions(
        user_mode=arguments.flag("user-mode"),
        overwrite=overwrite[0] if overwrite else Overwrite.NONE,
        process_whiteouts=arguments.flag("whiteouts"),
        process_passthrough_whiteouts=arguments.flag("process-passthrough-whiteouts"),
        require_hardlinks=arguments.flag("require-hardlinks"),
        force_copy=arguments.flag("force-copy"),
        bareuseronly_dirs=arguments.flag("bareuseronly-dirs"),
        uncompressed_cache=basic and context.repo.config.uncompressed_cache,
    )
    if skip_list is not None:
        from ostrya.cli.line_files import read_lines

        options = options._replace(skip_paths=frozenset(read_lines(skip_list)))
    return options if policy is None else _with_policy(options, policy, prefix or "/")


def _with_policy(options: CheckoutOptions, policy: str, prefix: str) -> CheckoutOptions:
    from ostrya.tree.selinux import load_policy

    label_for = load_policy(policy).label_for
    return options._replace(force_copy=True, label_for=label_for, label_prefix=prefix)


def _read_list(path: str | None) -> Iterator[tuple[str, str]]:
    """Yield (rev, subpath); an empty rev ends the list."""
    import os

    if path is None:
        from ostrya.cli.standard_input import standard_input

        data = standard_input().read()
    else:
        with open(path, "rb") as stream:
            data = stream.read()
    fields = iter(os.fsdecode(data).split("\0"))
    for rev in fields:
        if not rev:
            return
        yield rev, next(fields, "")
