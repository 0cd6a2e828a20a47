# SPDX-License-Identifier: Apache-2.0
"""Write the reference of the library, ``docs/reference/library/``, from its docstrings.

Usage: python tools/library_reference.py [--check]
"""

from __future__ import annotations

import argparse
import enum
import importlib
import inspect
import re
import sys
from pathlib import Path
from types import ModuleType

TOP = Path(__file__).resolve().parent.parent
FOLDER = TOP / "docs" / "reference" / "library"
# Page: its title, and the modules on it, those needed first at the top.
PAGES = {
    "repo": (
        "Repositories",
        [
            "ostrya.repo.repository",
            "ostrya.repo.modes",
            "ostrya.repo.transaction",
            "ostrya.repo.writer",
            "ostrya.repo.reader",
            "ostrya.repo.refs",
            "ostrya.repo.ref_writer",
            "ostrya.repo.config",
            "ostrya.repo.remotes",
            "ostrya.repo.detached",
            "ostrya.repo.signing",
            "ostrya.repo.summary_signing",
            "ostrya.repo.keyrings",
            "ostrya.repo.traverse",
            "ostrya.repo.fsck",
            "ostrya.repo.prune",
            "ostrya.repo.bucket_prune",
            "ostrya.repo.stores.bucket",
            "ostrya.repo.summary",
            "ostrya.repo.errors",
        ],
    ),
    "sign": (
        "Signatures: keys, verifiers, OpenPGP",
        [
            "ostrya.sign.engine",
            "ostrya.sign.matching",
            "ostrya.sign.trust",
            "ostrya.sign.keys",
            "ostrya.sign.generate",
            "ostrya.sign.policy",
            "ostrya.sign.remote",
            "ostrya.sign.ed25519",
            "ostrya.sign.spki",
            "ostrya.sign.gpg",
            "ostrya.sign.gpg_home",
            "ostrya.sign.gpg_status",
            "ostrya.sign.gpg_text",
            "ostrya.sign.errors",
        ],
    ),
    "tree": (
        "Trees: directories and archives to commits, and back",
        [
            "ostrya.tree.mutable_tree",
            "ostrya.tree.scan",
            "ostrya.tree.modifier",
            "ostrya.tree.archive_import",
            "ostrya.tree.overlay",
            "ostrya.tree.commit",
            "ostrya.tree.checkout",
            "ostrya.tree.checkout_options",
            "ostrya.tree.lookup",
            "ostrya.tree.diff",
            "ostrya.tree.tar_export",
            "ostrya.tree.composefs",
            "ostrya.tree.selinux",
            "ostrya.tree.devino",
            "ostrya.tree.errors",
        ],
    ),
    "delta": (
        "Static deltas: found, looked into, applied",
        [
            "ostrya.repo.delta_files",
            "ostrya.repo.delta_indexes",
            "ostrya.delta.open_delta",
            "ostrya.delta.offline",
            "ostrya.delta.describe",
            "ostrya.delta.errors",
        ],
    ),
    "fetch": (
        "Fetching: bytes from servers and files",
        [
            "ostrya.fetch.fetcher",
            "ostrya.fetch.http",
            "ostrya.fetch.http_options",
            "ostrya.fetch.retry",
            "ostrya.fetch.local_files",
            "ostrya.fetch.mirrors",
            "ostrya.fetch.mirrorlist",
            "ostrya.fetch.metalink",
            "ostrya.fetch.cookies",
            "ostrya.fetch.errors",
        ],
    ),
    "serve": (
        "Serving: a repository over HTTP",
        ["ostrya.serve.server", "ostrya.serve.connection", "ostrya.serve.errors"],
    ),
    "boot": (
        "Booting: kernels, boot entries, boot loaders",
        [
            "ostrya.boot.kargs",
            "ostrya.boot.bls",
            "ostrya.boot.entry",
            "ostrya.boot.kernel",
            "ostrya.boot.install",
            "ostrya.boot.bootloader",
            "ostrya.boot.initramfs.build",
            "ostrya.boot.initramfs.compress",
            "ostrya.boot.initramfs.cpio",
            "ostrya.boot.initramfs.hooks",
            "ostrya.boot.prepare_root",
            "ostrya.boot.errors",
        ],
    ),
    "uptane": (
        "Updates: metadata of Uptane and TUF, and its verification",
        [
            "ostrya.uptane.full_verification",
            "ostrya.uptane.partial_verification",
            "ostrya.uptane.offline_verification",
            "ostrya.uptane.steps",
            "ostrya.uptane.refresh",
            "ostrya.uptane.delegation_search",
            "ostrya.uptane.trusted_set",
            "ostrya.uptane.checks",
            "ostrya.uptane.time_floor",
            "ostrya.uptane.image_check",
            "ostrya.uptane.manifest",
            "ostrya.uptane.metadata.dialect",
            "ostrya.uptane.metadata.json_text",
            "ostrya.uptane.metadata.canonical_json",
            "ostrya.uptane.metadata.fields",
            "ostrya.uptane.metadata.keys",
            "ostrya.uptane.metadata.secret_keys",
            "ostrya.uptane.metadata.signed",
            "ostrya.uptane.metadata.header",
            "ostrya.uptane.metadata.root",
            "ostrya.uptane.metadata.timestamp",
            "ostrya.uptane.metadata.snapshot",
            "ostrya.uptane.metadata.targets",
            "ostrya.uptane.metadata.delegations",
            "ostrya.uptane.metadata.custom",
            "ostrya.uptane.metadata.hashes",
            "ostrya.uptane.metadata.paths",
            "ostrya.uptane.metadata.file_names",
            "ostrya.uptane.client.storage",
            "ostrya.uptane.client.trust_store",
            "ostrya.uptane.client.installs",
            "ostrya.uptane.client.event_queue",
            "ostrya.uptane.author.workplace",
            "ostrya.uptane.author.keyring",
            "ostrya.uptane.author.roles",
            "ostrya.uptane.author.images",
            "ostrya.uptane.author.delegate",
            "ostrya.uptane.author.publish",
            "ostrya.uptane.author.push",
            "ostrya.uptane.author.lockbox",
            "ostrya.uptane.author.lockbox_commits",
            "ostrya.uptane.author.credentials",
            "ostrya.uptane.author.director_author",
            "ostrya.uptane.errors",
        ],
    ),
    "image": (
        "Images",
        [
            "ostrya.image.release",
            "ostrya.image.builder",
            "ostrya.image.board",
            "ostrya.image.deployments",
            "ostrya.image.convert",
            "ostrya.image.sources",
            "ostrya.image.tree",
            "ostrya.image.bootloader_install",
            "ostrya.image.filesystem",
            "ostrya.image.fat",
            "ostrya.image.gpt",
            "ostrya.image.mbr",
            "ostrya.image.disk_layout",
            "ostrya.image.assemble",
            "ostrya.image.outputs.artifacts",
            "ostrya.image.outputs.kinds",
            "ostrya.image.bmap",
            "ostrya.image.reading.disk",
            "ostrya.image.reading.files",
            "ostrya.image.reading.packages",
            "ostrya.image.errors",
        ],
    ),
    "sysroot": (
        "Deployments",
        [
            "ostrya.sysroot.sysroot",
            "ostrya.sysroot.loading",
            "ostrya.sysroot.lock",
            "ostrya.sysroot.deployment",
            "ostrya.sysroot.origin",
            "ostrya.sysroot.stateroot",
            "ostrya.sysroot.deploy",
            "ostrya.sysroot.order",
            "ostrya.sysroot.write_deployments",
            "ostrya.sysroot.change",
            "ostrya.sysroot.stage",
            "ostrya.sysroot.upgrade",
            "ostrya.sysroot.preflight",
            "ostrya.sysroot.etc_plan",
            "ostrya.sysroot.cleanup",
            "ostrya.sysroot.status",
            "ostrya.sysroot.units_install",
            "ostrya.sysroot.errors",
        ],
    ),
    "pull": (
        "Moving commits between repositories",
        [
            "ostrya.pull.pull_local",
            "ostrya.pull.find_remotes",
            "ostrya.pull.pull_found",
            "ostrya.pull.offers",
            "ostrya.pull.volumes",
            "ostrya.pull.push",
            "ostrya.pull.push_address",
            "ostrya.pull.push_target",
            "ostrya.pull.errors",
        ],
    ),
    "formats": (
        "Formats: bytes to values, and back",
        [
            "ostrya.formats.checksum",
            "ostrya.formats.object_name",
            "ostrya.formats.commit",
            "ostrya.formats.dirtree",
            "ostrya.formats.dirmeta",
            "ostrya.formats.file_header",
            "ostrya.formats.filemeta",
            "ostrya.formats.xattrs",
            "ostrya.formats.commitmeta",
            "ostrya.formats.tombstone",
            "ostrya.formats.refs",
            "ostrya.formats.keyfile",
            "ostrya.formats.summary",
            "ostrya.formats.delta_name",
            "ostrya.formats.delta_superblock",
            "ostrya.formats.delta_signed",
            "ostrya.formats.delta_index",
            "ostrya.formats.gvariant.vardict",
            "ostrya.formats.errors",
        ],
    ),
    "common": ("Errors and progress", ["ostrya.errors", "ostrya.progress"]),
}
_SECTIONS = {"Args:": "Arguments", "Attributes:": "Attributes", "Raises:": "Raises"}
_INHERITED = (tuple, Exception, int, str, object, enum.Enum)


