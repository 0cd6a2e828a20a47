# SPDX-License-Identifier: Apache-2.0
"""``python -m ostrya``."""

from __future__ import annotations

from ostrya.cli.start import run

if __name__ == "__main__":
    run()
