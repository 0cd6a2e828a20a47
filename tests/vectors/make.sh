#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the vectors of the folder named after the installed ostree's version, by that ostree.
# Same ostree, same bytes: times, owners and keys are fixed. Needs setfattr and user xattrs.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
version=$(ostree --version | sed -n "s/^ Version: '\(.*\)'/\1/p")
out=$here/ostree-$version
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
umask 022
export OSTREE_DUMMY_SIGN_ENABLED=1

ostree init --repo=repo --mode=archive --collection-id=org.example.Vectors
ostree config --repo=repo set core.tombstone-commits true

# A directory of everything: attributes, links, names of all lengths, a wide and a very wide one.
mkdir -p tree/empty tree/names tree/wide tree/very-wide tree/sticky
chmod 1777 tree/sticky
printf 'hello\n' > tree/file
printf '#!/bin/sh\n' > tree/program
chmod 4755 tree/program
ln -s file tree/link
ln -s "/usr/share/$(printf 'x%.0s' $(seq 250))/é" tree/long-link
setfattr -n user.zeta -v last tree/file
setfattr -n user.alpha -v "$(printf 'v%.0s' $(seq 300))" tree/file
setfattr -n user.note -v directory tree/empty
for length in 1 188 189 190 220 221 222 223 250 255; do
    name=$(printf 'n%.0s' $(seq "$length"))
    printf x > "tree/names/$name"
    mkdir "tree/names/d${name#n}"
done
printf x > 'tree/names/ünï→𝄞'
for i in $(seq -w 8); do printf x > "tree/wide/f$i"; done
for i in $(seq -w 1800); do printf x > "tree/very-wide/f$i"; done

commit="ostree commit --repo=repo --owner-uid=0 --owner-gid=7 --no-bindings"
# A directory without anything is the smallest of all.
mkdir nothing
$commit -b nothing --tree=dir=nothing --timestamp=@0 -s '' > /dev/null
$commit -b gone --tree=dir=nothing --timestamp=@1 -s 'to be deleted' > gone
$commit -b full --tree=dir=tree --timestamp=@1234567890 -s 'First: ünïcode' \
    -m 'A body
of two lines.' --generate-sizes --add-metadata-string=version=1.0 > /dev/null
ostree commit --repo=repo --owner-uid=0 --owner-gid=7 -b full --tree=dir=tree \
    --timestamp='2033-05-18 03:33:20 +0000' -s second --bind-ref=full --bind-ref=other \
    --add-metadata=example.dict="{'a': <uint32 1>, 'b': <[byte 1, 2]>}" \
    --add-metadata=example.list="[('x', @mi nothing), ('y', 5)]" \
    --add-metadata=example.double=1.5 \
    --add-detached-metadata-string=example.note=detached \
    --sign-type=dummy --sign=a-dummy-key > /dev/null
ostree refs --repo=repo --delete gone
ostree prune --repo=repo --refs-only > /dev/null

rm -rf "$out"
mkdir "$out"
for path in repo/objects/*/*; do
    rest=${path#repo/objects/}
    cp "$path" "$out/${rest%%/*}${rest#*/}"
done
cp repo/config "$out/config"
# The summary holds the time it was made: it is the one file here that differs each time.
ostree summary --repo=repo -u --add-metadata=example.key="'value'"
cp repo/summary "$out/summary"
cp gone "$out/deleted-commit"
chmod 644 "$out"/*
