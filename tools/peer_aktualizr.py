# SPDX-License-Identifier: Apache-2.0
"""The real aktualizr and garage-push at our server, and its ECUs with ours; keep what was seen.

The programs of the peer are not part of this project, and are not fetched or built here: the folder
that has them is named. Everything speaks to this machine itself. Deployments run as the root folder
of a mount namespace, so this needs root, or user namespaces.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import peer_commits
import peer_devices
import peer_ecus
import peer_moving
import peer_push
from demo import TOP
from demo_ota import VARIABLES
from full_run import table_line
from peer_checks import Unexpected
from peer_lab import Lab

PAGE = TOP / "docs" / "interop-aktualizr.md"
STORY = peer_commits.commit_image
GROUPS: dict[str, Sequence[Callable[[Lab], str]]] = {
    "aktualizr as a device": (
        peer_devices.shared_credentials, peer_devices.device_credentials,
        peer_devices.own_authority, peer_devices.key_types, peer_devices.device_data,
        peer_devices.taken_name, peer_devices.file_image, peer_devices.resumed_download,
        peer_devices.unusual_name, peer_devices.lost_image, peer_devices.polling,
        peer_devices.campaign, peer_devices.delegated_image, peer_devices.new_keys,
        peer_devices.rsa_server, peer_devices.published_metadata, peer_devices.by_hand,
    ),
    "Commits, and what is forged": (
        peer_commits.commit_image, peer_commits.by_delta, peer_commits.rolled_back,
        peer_commits.forged_commit, peer_commits.forged_file,
    ),
    "Other ECUs": (
        peer_ecus.theirs_with_theirs, peer_ecus.theirs_with_ours, peer_ecus.ours_with_theirs,
        peer_ecus.theirs_with_ours_ed25519, peer_ecus.ours_with_theirs_ed25519,
        peer_ecus.theirs_with_ours_tuf, peer_ecus.ours_with_theirs_tuf,
        peer_ecus.theirs_with_theirs_commit, peer_ecus.theirs_with_ours_commit,
        peer_ecus.ours_with_theirs_commit, peer_ecus.virtual, peer_ecus.taken_over,
        peer_ecus.theirs_with_ours_deceived, peer_ecus.ours_with_theirs_deceived,
    ),
    "garage-push": (
        peer_push.by_certificate, peer_push.by_password, peer_push.with_targets_key,
        peer_push.pulled_by_ostree, peer_push.pulled_by_ours, peer_push.same_as_ours,
        peer_push.nothing_left_for_ours, peer_push.dry_run, peer_push.moves_back,
        peer_push.by_checksum, peer_push.detached_metadata, peer_push.repo_manifest,
        peer_push.checked, peer_push.withdrawn,
    ),
    "From aktualizr to ours": (
        peer_moving.taken_over, peer_moving.gone_back, peer_moving.handed_over,
    ),
    "At the end": (peer_devices.revoked,),
}  # fmt: skip
_INTRODUCTION = """\
# aktualizr and garage-push at the other end: the last run

`make peer-aktualizr PEER=FOLDER` writes this page. FOLDER has the programs of the peer, all in
one place or where its own build leaves them: `aktualizr`, `aktualizr-info`, `aktualizr-get`,
`aktualizr-secondary`, `aktualizr-cert-provider`, `garage-push` and `garage-check`. They are no
part of this project; whoever has none cannot run this, and no other test needs them. They have
to be built with support for OSTree, and with the tools for servers. Needed beside them are Debian's
`ostree` and `lshw`.

A server of ours runs at one end, with the keys of its images elsewhere; at the other end are
devices that are folders. Where a commit is deployed, the deployment is the root folder of
aktualizr's process and libostree takes it for the booted one; a restart is played. All of it
speaks to this machine alone.

"""
_AFTER = """\
## What differs, and what to do

- **Reports that begin anew are refused for a while.** The server takes no report whose counter
  was there before. `ostrya ota run` goes on with the counter in aktualizr's table, and moves that
  on too, so either may follow the other; with a database that was deleted, as many reports are
  refused as were sent before. Updates are installed meanwhile, and told of in the end.
- **Two clients in turn** may see for two minutes what the server told the other one: what belongs
  to a timestamp of the Director, which aktualizr does not read, is kept together for so long.
- **What aktualizr refuses is told by its report alone.** It sends no event for metadata that it
  does not believe; the assignment has failed, with `VERIFICATION_FAILED` as the code. Ours sends
  an event with the reason, and leaves the assignment open.
- **An ECU of the type `Tuf`** sees the Image repository alone, and aktualizr's refuses it as
  soon as there is more than one image for its kind of hardware.
- **Deltas with a base are not found** by libostree when it pulls by checksum, as aktualizr does.
  One without a base (`ostrya static-delta generate --empty`) is.
