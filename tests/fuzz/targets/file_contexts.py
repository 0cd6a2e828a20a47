# SPDX-License-Identifier: Apache-2.0
"""SELinux policies: ``file_contexts``, its substitutions, and paths to look up."""

from __future__ import annotations

import stat

from ostrya.tree.errors import ContextsError
from ostrya.tree.selinux_contexts import FileContexts, parse_substitutions

PATHS = (b"/", b"/usr", b"/usr/bin/sh", b"/usr/lib/libc.so.6", b"/etc/passwd\n", b"/a//b/")
MANY_REPETITIONS = 8
TYPES = (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK)


def TestOneInput(data: bytes) -> object:  # noqa: N802
    """Parse, and look up paths: the input is contexts, substitutions and a path, NUL between."""
    contexts, _, rest = data.partition(b"\0")
    if sum(map(contexts.count, (b"*", b"+", b"?", b"{"))) > MANY_REPETITIONS:
        # Matching may then take any time, which SECURITY.md says of policies that are not trusted.
        return None
    substitutions, _, path = rest.partition(b"\0")
    found = FileContexts(shipped=parse_substitutions(substitutions))
    try:
        found.add_file(contexts, "file_contexts")
        labels = [found.lookup(name, mode) for name in (*PATHS, b"/" + path) for mode in TYPES]
    except ContextsError as exc:
        exc.message.encode("utf-8")
        return exc
    # A label is a word of the file, and asking again changes nothing.
    words = {word.decode("ascii", "replace") for word in contexts.split()}
    assert words.issuperset(label for label in labels if label is not None)
    assert labels[0] == found.lookup(PATHS[0], TYPES[0])
    return any(label is not None for label in labels) or None
