# SPDX-License-Identifier: Apache-2.0
"""Keys and metadata of a repository, kept by one person at a laptop.

::

    DIR/
    ├── author.json          dialect, kind, lifetimes
    ├── keys/                NAME.sec (0600) and NAME.pub, unless they are kept elsewhere
    ├── staged/              what is to be published, and waits for signatures
    └── repository/          what is served: 1.root.json … timestamp.json, delegations/, targets/

Changes are staged first. They are published together, once everything that is staged has enough
signatures; where keys lie on several media, each is put in, one after the other, and signs. What is
published is written in an order in which no file names one that is not there, the timestamp last.
After a crash, signing again goes on from there: what is staged is deleted last.

Nothing here needs a network. Secret keys never leave the folders that they were made in.
"""
