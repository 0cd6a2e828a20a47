# SPDX-License-Identifier: Apache-2.0
"""Getting bytes from elsewhere: HTTP and files, many requests at a time, each with a limit.

A caller submits requests under keys of its own and takes completions as they come, in no order::

    with HttpFetcher(options, spool_dir_fd) as fetcher:
        fetcher.submit("a key", Request((url,), max_bytes=1024 * 1024))
        for key, answer in fetcher.wait(None):
            ...

What is wrong with one request is an error in its place among the completions; ``wait`` itself
raises only when the caller is interrupted. Nothing here trusts a server: no body is longer than its
request allows, in memory or on the disk, and what a body *is* the caller finds out.

This room owns nothing on disk but the cookies of a remote, ``<remote>.cookies.txt``; bodies too
large for memory go to files without names, which a crash leaves no trace of. A fetcher belongs to
one thread of one process.
"""
