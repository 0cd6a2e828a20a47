# SPDX-License-Identifier: Apache-2.0
"""``python -m ostrya``."""

from __future__ import annotations

import sys

from ostrya.cli.start import main

if __name__ == "__main__":
    sys.exit(main())
