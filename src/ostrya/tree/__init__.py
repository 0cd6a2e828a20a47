# SPDX-License-Identifier: Apache-2.0
"""File trees in and out of commits: scanning, assembling, committing, checking out, comparing.

Main types: ``MutableTree`` (a tree being assembled), ``CommitModifier`` (what a commit changes
about the files it takes in), ``CheckoutOptions``. This room owns nothing on the disk: objects go
through a ``Transaction``, checkouts belong to the caller.

After a crash a checkout may be incomplete; a commit is there or not, as its transaction decides.
"""
