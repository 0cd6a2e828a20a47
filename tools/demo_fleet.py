# SPDX-License-Identifier: Apache-2.0
"""The demo's second half: two signed repositories on the network, and a device that pulls.

What was tampered with on the way, and what somebody else signed, is refused.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demo import Demo

MACHINES = ("am335x", "imx8mm")
CHANNELS = {"stable": "2.0", "unstable": "2.1"}
IMAGE = "demo"
START_TIMEOUT_S = 20


def play(demo: Demo, release: Path) -> None:
    """All steps."""
    demo.say("A key to sign with, and one for devices to verify with")
    vendor = demo.work / "vendor"
    demo.run("keygen", vendor)
    for channel, version in CHANNELS.items():
        demo.say(f"A repository of {channel} images for two machines, signed")
        fill(demo, channel, version, release)
    with ExitStack() as stack:
        demo.say("Both on the network")
        urls = {name: stack.enter_context(served(demo, name)) for name in CHANNELS}
        demo.say("A device pulls what the vendor signed")
        device = repo_option(demo, "device")
        demo.run(device, "init", "--mode=bare-user-only")
        for channel, url in urls.items():
            add_remote(demo, device, channel, url, vendor)
        print_lines(demo, demo.run(device, "remote", "refs", "stable"))
        for channel in CHANNELS:
            demo.run(device, "pull", channel, ref_of(channel, MACHINES[0]), progress=True)
        print_lines(demo, demo.run(device, "refs"))
        show_tampering(demo, device)
        show_stranger(demo, device)
        demo.say("The device has what it had")
        demo.run(device, "fsck", progress=True)
        print_lines(demo, demo.run(device, "refs"))


def ref_of(channel: str, machine: str) -> str:
    """The ref of an image."""
    return f"{CHANNELS[channel]}-{machine}-{IMAGE}"


def repo_option(demo: Demo, name: str) -> str:
    """``--repo`` for one of the demo's repositories."""
    return f"--repo={demo.shown(demo.work / name)}"


def fill(demo: Demo, channel: str, version: str, release: Path) -> None:
    """Make a repository with an image for each machine: the system's settings, and its own."""
    repo = repo_option(demo, channel)
    # A tree that is not a system's may have none; then it is all of it.
    settings = release / "etc" if (release / "etc").is_dir() else release
    demo.run(repo, "init", "--mode=archive")
    for machine in MACHINES:
        own = demo.work / "machines" / f"{version}-{machine}"
        (own / "etc").mkdir(parents=True)
        (own / "etc" / "machine-type").write_text(f"{machine}\n")
        (own / "etc" / "release").write_text(f"{version} for {machine}\n" * 200)
        commit(demo, repo, ref_of(channel, machine), "vendor", settings, own / "etc")
    demo.run(repo, "summary", "--update")


def commit(demo: Demo, repo: str, ref: str, signer: str, *trees: Path) -> None:
    """Commit trees on top of each other, signed."""
    demo.run(
        repo, "commit", f"--branch={ref}", f"--subject={ref}", "--canonical-permissions",
        f"--sign-from-file={demo.shown(demo.work / signer)}.secret",
        *(f"--tree=dir={demo.shown(tree)}" for tree in trees),
        progress=True,
    )  # fmt: skip


def add_remote(demo: Demo, device: str, channel: str, url: str, vendor: Path) -> None:
    """Let the device know a channel, and whose signatures count there."""
    key = f"--sign-verify=ed25519=file:{vendor}.public"
    demo.run(device, "remote", "add", "--no-gpg-verify", key, channel, url)


@contextmanager
def served(demo: Demo, name: str) -> Iterator[str]:
    """Serve a repository on the loopback; its address."""
    port_file = demo.work / f"{name}.port"
    words = (
        "serve", repo_option(demo, name), "--address=127.0.0.1", "--port=0",
        f"--port-file={demo.shown(port_file)}",
    )  # fmt: skip
    argv = demo.type(*words, after=" &")
    quiet = subprocess.DEVNULL
    with subprocess.Popen(argv, stdout=quiet, stderr=quiet) as process:
        try:
            yield f"http://127.0.0.1:{wait_for(port_file, process)}"
        finally:
            process.terminate()


def wait_for(port_file: Path, process: subprocess.Popen[bytes]) -> int:
    """Wait until the server has told its port."""
    for _ in range(START_TIMEOUT_S * 50):
        if process.poll() is not None:
            break
        if port_file.exists():
            return int(port_file.read_text())
        time.sleep(0.02)
    sys.exit("the server does not start")


def show_tampering(demo: Demo, device: str) -> None:
    """Change an object of the unstable repository behind its back, and pull it."""
    demo.say("Somebody changes a file on the server: refused")
    repo = repo_option(demo, "unstable")
    ref = ref_of("unstable", MACHINES[1])
    found = json.loads(demo.run(repo, "ls", "--json", "-C", ref, "/release"))
    checksum = entry_checksum(found)
    path = demo.work / "unstable" / "objects" / checksum[:2] / f"{checksum[2:]}.filez"
    data = bytearray(path.read_bytes())
    data[-8] ^= 0xFF
    path.chmod(0o644)
    path.write_bytes(data)
    demo.console.print(f"   [dim]one byte of {demo.shown(path)} is another now[/dim]")
    demo.run(device, "pull", "unstable", ref, refused=True)


def entry_checksum(found: object) -> str:
    """The checksum of the one file in what ``ls --json`` printed."""
    entries = found if isinstance(found, list) else found["entries"]  # type: ignore[index]
    return str(entries[0]["checksum"])


def show_stranger(demo: Demo, device: str) -> None:
    """Offer a commit that somebody else signed."""
    demo.say("Somebody else signs an image: refused")
    demo.run("keygen", demo.work / "stranger")
    repo = repo_option(demo, "stable")
    ref = ref_of("stable", MACHINES[0])
    commit(demo, repo, ref, "stranger", demo.work / "machines" / f"2.1-{MACHINES[0]}")
    demo.run(repo, "summary", "--update")
    demo.run(device, "pull", "stable", ref, refused=True)


def print_lines(demo: Demo, text: str) -> None:
    """What a command printed."""
    for line in text.splitlines():
        demo.console.print(f"   {line}", markup=False)
