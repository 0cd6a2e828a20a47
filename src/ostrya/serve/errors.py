# SPDX-License-Identifier: Apache-2.0
"""What keeps a repository from being served."""

from __future__ import annotations

from ostrya.errors import RepoError


class ServeError(RepoError):
    """The server cannot begin: its address, its certificate, or the repository is not fit."""
