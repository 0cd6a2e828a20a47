# SPDX-License-Identifier: Apache-2.0
"""The content-addressed store: objects, refs, transactions, and what keeps them sound.

On disk, under the repository's directory::

    config                      key file: core.repo_version=1, core.mode, remotes …
    .lock                       shared by writers, exclusive for prune
    objects/ab/cdef….commit     loose objects, named by SHA-256; suffix by type and mode
    refs/heads/<ref>            one line: the commit's checksum; a symbolic link is an alias
    refs/remotes/<remote>/<ref>
    refs/mirrors/<collection>/<ref>
    state/<commit>.commitpartial   the commit's objects are known to be incomplete
    tmp/staging-<boot id>-<random>/  objects of a transaction not yet committed
    tmp/staging-…-lock               held while its transaction runs
    tmp/cache/                  summaries of remotes
    summary                     ref → commit, for remotes to read

Main types: ``Repository`` (open handles and facts), ``Transaction``, ``ObjectWriter``,
``FileObject``. All else is functions that take a ``Repository``.

After a crash: objects are either absent or whole, since they get their names only once their
data is on the disk; refs are old or new; a staging directory of this boot is taken up again by
the next transaction, one of an earlier boot is deleted, because its data may not have reached
the disk.
"""
