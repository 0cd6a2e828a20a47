# SPDX-License-Identifier: Apache-2.0
"""A repository on the network: static HTTP over a directory descriptor, standard library only.

::

    requests    bytes of a request's head   → what is asked            (pure)
    paths       a request's target          → a path that may be shown (pure)
    conditions  ranges, tags and dates      → all, a part, or nothing  (pure)
    connection  one client, one thread: reads heads, sends answers
    server      the listener, its threads, and their end

Nothing is written, and nothing outside the directory is read: paths are opened below its
descriptor, and links out of it are not followed. A client may be slow, silent or senseless; it
takes one thread of a bounded number for a bounded time, and gets a status or the end of its
connection.
"""
