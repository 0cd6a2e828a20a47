#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the archives of this folder (a process id is in two of them), and prints what the installed ostree commits of them.
set -eu
cd "$(dirname "$0")"
tree=$(mktemp -d)
python3 - "$tree" <<'EOF'
import os, sys
os.chdir(sys.argv[1])
for name, pieces, size in (
    ("holes", [(16384 * at, 4096) for at in range(60)], 1 << 20),
    ("tail", [(0, 4096)], 5_000_001),
    ("head", [(1 << 20, 777)], (1 << 20) + 777),
    ("plain", [(0, 5000)], 5000),
):
    with open(name, "wb") as out:
        out.truncate(size)
        for offset, length in pieces:
            out.seek(offset)
            out.write(b"%08d" % offset * (length // 8) + b"x" * (length % 8))
EOF
pack() { tar --sparse --hole-detection=raw --sort=name --owner=0:0 --numeric-owner --mode=a=r,a+X \
    --mtime=@0 -C "$tree" "$@" -cf - . | gzip -9n; }
pack --format=gnu >sparse-gnu.tar.gz
for version in 0.0 0.1 1.0; do
    pack --format=posix --sparse-version=$version \
        --pax-option=delete=atime,delete=ctime,exthdr.name=%f >sparse-pax-$version.tar.gz
done
for archive in sparse-*; do
    ostree init --repo="$tree/repo" --mode=archive
    ostree commit --repo="$tree/repo" -b main --timestamp=@0 --tree=tar=$archive >/dev/null
    ostree ls --repo="$tree/repo" -dC main
done
rm -r "$tree"