- **`garage-push` needs `--cacert`** with the fleet's authority (`server_ca.pem` of the zip): it
  takes none from `credentials.zip`. It tries long before it gives up where the server turns it
  away.
- **Roles that aktualizr does not know**, those for updates without a network, are in the
  Director's root; aktualizr says so in its log four times, and goes on.
- garage-deploy signs by garage-sign, a program for the Java machine, which was not tried here.
"""


class Row(NamedTuple):
    """What one check told.

    Attributes:
        group: To which it belongs.
        title: What is checked.
        seen: What was seen, or what went wrong.
        seconds: How long it took.
        passed: Whether it went well.
    """

    group: str
    title: str
    seen: str
    seconds: float
    passed: bool


def run_check(lab: Lab, group: str, check: Callable[[Lab], str]) -> Row:
    """Run a check; whatever goes wrong is its result."""
    title = (check.__doc__ or check.__name__).strip().rstrip(".")
    lab.say(title)
    begun = time.monotonic()
    try:
        seen, passed = check(lab), True
    except (Exception, SystemExit) as exc:  # noqa: BLE001  # one result among others
        # What a command of ours said before it ended is in the log.
        told = str(exc) if isinstance(exc, Unexpected) else f"{type(exc).__name__}: {exc}"
        seen, passed = told, False
    row = Row(group, title, seen, time.monotonic() - begun, passed)
    mark = "ok    " if passed else "FAILED"
    print(f"{mark} {row.seconds:5.1f} s  {check.__name__}: {seen}", flush=True)
    return row


def play(lab: Lab, only: Sequence[str]) -> list[Row]:
    """Run all checks, or those that are named, on one server."""
    lab.make_server()
    rows = []
    with lab.served():
        lab.credentials("credentials")
        lab.run(f"--repo={lab.work / 'releases'}", "init", "--mode=archive")
        lab.make_release("1")
        for group, checks in GROUPS.items():
            wanted = [one for one in checks if not only or one.__name__ in only]
            rows += [run_check(lab, group, one) for one in wanted]
    return rows


def versions(lab: Lab) -> str:
    """Who was at the other end."""
    told = lab.peer("aktualizr", "--version").split("is: ")[-1].strip()
    library = subprocess.run(["ostree", "--version"], capture_output=True, text=True, check=False)
    number = library.stdout.partition("Version: '")[2].partition("'")[0] or "unknown"
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    release = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    return f"Run on {day} with aktualizr {told}, libostree {number}, on {release}."


def write_page(lab: Lab, rows: Sequence[Row]) -> None:
    """Keep what was seen."""
    failed = sum(not row.passed for row in rows)
    seconds = sum(row.seconds for row in rows)
    lines = [_INTRODUCTION + versions(lab), ""]
    lines += [f"{len(rows)} checks, {failed} of them failed, in {seconds:.0f} s.", ""]
    for group in GROUPS:
        lines += [f"## {group}", "", table_line("what", "result", "seen"), "|---|---|---|"]
        for row in rows:
            if row.group == group:
                result = "passed" if row.passed else "**failed**"
                lines.append(table_line(row.title, result, row.seen.replace("|", "\\|")))
        lines.append("")
    lines += ["## A commit, as it was typed", "", "```text", *story(lab), "```", ""]
    PAGE.write_text("\n".join(lines) + "\n" + _AFTER)


def story(lab: Lab) -> list[str]:
    """What was typed for the story, and what was said, in short paths."""
    text = lab.typed.read_text()
    begin = text.index((STORY.__doc__ or "").rstrip("."))
    part = text[begin:].partition("\n\n")[0]
    shorter = {f"{lab.work}/": "", ".venv/bin/ostrya": "ostrya", "--json": "--json"}
    for long, short in shorter.items():
        part = part.replace(long, short)
    return [line.strip() for line in part.splitlines()[1:] if line.strip()]


def main() -> int:
    """Run it; return how many checks failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("peer", type=Path, help="folder with the peer's programs")
    parser.add_argument("--work", type=Path, default=TOP / "build" / "peer-aktualizr")
    parser.add_argument("--only", nargs="+", default=(), help="checks; then no page is written")
    arguments = parser.parse_args()
    missing = [name for name in ("ostree", "lshw", "unshare") if shutil.which(name) is None]
    if missing:
        sys.exit(f"not installed: {', '.join(missing)}")
    work: Path = arguments.work.resolve()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    os.environ.update(VARIABLES)
    try:
        lab = Lab(work, arguments.peer.resolve())
    except Unexpected as exc:
        sys.exit(f"{exc}; PEER names the folder where aktualizr was built")
    rows = play(lab, arguments.only)
    if not arguments.only:
        write_page(lab, rows)
        print(f"written: {PAGE.relative_to(TOP)}")
    return sum(not row.passed for row in rows)


if __name__ == "__main__":
    sys.exit(main())