def page(name: str) -> str:
    """Return one page."""
    title, modules = PAGES[name]
    lines = [f"# {title}", "", "Made from the docstrings by `tools/library_reference.py`.", ""]
    for module_name in modules:
        lines += describe_module(importlib.import_module(module_name))
    return "\n".join(lines).rstrip() + "\n"


def describe_module(module: ModuleType) -> list[str]:
    """Return a module's part of its page."""
    lines = [f"## `{module.__name__}`", "", *describe(module), ""]
    for name, member in vars(module).items():
        if name.startswith("_") or getattr(member, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(member):
            lines += describe_class(member)
        elif inspect.isfunction(member):
            lines += describe_function(name, member)
    return lines


def describe_class(class_: type) -> list[str]:
    """Return a class's part: its making, its docstring, its methods."""
    bases = [base.__name__ for base in class_.__bases__ if base not in _INHERITED]
    heading = f"class {class_.__name__}" + (f"({', '.join(bases)})" if bases else "")
    lines = [f"### `{heading}`", ""]
    if issubclass(class_, enum.Enum):
        lines += [*describe(class_), ""]
        lines += [f"- `{value.name}` = `{value.value!r}`" for value in class_]
        return [*lines, ""]
    signature = call_of(class_.__name__, class_)
    if signature:
        lines += ["```python", signature, "```", ""]
    lines += [*describe(class_), ""]
    making = vars(class_).get("__init__")
    if making is not None and making.__doc__ and inspect.isfunction(making):
        lines += [*describe(making), ""]
    for name, member in vars(class_).items():
        if name.startswith("_"):
            continue
        if isinstance(member, property):
            lines += [f"#### `{class_.__name__}.{name}`", "", *describe(member), ""]
        function = getattr(member, "__func__", member)
        if inspect.isfunction(function):
            lines += describe_function(f"{class_.__name__}.{name}", function, "####")
    return lines


def describe_function(name: str, function: object, level: str = "###") -> list[str]:
    """Return a function's part: how it is called, and its docstring."""
    return [
        f"{level} `{name}`",
        "",
        "```python",
        call_of(name.rpartition(".")[2], function),
        "```",
        "",
        *describe(function),
        "",
    ]


def call_of(name: str, function: object) -> str:
    """Return how something is called; over several lines where one would be too long."""
    try:
        signature = signature_of(function)
    except (TypeError, ValueError):
        return ""
    parameters = [
        parameter.replace(annotation=bare(parameter.annotation), default=shown(parameter.default))
        for parameter in signature.parameters.values()
        if parameter.name not in {"self", "cls"}
    ]
    returned = bare(None if inspect.isclass(function) else signature.return_annotation)
    full = signature.replace(parameters=parameters, return_annotation=returned)
    if returned in {"None", ""}:
        full = full.replace(return_annotation=inspect.Signature.empty)
    text = f"{name}{full}"
    if len(text) <= 96 or not parameters:
        return text
    inner = str(full.replace(return_annotation=inspect.Signature.empty))
    returns = text[len(name) + len(inner) :]
    body = "".join(f"    {part},\n" for part in split_arguments(inner[1:-1]))
    return f"{name}(\n{body}){returns}"


def signature_of(function: object) -> inspect.Signature:
    """Return how something is called; of a named tuple, as it was described."""
    if not inspect.isclass(function) or "_field_defaults" not in vars(function):
        return inspect.signature(function)  # type: ignore[arg-type]  # anything callable
    defaults = vars(function)["_field_defaults"]
    return inspect.Signature(
        [
            inspect.Parameter(
                name,
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=defaults.get(name, inspect.Parameter.empty),
                annotation=function.__annotations__[name],
            )
            for name in vars(function)["_fields"]
        ]
    )


class Bare(str):
    """Text that a signature shows without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return the text itself."""
        return str(self)


def bare(annotation: object) -> object:
    """Return an annotation as a signature is to show it."""
    return annotation if annotation is inspect.Parameter.empty else Bare(str(annotation))


def shown(value: object) -> object:
    """Return a default as a signature is to show it."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return Bare(f"{type(value).__name__}()")
    if isinstance(value, enum.Enum):
        return Bare(f"{type(value).__name__}.{value.name}")
    if inspect.isfunction(value):
        return Bare("…" if value.__name__ == "<lambda>" else value.__name__)
    return Bare(name_of(value)) if " object at " in repr(value) else value


def name_of(value: object) -> str:
    """Return the name of the constant that an object is known by."""
    modules = [module for name, module in sorted(sys.modules.items()) if name.startswith("ostrya.")]
    return next(
        name for module in modules for name, found in vars(module).items() if found is value
    )


def split_arguments(text: str) -> list[str]:
    """Split arguments at the commas that stand in no brackets or quotes."""
    parts, depth, quote, start = [], 0, "", 0
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == "," and not depth:
            parts.append(text[start:at].strip())
            start = at + 1
    return [*parts, text[start:].strip()]


def describe(member: object) -> list[str]:
    """Return a docstring as Markdown: its sections become lists."""
    lines: list[str] = []
    section = ""
    for line in (inspect.getdoc(member) or "").splitlines():
        if line in _SECTIONS:
            section = line
            lines += [f"*{_SECTIONS[line]}*", ""]
        elif section and (found := re.match(r"    (\w[\w.]*): (.*)", line)):
            lines.append(f"- `{found[1]}`: {code(found[2])}")
        elif section and line.startswith("    "):
            lines[-1] += " " + code(line.strip())
        else:
            section = "" if line.strip() else section
            lines.append(code(line))
    return lines


def code(text: str) -> str:
    """Turn the double backquotes and the roles of a docstring into Markdown's code."""
    return re.sub(r":\w+:`([^`]+)`", r"`\1`", text).replace("``", "`")


def main() -> int:
    """Write the pages, or say which are out of date."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page is old")
    check = parser.parse_args().check
    old = []
    for name in PAGES:
        path = FOLDER / f"{name}.md"
        text = page(name)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            old.append(path.name)
            if not check:
                path.write_text(text, encoding="utf-8")
    if check and old:
        print(f"out of date: {', '.join(old)}; run python tools/library_reference.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
