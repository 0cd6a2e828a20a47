# SPDX-License-Identifier: Apache-2.0
"""The server's tables, and every query of them: SQL lives nowhere else.

::

    schema      the tables
    versions/   how a database of an earlier program becomes one of this; run by `migrate`
    database    connections to read, and the one thread that writes
    devices     devices, certificates, ECUs, groups
    updates     assignments, what the Director says, campaigns
    log         events, reports, what devices say of themselves
    tokens      who may come by the other door

SQLite and PostgreSQL are spoken alike. All that changes something is a function of a connection,
handed to the writer, which does many of them in one transaction; so SQLite is never found locked.
"""
