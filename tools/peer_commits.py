# SPDX-License-Identifier: Apache-2.0
"""aktualizr deploys commits of our server, and refuses what its makers did not sign."""

from __future__ import annotations

from demo_ota import forge
from peer_checks import expect, expect_in, expect_so
from peer_devices import DOWNLOADED, history
from peer_lab import Device, Lab, Wish


def commit_image(lab: Lab) -> str:
    """A commit is pulled from our treehub, deployed, and reported after the restart."""
    device = lab.make("tree", Wish(commit=lab.newest(), key_type="ED25519"))
    lab.cycle(device)
    image = lab.add_commit("2")
    lab.fleet("assign", device.name, image)
    lab.cycle(device)
    expect(list(lab.states(device).values()), [(image, "applied")], "before the restart")
    lab.cycle(device)
    expect(list(lab.states(device).values()), [(image, "applied")], "still before the restart")
    lab.boot(device)
    lab.cycle(device)
    expect(list(lab.states(device).values()), [(image, "done")], "after the restart")
    expect_in(
        [*DOWNLOADED, "EcuInstallationApplied", "EcuInstallationCompleted"],
        lab.events(device),
        "events",
    )
    lab.run("fsck", f"--repo={device.top}/sysroot/ostree/repo")
    for words in (("device", "show", device.name), ("events", f"--device={device.name}")):
        lab.show(lab.fleet(*words))
    return "applied, and done only after the restart; the device's repository verified by ours"


def rolled_back(lab: Lab) -> str:
    """A device that comes back from its new release says so."""
    device = Device("tree", lab.work / "tree")
    image = lab.add_commit("3")
    lab.fleet("assign", device.name, image)
    lab.cycle(device)
    lab.run("admin", f"--sysroot={device.top}/sysroot", "undeploy", "0")
    lab.boot(device)
    lab.cycle(device)
    (row,) = [one for one in history(lab, device) if one["target"] == image]
    expect(row["state"], "failed", "the assignment")
    return f"failed: {row['code']}, {row['reason']}"


def by_delta(lab: Lab) -> str:
    """A static delta of our treehub is what aktualizr's libostree pulls: one that needs no base."""
    device = Device("tree", lab.work / "tree")
    (old,) = [name.rpartition("-")[2] for name in lab.images(device).values()]
    image = lab.add_commit("4")
    new = lab.newest()
    treehub = f"--repo={lab.work}/server/treehub"
    lab.run(treehub, "static-delta", "generate", f"--from={old}", f"--to={new}")
    lab.run(treehub, "static-delta", "generate", "--empty", f"--to={new}")
    lab.fleet("assign", device.name, image)
    said = lab.cycle(device)
    lab.boot(device)
    lab.cycle(device)
    expect(list(lab.states(device).values()), [(image, "done")], "the assignment")
    expect_so("1 delta parts" in said, "it fetches a part of a delta")
    return "a delta without a base; libostree seeks none with a base for a pull by checksum"


def forged_commit(lab: Lab) -> str:
    """Whoever holds the server cannot make aktualizr install a commit."""
    device = Device("tree", lab.work / "tree")
    before = lab.deployed(device.name)
    forged = lab.make_release("of a stranger")
    lab.run(
        f"--repo={lab.work}/releases", "push", str(lab.work / "credentials.zip"), "os/stable"
    )  # fmt: skip
    image = forge(lab, device.name, forged)
    lab.cycle(device)
    return refused(lab, device, image, lab.deployed(device.name) == before)


def forged_file(lab: Lab) -> str:
    """Nor a file, where images are files."""
    device = lab.make("forged", Wish())
    lab.cycle(device)
    image = forge(lab, device.name, "0" * 64)
    lab.cycle(device)
    return refused(lab, device, image, not any(device.image.iterdir()))


def refused(lab: Lab, device: Device, image: str, untouched: object) -> str:
    """See that an image was refused, and nothing changed."""
    state = [pair for pair in lab.states(device).values() if pair[0] == image]
    expect_so(untouched, "the device is as it was")
    expect([pair[1] in {"pending", "failed"} for pair in state], [True], f"{state} is open")
    expect_so(image not in lab.images(device).values(), "it does not run the forged image")
    (row,) = [one for one in history(lab, device) if one["target"] == image]
    expect((row["state"], row["code"]), ("failed", "VERIFICATION_FAILED"), "the assignment")
    return f"refused, nothing installed; failed: {row['code']}"
