# SPDX-License-Identifier: Apache-2.0
"""The points of a change to what boots next that can be waited for; tests cut the power at them.

Each is told to where ``OSTRYA_TRACE`` leads (`ostrya._linux.trace`), in the order of the change.
"""

from __future__ import annotations

from enum import StrEnum


class Point(StrEnum):
    """A point, by its name in the trace."""

    DEPLOY_BEGUN = "deploy.begun"
    DEPLOY_CHECKED_OUT = "deploy.checked-out"
    DEPLOY_LAID_OUT = "deploy.laid-out"
    DEPLOY_MERGED = "deploy.merged"
    DEPLOY_FINISHED = "deploy.finished"

    STAGE_REHEARSED = "stage.rehearsed"
    STAGE_NOTED = "stage.noted"
    STAGE_DONE = "stage.done"

    FINALIZE_BEGUN = "finalize.begun"
    FINALIZE_FORGOTTEN = "finalize.forgotten"
    FINALIZE_MERGED = "finalize.merged"
    FINALIZE_WRITTEN = "finalize.written"
    FINALIZE_DONE = "finalize.done"

    WRITE_BEGUN = "write.begun"
    WRITE_TRIAL_BEGUN = "write.trial-begun"
    WRITE_ENTRIES_WRITTEN = "write.entries-written"
    WRITE_LINKS_MADE = "write.links-made"
    WRITE_LINKS_SWAPPED = "write.links-swapped"
    WRITE_LOADER_FILE_WRITTEN = "write.loader-file-written"
    WRITE_SYNCED = "write.synced"
    WRITE_SWAPPED = "write.swapped"
    WRITE_FLUSHED = "write.flushed"
    WRITE_AFTER_SWAP = "write.after-swap"
    WRITE_DONE = "write.done"
    WRITE_CLEANED_UP = "write.cleaned-up"

    LOADER_FILE_KEPT = "loader.file-kept"
    LOADER_FILE_REPLACED = "loader.file-replaced"

    GOOD_BEGUN = "mark-good.begun"
    GOOD_REMEMBERED = "mark-good.remembered"
    GOOD_DONE = "mark-good.done"

    BAD_BEGUN = "mark-bad.begun"
    BAD_REMEMBERED = "mark-bad.remembered"
    BAD_DONE = "mark-bad.done"

    RECORD_BEGUN = "record.begun"
    RECORD_COPY_WRITTEN = "record.copy-written"
    RECORD_WRITTEN = "record.written"

    SETTLE_BEGUN = "settle.begun"
    SETTLE_REMEMBERED = "settle.remembered"
    SETTLE_DONE = "settle.done"
