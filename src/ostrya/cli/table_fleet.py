# SPDX-License-Identifier: Apache-2.0
"""The verbs of `ostrya fleet`, as in `ostrya.cli.table`."""

from __future__ import annotations

from ostrya.cli.verb import Repo, Verb

_FLEET_CAMPAIGN = (
    Verb(
        "abort", "fleet.campaign.abort", "End a campaign", Repo.NONE, reads=True, writes=True
    ),
    Verb(
        "create", "fleet.campaign.create", "Let many devices run an image, in waves", Repo.NONE,
        reads=True, writes=True,
    ),
    Verb("list", "fleet.campaign.list", "List campaigns", Repo.NONE, reads=True),
    Verb(
        "pause", "fleet.campaign.pause", "Let no more devices begin", Repo.NONE,
        reads=True, writes=True,
    ),
    Verb(
        "resume", "fleet.campaign.resume", "Let a campaign go on", Repo.NONE,
        reads=True, writes=True,
    ),
    Verb("show", "fleet.campaign.show", "Show how far a campaign is", Repo.NONE, reads=True),
)  # fmt: skip

_FLEET_GROUP = (
    Verb("add", "fleet.group.add", "Make a group, or put devices into it", Repo.NONE),
    Verb("list", "fleet.group.list", "List groups", Repo.NONE, reads=True),
    Verb("remove", "fleet.group.remove", "Take devices out of a group, or forget it", Repo.NONE),
    Verb("show", "fleet.group.show", "List the devices of a group", Repo.NONE, reads=True),
)

_FLEET_DEVICE = (
    Verb("add", "fleet.device.add", "Register a device", Repo.NONE),
    Verb("list", "fleet.device.list", "List devices", Repo.NONE, reads=True),
    Verb("remove", "fleet.device.remove", "Forget a device", Repo.NONE),
    Verb("revoke", "fleet.device.revoke", "Trust a device's certificates no more", Repo.NONE),
    Verb("show", "fleet.device.show", "Show all that is known of a device", Repo.NONE, reads=True),
)

_FLEET_TARGETS = (
    Verb("add", "fleet.targets.add", "Publish an image", Repo.NONE),
    Verb("list", "fleet.targets.list", "List images", Repo.NONE, reads=True),
    Verb("remove", "fleet.targets.remove", "Publish an image no more", Repo.NONE),
)

_FLEET_TOKEN = (
    Verb("add", "fleet.token.add", "Make a secret for a tool", Repo.NONE),
    Verb("list", "fleet.token.list", "List who was given a secret", Repo.NONE, reads=True),
    Verb("revoke", "fleet.token.revoke", "Withdraw all that a tool was given", Repo.NONE),
)

FLEET = (
    Verb(
        "assign", "fleet.assign", "Say what a device shall run", Repo.NONE, reads=True, writes=True
    ),
    Verb("backup", "fleet.backup", "Copy a server", Repo.NONE),
    Verb("campaign", "", "Updates for many devices, in waves", Repo.NONE, verbs=_FLEET_CAMPAIGN),
    Verb(
        "cancel", "fleet.cancel", "Take back what a device shall run", Repo.NONE,
        reads=True, writes=True,
    ),
    Verb("credentials", "fleet.credentials", "Write a credentials.zip", Repo.NONE),
    Verb("device", "", "Devices of a server", Repo.NONE, verbs=_FLEET_DEVICE),
    Verb("events", "fleet.events", "Show what happened on devices", Repo.NONE, reads=True),
    Verb("group", "", "Groups of devices", Repo.NONE, verbs=_FLEET_GROUP),
    Verb("init", "fleet.init", "Make a server", Repo.NONE),
    Verb("recover", "fleet.recover", "Let a server go on from a copy", Repo.NONE),
    Verb("serve", "fleet.serve", "Answer devices and tools", Repo.NONE, reads=True, writes=True),
    Verb("status", "fleet.status", "Show how a server is", Repo.NONE, reads=True),
    Verb("targets", "", "Images of a server", Repo.NONE, verbs=_FLEET_TARGETS),
    Verb("token", "", "Secrets of tools", Repo.NONE, verbs=_FLEET_TOKEN),
)  # fmt: skip
