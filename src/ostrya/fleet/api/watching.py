# SPDX-License-Identifier: Apache-2.0
"""For who watches a server: ``GET /health``, and ``GET /metrics`` in the words of Prometheus.

::

    /health    200 {"status": "ok", "problems": []}, 503 with what is wrong; anybody may ask
    /metrics   ostrya_fleet_devices 1000 …; with a secret that may `watch`

Source: Prometheus' text format 0.0.4.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ostrya import __version__
from ostrya.fleet.api.messages import JSON, Answer
from ostrya.fleet.domain.health import HELP, measure, problems

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ostrya.fleet.domain.health import Measurement
    from ostrya.fleet.domain.services import Services

HEALTH, METRICS = "/health", "/metrics"
_TEXT = b"text/plain; version=0.0.4; charset=utf-8"
_PREFIX = "ostrya_fleet_"


def health(services: Services) -> Answer:
    """Return whether the server can do its work."""
    found = list(problems(services))
    value = {"status": "failing" if found else "ok", "problems": found}
    return Answer(503 if found else 200, json.dumps(value).encode(), JSON)


def metrics(services: Services) -> Answer:
    """Return how much there is of everything."""
    doors = {name: look() for name, look in services.doors.items()}
    return Answer(200, write(measure(services, doors, __version__)).encode(), _TEXT)


def write(all_of_them: Iterable[Measurement]) -> str:
    """Return numbers as text, those of one name under their help."""
    lines = []
    before = ""
    for one in all_of_them:
        name = f"{_PREFIX}{one.name}"
        if one.name != before:
            kind, words = HELP[one.name]
            lines += [f"# HELP {name} {words}", f"# TYPE {name} {kind}"]
            before = one.name
        labels = ",".join(f'{key}="{_escaped(value)}"' for key, value in one.labels.items())
        lines.append(
            f"{name}{{{labels}}} {one.value:.15g}" if labels else f"{name} {one.value:.15g}"
        )
    return "\n".join((*lines, ""))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
