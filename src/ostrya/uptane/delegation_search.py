# SPDX-License-Identifier: Apache-2.0
"""Who may speak of an image, and what they say: Targets, whom they trust, whom those trust.

Depth first, in the order of the lists. What an image is called has to be covered at every step
down. A role that is terminating ends the search, also when it says nothing. A file that is missing,
expired or not signed ends it too: a role that would have said something else must not be left out.

Source: Uptane Standard 2.1.0, sections 5.4.4.7 and 5.4.4.7.1; TUF specification 1.0, section 5.6.7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.named_tuple import NamedTuple
from ostrya.uptane import trusted_set
from ostrya.uptane.errors import MetadataTooLarge, TargetNotFound, UptaneRefusal
from ostrya.uptane.metadata.custom import hardware_ids_of, release_counter_of
from ostrya.uptane.metadata.dialect import Role
from ostrya.uptane.metadata.file_names import role_file
from ostrya.uptane.refresh import require, targets_of
from ostrya.uptane.steps import Accepted, Repository
from ostrya.uptane.trusted_set import Delegator

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import datetime

    from ostrya.uptane.metadata.delegations import DelegatedRole, Delegations
    from ostrya.uptane.metadata.targets import Image, Targets
    from ostrya.uptane.steps import Step
    from ostrya.uptane.trusted_set import Trusted


class Found(NamedTuple):
    """What became of a search.

    Attributes:
        image: None if nobody that was asked speaks of it.
        role: Who speaks of it.
        is_over: Nobody else may be asked.
    """

    image: Image | None
    role: str
    is_over: bool


class Question(NamedTuple):
    """What is searched.

    Attributes:
        name: Of the image.
        hardware_ids: Kinds of ECUs that it is for.
        now: What the time is.
    """

    name: str
    hardware_ids: frozenset[str]
    now: datetime


def find_image(
    found: Trusted, question: Question
) -> Generator[Step, bytes | None, tuple[Trusted, Image]]:
    """Return what an Image repository says of an image, and what is trusted after the search.

    Raises:
        TargetNotFound: It says nothing.
        UptaneError: A role that had to be asked is refused.
    """
    search = _Search(found, question)
    result = yield from search.ask(targets_of(found), Role.TARGETS.value, 0)
    if result.image is None:
        raise TargetNotFound(f"the {found.name} has no image {question.name}")
    return search.found, result.image


class _Search:
    """One walk down the roles.

    Attributes:
        found: What is trusted so far.
    """

    def __init__(self, found: Trusted, question: Question) -> None:
        self.found = found
        self._question = question
        self._asked: set[tuple[str, str]] = set()

    def ask(self, targets: Targets, role: str, depth: int) -> Generator[Step, bytes | None, Found]:
        """Look into Targets, and below them."""
        name = self._question.name
        if name in targets.images:
            return Found(targets.images[name], role, is_over=True)
        if targets.delegations is None:
            return Found(None, role, is_over=False)
        for one in targets.delegations.roles_for(
            self.found.dialect, name, self._question.hardware_ids
        ):
            result = yield from self._ask_role(one, targets.delegations, role, depth + 1)
            if result.image is not None or result.is_over or one.terminating:
                return result._replace(is_over=True)
        return Found(None, role, is_over=False)

    def _ask_role(
        self, one: DelegatedRole, delegations: Delegations, by: str, depth: int
    ) -> Generator[Step, bytes | None, Found]:
        answers: list[Found] = []
        for name, role_keys in one.members:
            delegator = Delegator(name, delegations.keys, role_keys, by)
            answers.append((yield from self._ask_member(delegator, depth)))
        return answers[0] if not one.agreement else _agree(answers, one.agreement)

    def _ask_member(self, delegator: Delegator, depth: int) -> Generator[Step, bytes | None, Found]:
        edge = (delegator.by, delegator.role)
        if edge in self._asked:
            # Asked before in this very search, and it said nothing.
            return Found(None, delegator.role, is_over=False)
        self._asked.add(edge)
        limits = self.found.limits
        if depth > limits.delegation_depth or len(self._asked) > limits.delegations:
            raise MetadataTooLarge(
                f"the {self.found.name} has delegations without end for {self._question.name}"
            )
        targets = yield from self._read_role(delegator)
        return (yield from self.ask(targets, delegator.role, depth))

    def _read_role(self, delegator: Delegator) -> Generator[Step, bytes | None, Targets]:
        now = self._question.now
        kept = self.found.files.get(delegator.role)
        if kept is not None:
            try:
                return trusted_set.accept_role(self.found, delegator, kept, now)[1]
            except UptaneRefusal:
                # Not the file that the snapshot lists now; that one is fetched.
                pass
        role = delegator.role
        version = trusted_set.listed_file(self.found, role).version
        file = role_file(self.found.dialect, self.found.root, role, version)
        limit = trusted_set.targets_bytes(self.found, role)
        data = yield from require(Repository.IMAGE, file, limit)
        self.found, targets = trusted_set.accept_role(self.found, delegator, data, now)
        yield Accepted(Repository.IMAGE, self.found)
        return targets


def _agree(answers: list[Found], agreement: int) -> Found:
    """Return what enough roles say alike; of two such answers that with the earliest role."""
    for one in answers:
        if one.image is None:
            continue
        said = _essence(one.image)
        same = [other for other in answers if other.image and _essence(other.image) == said]
        if len(same) >= agreement:
            return one
    return Found(None, answers[0].role if answers else "", is_over=False)


def _essence(image: Image) -> tuple[object, ...]:
    """Return what roles have to agree in."""
    hashes = {name: value.lower() for name, value in image.hashes.items()}
    where = "an image"
    return (
        image.length,
        hashes,
        sorted(hardware_ids_of(image, where)),
        release_counter_of(image, where),
    )
