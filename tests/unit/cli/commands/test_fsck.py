# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest


@pytest.fixture
def damaged(sample):
    """The sample with one content object that is not what its name says."""
    victim = min(sample.path.glob("objects/*/*.filez"))
    victim.chmod(0o644)
    victim.write_bytes(victim.read_bytes()[:-3])
    return sample, victim.parent.name + victim.name.partition(".")[0]


STAGES = ["Validating refs...", "Validating refs in collections...", "Enumerating commits..."]


def test_a_sound_repository(run, sample):
    assert run.ok(sample.option, "fsck").lines == [
        *STAGES,
        "Verifying content integrity of 2 commit objects...",
        "object fsck of 2 commits completed successfully - no errors found.",
    ]
    found = run.ok(sample.option, "fsck", "-q").lines
    assert found == ["object fsck of 2 commits completed successfully - no errors found."]


def test_progress_lines_under_the_other_name(run, sample):
    found = run.as_ostree().ok(sample.option, "fsck").lines
    assert found[-2] == "fsck objects (12/12) 100%"


def test_the_first_problem_ends_it(run, damaged):
    sample, checksum = damaged
    found = run(sample.option, "fsck", "-q")
    assert found.status == 11
    assert found.error.startswith("In commits ")
    assert checksum in found.error


def test_all_problems_are_told(run, damaged):
    sample, checksum = damaged
    found = run(sample.option, "fsck", "-q", "--all")
    assert found.error == "Repository corruption encountered"
    assert checksum in found.err.splitlines()[0]


def test_delete_marks_commits_as_incomplete(run, damaged):
    sample, checksum = damaged
    found = run(sample.option, "fsck", "-q", "--delete")
    assert found.status == 11
    assert "Marking commit as partial: " in found.err
    assert not list(sample.path.glob(f"objects/{checksum[:2]}/{checksum[2:]}*"))
    again = run(sample.option, "fsck", "-q")
    assert again.error.endswith("partial commits from fsck-detected corruption")


def test_bindings(run, sample):
    run.ok(sample.option, "refs", "main", "--create=unbound")
    run.ok(sample.option, "fsck", "-q")
    message = run.fails(sample.option, "fsck", "-q", "--verify-bindings")
    assert "no requested ref ‘unbound’ in ref binding metadata (‘main’)" in message
    run.ok(sample.option, "refs", "--delete", "unbound")
    run.ok(sample.option, "fsck", "-q", "--verify-bindings")
    # The older commit is bound to a ref that points to the newer one.
    message = run.fails(sample.option, "fsck", "-q", "--verify-back-refs")
    assert "does not resolve to that commit" in message


def test_json(run, damaged, sample, schema):
    found = run(sample.option, "fsck", "--json", "--all")
    schema(found.json(), "fsck")
    assert found.json()["ok"] is False
    assert len(found.json()["problems"]) == 2


def test_json_of_a_sound_one(run, sample, schema):
    found = run.ok(sample.option, "fsck", "--json").json()
    schema(found, "fsck")
    assert (found["ok"], found["commits"], found["problems"]) == (True, 2, [])
