# SPDX-License-Identifier: Apache-2.0
"""libselinux's answers, by Debian's python3-selinux: run with /usr/bin/python3, not imported.

Takes the folder of a policy as argument, lines ``MODE PATH`` on standard input; prints JSON.
"""

from __future__ import annotations

import json
import os
import sys

if __name__ == "__main__":
    import selinux

    selinux.selinux_set_policy_root(sys.argv[1])
    handle = selinux.selabel_open(selinux.SELABEL_CTX_FILE, None, 0)
    labels: list[str | None] = []
    for line in sys.stdin.buffer.read().split(b"\0")[:-1]:
        mode, _, path = line.partition(b" ")
        try:
            labels.append(selinux.selabel_lookup_raw(handle, os.fsdecode(path), int(mode))[1])
        except FileNotFoundError:
            labels.append(None)
    json.dump(labels, sys.stdout)
