# SPDX-License-Identifier: Apache-2.0
"""The front door: verbs of libostree's ``ostree``, and our own manners under the name ``ostrya``.

A verb parses, calls the library and prints; it holds nothing that a library user would miss. One
module per verb lies under :mod:`ostrya.cli.commands` and is imported when its verb is typed, so
start-up stays small. stdout carries data, stderr everything else. This room owns nothing on disk.

Called as ``ostree``, options, output and exit status are libostree's, to the byte where scripts
look. Called as ``ostrya``, there are ``--json`` and ``--progress`` besides, hints below errors, and
exit statuses that say which family an error belongs to.
"""
