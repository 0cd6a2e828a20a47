# SPDX-License-Identifier: Apache-2.0
"""The grammar of refs, refspecs, remote names and collection ids.

::

    fragment        word character, then word characters, "-", "." or "_"
    ref             fragment / fragment / …            exampleos/x86_64/standard
    remote name     fragment                           origin
    refspec         [remote name :] ref                origin:exampleos/x86_64/standard
    collection id   element . element …                com.example.Os
    element         [A-Za-z_] then [A-Za-z0-9_]

A word character is a letter or digit of any script, or "_". A collection id has two elements at
least and 255 characters at most (it is a D-Bus interface name).

Source: ostree-core.c (OSTREE_REF_REGEXP, ostree_validate_collection_id).
"""

from __future__ import annotations

from ostrya.formats.errors import RefNameError, printable
from ostrya.named_tuple import NamedTuple

MAX_COLLECTION_ID_LENGTH = 255


class CollectionRef(NamedTuple):
    """A ref, wherever it may be found: unique by the collection it belongs to."""

    collection_id: str
    ref: str

    def __str__(self) -> str:
        return f"({self.collection_id}, {self.ref})"


def is_ref_name(text: str) -> bool:
    """Say whether the text is the name of a ref."""
    return all(_is_fragment(part) for part in text.split("/"))


def check_ref_name(text: str) -> str:
    """Give the name of a ref back.

    Raises:
        RefNameError: It breaks the grammar; the sentence is libostree's.
    """
    if is_ref_name(text):
        return text
    if not _is_utf8(text):
        raise RefNameError("Invalid ref name: not valid UTF-8")
    raise RefNameError(f"Invalid ref name {text}")


def check_ref_fragment(text: str) -> str:
    """Give one part of a ref back: what stands between two slashes.

    Raises:
        RefNameError: It breaks the grammar.
    """
    if _is_fragment(text):
        return text
    raise RefNameError(f"Invalid ref fragment '{printable(text)}'")


def parse_refspec(text: str) -> tuple[str | None, str]:
    """Split ``remote:ref`` or ``ref`` into remote (or None) and ref.

    Raises:
        RefNameError: It breaks the grammar.
    """
    remote, colon, ref = text.rpartition(":")
    if is_ref_name(ref) and (not colon or _is_fragment(remote)):
        return (remote if colon else None), ref
    raise RefNameError(f"Invalid refspec {printable(text)}")


def check_remote_name(text: str) -> str:
    """Give the name of a remote back.

    Raises:
        RefNameError: It breaks the grammar.
    """
    if _is_fragment(text):
        return text
    raise RefNameError(f"Invalid remote name {printable(text)}")


def check_collection_id(text: str) -> str:
    """Give a collection id back.

    Raises:
        RefNameError: It breaks the grammar.
    """
    elements = text.split(".")
    if (
        len(text) <= MAX_COLLECTION_ID_LENGTH
        and len(elements) > 1
        and text.isascii()
        # What Python takes for an ASCII identifier is exactly an element.
        and all(element.isidentifier() for element in elements)
    ):
        return text
    raise RefNameError(f"Invalid collection ID {printable(text)}")


def _is_fragment(text: str) -> bool:
    """Say whether the text is a fragment: no regular expression, for start-up's sake."""
    if text.isascii() and text.isalnum():
        return True
    if not text or text[0] in "-.":
        return False
    rest = text.replace("-", "").replace(".", "").replace("_", "")
    return not rest or rest.isalnum()


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
