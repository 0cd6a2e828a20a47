# SPDX-License-Identifier: Apache-2.0
"""Many devices: who they are, what they shall run, and what became of it.

::

    DIR/
    ├── fleet.toml        settings
    ├── fleet.db          the database, where it is SQLite
    ├── ca/               the authority of the fleet: ca.pem, ca.key, server.pem, server.key
    ├── director/         a workplace of `ostrya ota`: keys and root of the Director
    ├── image/            another: the Image repository, with the images that are files
    ├── treehub/          an OSTree repository, archive
    └── admin.sock        while the server runs: the doors for its owner

    server, app           one process: listeners, TLS, and which request goes where
    api                   requests and answers, one module for each kind
    auth                  who is asking
    domain                what is allowed and what follows; no HTTP
    db                    tables and queries; SQL is nowhere else
    certificates          the fleet's authority
    settings              one file

A device is who its certificate says that it is, on the very connection that asks. No header and no
path names one. Whoever does not come as a device comes by another door, to which no certificate of
a device opens.

Everything here needs the extra ``ostrya[fleet]``.
"""
