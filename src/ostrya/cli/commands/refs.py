# SPDX-License-Identifier: Apache-2.0
"""``refs``: list, make and delete refs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli.options import flag, text
from ostrya.cli.output import write, write_json
from ostrya.errors import OstryaError, RepoError
from ostrya.formats.refs import CollectionRef, check_collection_id, check_ref_name, parse_refspec
from ostrya.repo import refs
from ostrya.repo.repository import require_writable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.repo.repository import Repository

PARAMETERS = "[PREFIX]"
OPTIONS = (
    flag("delete", "Delete the refs below PREFIX instead of listing them"),
    flag("list", "Leave PREFIX on the names"),
    flag("revision", "Print the commits beside the refs", short="r"),
    flag("alias", "List aliases; with --create, make one", short="A"),
    text("create", "NEWREF", "Make a ref to an existing commit"),
    flag("collections", "Work on refs together with their collections", short="c"),
    flag("force", "With --create, replace a ref that exists"),
)


def run(arguments: Arguments, context: Context) -> int:
    """List, make or delete, once for each argument."""
    names = arguments.positionals
    creating, deleting = arguments.text("create") is not None, arguments.flag("delete")
    if creating and len(names) > 1:
        raise OstryaError("You must specify only 1 existing ref when creating a new ref")
    if not names:
        # Everything at once would be an accident.
        if deleting:
            raise OstryaError("At least one PREFIX is required when deleting refs")
        if creating:
            raise OstryaError("You must specify a revision when creating a new ref")
    listed: list[dict[str, str]] = []
    prefixes: list[str | None] = [*names] or [None]
    for name in prefixes:
        if creating and name is not None:
            _create(context.repo, name, arguments)
        elif deleting and name is not None:
            _delete(context.repo, name, arguments)
        elif arguments.flag("collections"):
            listed += _list_collections(context, name, arguments)
        else:
            listed += _list(context, name, arguments)
    if context.json and not creating and not deleting:
        write_json(listed)
    return 0


# ------------------------------------------------------------------------------ list


def _list(context: Context, prefix: str | None, arguments: Arguments) -> list[dict[str, str]]:
    keep_prefix = arguments.flag("list")
    if arguments.flag("alias"):
        found: Mapping[str, str] = refs.list_aliases(context.repo, prefix)
        between, key = " -> ", "alias_of"
    elif context.json or arguments.flag("revision"):
        found = refs.list_refs(context.repo, prefix, cut_prefix=not keep_prefix)
        between, key = "\t", "commit"
    else:
        # Names alone do not need what the refs hold, so a damaged one is listed too.
        names = refs.list_ref_names(context.repo, prefix, cut_prefix=not keep_prefix)
        write("".join(f"{name}\n" for name in sorted(names, key=str.encode)))
        return []
    names = sorted(found, key=str.encode)
    if context.json:
        return [{"ref": name, key: found[name]} for name in names]
    write("".join(f"{name}{between}{found[name]}\n" for name in names))
    return []


def _list_collections(
    context: Context, collection_id: str | None, arguments: Arguments
) -> list[dict[str, str]]:
    if not context.json and not arguments.flag("revision"):
        for ref in sorted(refs.list_collection_ref_names(context.repo, collection_id)):
            write(f"({ref.collection_id}, {ref.ref})\n")
        return []
    rows = sorted(refs.list_collection_refs(context.repo, collection_id).items())
    if context.json:
        return [
            {"collection_id": ref.collection_id, "ref": ref.ref, "commit": checksum}
            for ref, checksum in rows
        ]
    for ref, checksum in rows:
        write(f"({ref.collection_id}, {ref.ref})\t{checksum}\n")
    return []


# ---------------------------------------------------------------------------- create


def _create(repo: Repository, source: str, arguments: Arguments) -> None:
    from ostrya.repo import ref_writer

    require_writable(repo)
    name = arguments.text("create") or ""
    aliasing = arguments.flag("alias") and not arguments.flag("collections")
    replaces_alias = aliasing and name in refs.list_aliases(repo)
    # Not looked at with --force: what it holds may be what is wrong with it.
    if not arguments.flag("force") and not replaces_alias and _exists(repo, name):
        raise RepoError(f"--create specified but ref {name} already exists")
    if arguments.flag("collections"):
        checksum = refs.require_rev(repo, source)
        collection_id, _, ref = name.partition(":")
        new = CollectionRef(check_collection_id(collection_id), check_ref_name(ref))
        ref_writer.write_collection_ref(repo, new, checksum)
        return
    remote, ref = parse_refspec(name)
    if not aliasing:
        ref_writer.write_ref(repo, remote, ref, refs.require_rev(repo, source))
        return
    if remote is not None:
        raise RepoError(f"Cannot create alias to remote ref: {remote}")
    if source not in refs.list_ref_names(repo):
        raise RepoError(f"Cannot create alias to non-existent ref: {source}")
    ref_writer.write_alias(repo, ref, source)


def _exists(repo: Repository, name: str) -> bool:
    try:
        found = refs.resolve_rev(repo, name, allow_noent=True, search_remotes=False)
    except IsADirectoryError:
        # Writing the ref knows best whether the directory is in the way.
        return False
    return found is not None


# ---------------------------------------------------------------------------- delete


def _delete(repo: Repository, prefix: str, arguments: Arguments) -> None:
    from ostrya.repo import ref_writer

    require_writable(repo)
    if arguments.flag("collections"):
        for collection_ref in refs.list_collection_ref_names(repo, prefix):
            ref_writer.write_collection_ref(repo, collection_ref, None)
        return
    aliases = refs.list_aliases(repo)
    chosen = refs.list_aliases(repo, prefix) if arguments.flag("alias") else None
    for name in chosen if chosen is not None else refs.list_ref_names(repo, prefix):
        remote, ref = parse_refspec(name)
        for alias, target in aliases.items():
            if target == ref:
                raise RepoError(f"Ref '{ref}' has an active alias: '{alias}'")
        ref_writer.write_ref(repo, remote, ref, None)
