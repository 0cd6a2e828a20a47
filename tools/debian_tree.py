# SPDX-License-Identifier: Apache-2.0
"""Build the Debian trees that tests and the benchmark work on, once, into a cache folder.

``rel1`` is an installation of Debian as it was released; ``rel2`` is the same with the updates and
security suites on top. Both are directories without device nodes (no OSTree mode stores those),
owned as dpkg left them, which takes root. ``rel1.tar`` is the first as an archive.

The packages come from the sources that this machine's apt is set up with.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

NOT_ROOT = "not root"
CODENAME = "bookworm"
SUITES = {"rel1": (CODENAME,), "rel2": (CODENAME, f"{CODENAME}-updates", f"{CODENAME}-security")}
PACKAGES = (
    "linux-image-cloud-amd64", "systemd-sysv", "udev", "openssh-server", "python3", "perl", "git",
    "nginx-light", "network-manager", "curl", "ca-certificates", "e2fsprogs", "sudo", "less",
    "vim-tiny", "rsync",
)  # fmt: skip


class Source(NamedTuple):
    """One suite of one archive, as apt knows it."""

    uri: str
    suite: str
    signed_by: str

    def line(self) -> str:
        """The one-line form of sources.list."""
        option = f"[signed-by={self.signed_by}] " if self.signed_by else ""
        return f"deb {option}{self.uri} {self.suite} main"


def cache_folder() -> Path:
    """Where trees are kept between runs."""
    if chosen := os.environ.get("OSTRYA_BENCH_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "ostrya"


def parse_deb822(text: str) -> list[Source]:
    """Sources of a ``.sources`` file."""
    found = []
    for stanza in text.split("\n\n"):
        lines = [line for line in stanza.splitlines() if line and not line.startswith("#")]
        fields = {
            key.strip().lower(): value.split()
            for key, colon, value in (line.partition(":") for line in lines)
            if colon
        }
        if "deb" not in fields.get("types", []) or fields.get("enabled") == ["no"]:
            continue
        key = (fields.get("signed-by") or [""])[0]
        found += [
            Source(uri, suite, key)
            for uri in fields.get("uris", [])
            for suite in fields.get("suites", [])
        ]
    return found


def parse_list(text: str) -> list[Source]:
    """Sources of a classic ``sources.list``."""
    found = []
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if not words or words[0] != "deb":
            continue
        options = ""
        if words[1].startswith("["):
            end = next(i for i, word in enumerate(words) if word.endswith("]"))
            options = " ".join(words[1 : end + 1]).strip("[]")
            words[1 : end + 1] = []
        key = next((o[10:] for o in options.split() if o.startswith("signed-by=")), "")
        found.append(Source(words[1], words[2], key))
    return found


def apt_sources() -> list[Source]:
    """Every source this machine's apt is set up with."""
    top = Path("/etc/apt")
    found = []
    for path in [top / "sources.list", *sorted((top / "sources.list.d").glob("*"))]:
        if path.suffix == ".list" and path.is_file():
            found += parse_list(path.read_text())
        elif path.suffix == ".sources":
            found += parse_deb822(path.read_text())
    return found


def sources_for(release: str) -> list[str]:
    """The lines for one of our releases, as far as this machine has them."""
    known = apt_sources()
    lines = []
    for suite in SUITES[release]:
        match = next((source for source in known if source.suite == suite), None)
        if match is None:
            print(f"apt knows no suite {suite}: {release} is built without it", file=sys.stderr)
        else:
            lines.append(match.line())
    return lines


def can_build() -> str:
    """Empty if trees can be built here, else the reason why not."""
    if os.geteuid() != 0:
        return NOT_ROOT
    if shutil.which("mmdebstrap") is None:
        return "mmdebstrap is not installed"
    if not sources_for("rel1"):
        return f"apt has no source of {CODENAME}"
    return ""


def build(folder: Path, release: str) -> Path:
    """Build one release into the cache, or find it there; return its directory.

    Raises:
        subprocess.CalledProcessError: mmdebstrap failed; its log is beside the cache.
    """
    target = folder / release
    if target.is_dir():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"{release}.unfinished"
    if unfinished.exists():
        shutil.rmtree(unfinished)
    log = folder / f"{release}.log"
    argv = [
        "mmdebstrap", "--mode=root", "--format=directory", "--variant=important",
        f"--include={','.join(PACKAGES)}",
        CODENAME, str(unfinished), "-",
    ]  # fmt: skip
    print(f"building {release} with mmdebstrap, some minutes; log in {log}", flush=True)
    with log.open("w") as stream:
        subprocess.run(
            argv, input="\n".join(sources_for(release)) + "\n", text=True, check=True,
            stdout=stream, stderr=subprocess.STDOUT,
        )  # fmt: skip
    for entry in (unfinished / "dev").iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    unfinished.rename(target)
    return target


def build_tar(folder: Path) -> Path:
    """The first release as a tar archive with xattrs."""
    target = folder / "rel1.tar"
    if not target.exists():
        tree = build(folder, "rel1")
        unfinished = target.with_suffix(".unfinished")
        argv = ["tar", "--xattrs", "--xattrs-include=*", "--numeric-owner", "-C", str(tree)]
        subprocess.run([*argv, "-cf", str(unfinished), "."], check=True)
        unfinished.rename(target)
    return target


def main() -> int:
    """Build what is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("releases", nargs="*", default=["rel1", "rel2"], choices=[*SUITES, []])
    args = parser.parse_args()
    if reason := can_build():
        print(f"cannot build the Debian tree: {reason}", file=sys.stderr)
        return 1
    for release in args.releases:
        print(build(cache_folder(), release))
    return 0


if __name__ == "__main__":
    sys.exit(main())
