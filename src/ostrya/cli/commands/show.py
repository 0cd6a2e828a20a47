# SPDX-License-Identifier: Apache-2.0
"""``show``: one object, or one thing that is known of a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.cli import dump
from ostrya.cli.options import flag, text
from ostrya.cli.output import write, write_json, write_line
from ostrya.cli.signing import GPG_HOMEDIR
from ostrya.errors import RepoError
from ostrya.formats.checksum import Checksum, is_checksum
from ostrya.formats.commit import COMMIT_TYPE, Commit, decode_sizes
from ostrya.formats.commitmeta import KEY_GPG_SIGNATURES, decode_commitmeta
from ostrya.formats.gvariant.decode import decode_variant
from ostrya.formats.object_name import ObjectName, ObjectType
from ostrya.repo import detached, reader
from ostrya.repo.refs import require_rev
from ostrya.repo.signing import commit_signatures

if TYPE_CHECKING:
    from ostrya.cli.context import Context
    from ostrya.cli.parser import Arguments
    from ostrya.formats.gvariant.decode import ByteOrder
    from ostrya.formats.gvariant.vardict import VarDict, Variant
    from ostrya.repo.repository import Repository
    from ostrya.sign.gpg_status import GpgSignature

PARAMETERS = "OBJECT"
OPTIONS = (
    flag("print-related", "List the related commits"),
    text("print-variant-type", "TYPE", "Print the file OBJECT as a GVariant of this type"),
    flag("list-metadata-keys", "List the keys of the commit's metadata"),
    text("print-metadata-key", "KEY", "Print one value of the commit's metadata"),
    flag("print-hex", "Print a value that is an array of bytes in hexadecimal"),
    flag("list-detached-metadata-keys", "List the keys of the detached metadata"),
    text("print-detached-metadata-key", "KEY", "Print one value of the detached metadata"),
    flag("print-sizes", "Print how large the commit's objects are"),
    flag("raw", "Print the object in GVariant's text form"),
    flag("no-byteswap", "Print numbers in this machine's byte order", short="B"),
    GPG_HOMEDIR,
    text("gpg-verify-remote", "REMOTE", "Verify with the OpenPGP keys of this remote"),
)

_METADATA = (ObjectType.COMMIT, ObjectType.DIR_META, ObjectType.DIR_TREE)


def run(arguments: Arguments, context: Context) -> int:
    """Print what was asked for."""
    if not arguments.positionals:
        raise context.usage_error("An object argument is required")
    name = arguments.positionals[0]
    variant_type = arguments.text("print-variant-type")
    if variant_type is not None:
        return _show_variant_file(context, name, variant_type)
    if _wants_metadata(arguments):
        return _show_metadata(context, name, arguments)
    if arguments.flag("print-related"):
        return _show_related(context, require_rev(context.repo, name))
    if arguments.flag("print-sizes"):
        return _show_sizes(context, require_rev(context.repo, name))
    return _show_object(context, name, arguments)


def _show_variant_file(context: Context, path: str, variant_type: str) -> int:
    with open(path, "rb") as stream:
        text = dump.dump_data(variant_type, stream.read(), "big")
    if context.json:
        write_json({"file": path, "type": variant_type, "raw": text})
    else:
        write_line(text)
    return 0


def _show_related(context: Context, checksum: Checksum) -> int:
    related = reader.load_commit(context.repo, checksum).related
    if context.json:
        write_json({"related": [{"name": name, "commit": commit} for name, commit in related]})
    else:
        write("".join(f"{name} {commit}\n" for name, commit in related))
    return 0


# -------------------------------------------------------------------------- metadata


def _wants_metadata(arguments: Arguments) -> bool:
    return (
        arguments.text("print-metadata-key") is not None
        or arguments.text("print-detached-metadata-key") is not None
        or arguments.flag("list-metadata-keys")
        or arguments.flag("list-detached-metadata-keys")
    )


def _show_metadata(context: Context, name: str, arguments: Arguments) -> int:
    repo = context.repo
    checksum = require_rev(repo, name)
    detached_key = arguments.text("print-detached-metadata-key")
    key = detached_key if detached_key is not None else arguments.text("print-metadata-key")
    byteorder: ByteOrder = "little" if arguments.flag("no-byteswap") or context.json else "big"
    if key is not None:
        from_detached = detached_key is not None
    else:
        from_detached = arguments.flag("list-detached-metadata-keys")
    load = _detached_metadata if from_detached else _commit_metadata
    metadata = load(repo, checksum, byteorder)
    if key is None:
        keys = sorted(metadata.keys())
        if context.json:
            write_json(keys)
        else:
            write("".join(f"{key}\n" for key in keys))
        return 0
    value = metadata.get(key)
    if value is None:
        raise RepoError(f"No such metadata key '{key}'")
    shown = _format_value(value, as_hex=arguments.flag("print-hex"))
    if context.json:
        write_json({"key": key, "type": value.type, "value": shown})
    else:
        write_line(shown)
    return 0


def _commit_metadata(repo: Repository, checksum: Checksum, byteorder: ByteOrder) -> VarDict:
    data = reader.load_commit_bytes(repo, checksum)
    with dump.naming(ObjectName(checksum, ObjectType.COMMIT)):
        metadata: VarDict = decode_variant(COMMIT_TYPE, data, byteorder=byteorder)[0]
    return metadata


def _detached_metadata(repo: Repository, checksum: Checksum, byteorder: ByteOrder) -> VarDict:
    data = detached.read_detached_bytes(repo, checksum)
    if data is None:
        raise RepoError(f"No detached metadata for commit {checksum}")
    with dump.naming(ObjectName(checksum, ObjectType.COMMIT_META)):
        metadata: VarDict = decode_variant("a{sv}", data, byteorder=byteorder)
    return metadata


def _format_value(value: Variant, *, as_hex: bool) -> str:
    if as_hex and value.type == "ay":
        content: bytes = value.value
        return content.hex()
    return dump.print_variant(value)


# ----------------------------------------------------------------------------- sizes


def _show_sizes(context: Context, checksum: Checksum) -> int:
    from ostrya.repo.free_space import format_size

    repo = context.repo
    sizes = decode_sizes(reader.load_commit(repo, checksum).metadata)
    if sizes is None:
        raise RepoError("No metadata key ostree.sizes in commit")
    missing = [
        entry for entry in sizes if not reader.has_object(repo, ObjectName(entry[0], entry[1]))
    ]
    rows = [
        (sum(entry.archived for entry in some), sum(entry.unpacked for entry in some), len(some))
        for some in (missing, sizes)
    ]
    if context.json:
        keys = ("compressed_bytes", "unpacked_bytes", "objects")
        needed, total = (dict(zip(keys, row, strict=True)) for row in rows)
        write_json({"needed": needed, "total": total})
        return 0
    (archived, unpacked, count), (all_archived, all_unpacked, all_count) = rows
    write_line(
        f"Compressed size (needed/total): {format_size(archived)}/{format_size(all_archived)}"
    )
    write_line(f"Unpacked size (needed/total): {format_size(unpacked)}/{format_size(all_unpacked)}")
    write_line(f"Number of objects (needed/total): {count}/{all_count}")
    return 0


# --------------------------------------------------------------------------- objects


def _show_object(context: Context, name: str, arguments: Arguments) -> int:
    repo = context.repo
    if not is_checksum(name):
        found = ObjectName(require_rev(repo, name), ObjectType.COMMIT)
    else:
        candidates = (ObjectName(Checksum(name), kind) for kind in _METADATA)
        present = (name for name in candidates if reader.has_object(repo, name))
        found = next(present, ObjectName(Checksum(name), ObjectType.FILE))
    if found.type is ObjectType.FILE:
        return _show_file(context, found.checksum)
    data = reader.load_metadata(repo, found)
    if context.json:
        shown = _metadata_object_as_json(repo, found, data)
        if found.type is ObjectType.COMMIT:
            from ostrya.cli.signing import signatures_as_json

            checked = _check_signatures(repo, found.checksum, data, arguments)
            shown["gpg_signatures"] = signatures_as_json(checked or [])
        write_json(shown)
        return 0
    with dump.naming(found):
        write(_metadata_object_as_text(found, data, arguments))
    if found.type is ObjectType.COMMIT:
        _write_signatures(_check_signatures(repo, found.checksum, data, arguments))
    return 0


def _write_signatures(signatures: list[GpgSignature] | None) -> None:
    if signatures is None:
        return
    from ostrya.cli.signing import use_local_dates
    from ostrya.sign.gpg_text import describe_signatures

    use_local_dates()
    write(describe_signatures(signatures))


def _check_signatures(
    repo: Repository, checksum: Checksum, data: bytes, arguments: Arguments
) -> list[GpgSignature] | None:
    remote = arguments.text("gpg-verify-remote")
    homedir = arguments.text("gpg-homedir")
    signatures = commit_signatures(repo, checksum, KEY_GPG_SIGNATURES)
    if not signatures and remote is None:
        # Most commits; nothing of OpenPGP is loaded for them.
        return None if signatures is None else []
    from ostrya.repo.keyrings import all_keyrings, remote_keyrings
    from ostrya.sign.gpg import GpgVerifier

    if remote is not None:
        keyrings = remote_keyrings(repo, remote)
    else:
        keyrings = all_keyrings(repo, extra_dir=homedir)
    return None if signatures is None else GpgVerifier(keyrings).check(data, signatures)


def _metadata_object_as_text(name: ObjectName, data: bytes, arguments: Arguments) -> str:
    text = f"{name.type.suffix} {name.checksum}\n"
    if arguments.flag("no-byteswap"):
        text += dump.dump_object(name.type, data, "little") + "\n"
    elif arguments.flag("raw"):
        return text + dump.dump_object(name.type, data, "big") + "\n"
    if name.type is ObjectType.COMMIT:
        text += dump.format_commit(Commit.decode(data))
    else:
        # Only the name is printed, but not of what is damaged.
        decode_variant(dump.METADATA_TYPES[name.type], data)
    return text


def _metadata_object_as_json(repo: Repository, name: ObjectName, data: bytes) -> dict[str, object]:
    with dump.naming(name):
        if name.type is not ObjectType.COMMIT:
            raw = dump.dump_object(name.type, data, "big")
            return {"object": name.checksum, "type": name.type.suffix, "raw": raw}
        shown = dump.commit_as_json(name.checksum, Commit.decode(data))
    detached_data = detached.read_detached_bytes(repo, name.checksum)
    if detached_data is not None:
        with dump.naming(ObjectName(name.checksum, ObjectType.COMMIT_META)):
            shown["detached_metadata"] = dump.metadata_as_json(decode_commitmeta(detached_data))
    return shown


def _show_file(context: Context, checksum: Checksum) -> int:
    with reader.load_file(context.repo, checksum) as file:
        header, size = file.header, file.size
    if context.json:
        write_json(
            {
                "object": checksum,
                "type": "file",
                "file_type": "symlink" if header.is_symlink else "regular",
                "size": size,
                "target": header.symlink_target if header.is_symlink else None,
                "mode": f"{header.mode:o}",
                "uid": header.uid,
                "gid": header.gid,
                "xattrs": dump.xattrs_as_json(header.xattrs),
            }
        )
        return 0
    write_line(f"Object: {checksum}\nType: file")
    if header.is_symlink:
        write_line(f"File Type: symlink\nTarget: {header.symlink_target}")
    else:
        write_line(f"File Type: regular\nSize: {size}")
    write_line(f"Mode: 0{header.mode:04o}\nUid: {header.uid}\nGid: {header.gid}")
    write_line(f"Extended Attributes: {dump.format_xattrs(header.xattrs)}")
    return 0
