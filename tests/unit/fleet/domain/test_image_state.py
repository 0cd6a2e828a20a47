# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import shutil

from ostrya.uptane.author import publish


def test_files_belong_to_one_timestamp(services, clock, tmp_path):
    state, folder = services.image_state, services.settings.path("image", "repository")
    first = state.files()
    assert set(first) == {"timestamp.json", "snapshot.json", "targets.json"}
    assert state.files() is first
    shutil.copytree(folder, tmp_path / "before")
    publish.publish(services.images.work, clock.now)
    # Publishing is under way: all but the timestamp is there.
    newest = (tmp_path / "new.json", os.path.join(folder, "timestamp.json"))
    shutil.copy(newest[1], newest[0])
    shutil.copy(tmp_path / "before" / "timestamp.json", newest[1])
    assert state.files() == first
    shutil.copy(newest[0], newest[1])
    after = state.files()
    assert after["timestamp.json"] != first["timestamp.json"]
    assert after["snapshot.json"] != first["snapshot.json"]


def test_nothing_whole(services):
    os.unlink(services.settings.path("image", "repository", "snapshot.json"))
    assert services.image_state.files() == {}
