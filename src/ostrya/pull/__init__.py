# SPDX-License-Identifier: Apache-2.0
"""Making a commit present here: deciding what is missing, getting it, verifying it.

Marks a commit partial before its first object arrives, and complete after its last one is on
the disk: an interrupted pull leaves a commit that everybody knows to be incomplete, and the
next pull goes on from there.

Pushing is the same walk the other way: ``push`` decides, a ``PushTarget`` does. Nothing is sent
before what it holds, refs are compared before they are replaced, and the summary comes last.
"""
