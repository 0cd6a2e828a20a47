# SPDX-License-Identifier: Apache-2.0
"""Metadata of TUF and Uptane, as values; no I/O, no clock.

::

    {"signatures": [{"keyid", "sig", "method"}],
     "signed": {"_type", "version", "expires", …}}

    Root        whose keys may sign what, and how many have to
    Timestamp   which Snapshot is the newest
    Snapshot    which version each Targets file has
    Targets     images, and roles that others are trusted with

                   Uptane (aktualizr)                        TUF 1.0 (python-tuf)
    _type          Root                                      root
    signed bytes   JSON, sorted, ASCII                       canonical JSON of OLPC
    sig            base64, with a method                     hexadecimal
    key            {"keytype": "RSA", "keyval"}              … and a scheme
    files          targets.json, delegations/NAME.json       4.targets.json, 2.NAME.json

Bytes come from elsewhere: their size is bounded before they are read, their depth before they are
parsed. Fields that are not known stay, since signatures are over them.
"""
