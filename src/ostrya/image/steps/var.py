# SPDX-License-Identifier: Apache-2.0
"""What becomes of what is in ``/var``: a policy for every part of it.

A path without a policy of its own has that of the directory that it is in; ``/var`` itself is a
seed, unless somebody says otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostrya.image.decisions import listed
from ostrya.image.policies import VarPolicy
from ostrya.image.steps.fragment import FACTORY, Wanted
from ostrya.tree.mutable_tree import MutableTree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ostrya.image.decisions import Report
    from ostrya.image.tree import TreeEditor

_VAR = "var"
# What lasts on a device is told in full.
_ALL = 1000
_HINT = "take it out of the root file system, or choose another policy for it: seed, factory, drop"


def settle_var(
    editor: TreeEditor, report: Report, policies: Mapping[str, VarPolicy]
) -> list[Wanted]:
    """Apply the policies; return what a device has to have in ``/var``."""
    step = _Step(editor, report, policies)
    step.run(_VAR, policies.get(_VAR, VarPolicy.SEED))
    for path in sorted(policies):
        if path != _VAR and path not in step.seen:
            report.tell("var.absent", path, f"there is no /{path}, for which there is a policy")
    if step.seeds:
        report.tell(
            "var.seed", _VAR, f"kept what a device begins with in /var: {listed(step.seeds, _ALL)}"
        )
    return step.wanted


class _Step:
    def __init__(
        self, editor: TreeEditor, report: Report, policies: Mapping[str, VarPolicy]
    ) -> None:
        self.seen = {_VAR}
        self.seeds: list[str] = []
        self.wanted: list[Wanted] = []
        self._editor = editor
        self._report = report
        self._policies = policies

    def run(self, path: str, policy: VarPolicy) -> None:
        """Apply a policy to a path, but for what has another one below."""
        below = [other for other in self._policies if other.startswith(f"{path}/")]
        if path != _VAR and not below:
            self._apply(path, policy)
            return
        for name in self._editor.names(path):
            child = f"{path}/{name}"
            own = self._policies.get(child)
            if own is not None:
                self.seen.add(child)
            self.run(child, policy if own is None else own)

    def _apply(self, path: str, policy: VarPolicy) -> None:
        editor, report = self._editor, self._report
        files = _count(editor.find(path))
        what = f"/{path}" if not files else f"/{path}: {files} file{'s' * (files > 1)}"
        if policy is VarPolicy.SEED:
            if files:
                self.seeds.append(f"/{path}")
        elif policy is VarPolicy.DROP:
            editor.remove(path)
            report.tell("var.drop", path, f"dropped {what}")
        elif policy is VarPolicy.FACTORY:
            self._to_factory(path, what)
        elif files:
            report.conflict("var.conflict", path, f"there is something in {what}", _HINT)

    def _to_factory(self, path: str, what: str) -> None:
        editor, place = self._editor, f"{FACTORY}/{path}"
        if conflicts := editor.move(path, place):
            self._report.conflict(
                "var.conflict",
                path,
                f"/{path} cannot be moved to /{place}: there is another /{conflicts[0]}",
            )
            return
        self.wanted.append(Wanted("C", f"/{path}"))
        self._report.tell("var.factory", path, f"moved {what} to /{FACTORY}")


def _count(found: object) -> int:
    """Return how many files there are, a file itself included."""
    if found is None:
        return 0
    if not isinstance(found, MutableTree):
        return 1
    return len(found.files()) + sum(_count(child) for child in found.dirs().values())
