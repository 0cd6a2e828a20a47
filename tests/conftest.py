# SPDX-License-Identifier: Apache-2.0
"""What every test may ask for, and which tests are left out here and why."""

from __future__ import annotations

import functools
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import mounts
from support.commands import OURS, PEER, PEER_PATH, Command, have

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
ALLOWED_SKIPS = Path(__file__).resolve().parent / "allowed-skips.txt"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--crash-full", action="store_true", help="every crash point, not an even sample"
    )
    parser.addoption(
        "--rootfs-full",
        action="store_true",
        help="the Debian tree in all modes on all file systems",
    )
    parser.addoption("--pivot-root", action="store_true", help="the boot matrix by pivot_root")
    parser.addoption("--vm-full", action="store_true", help="also the boots that take long")
    parser.addoption("--no-rootfs", action="store_true", help="leave out tests on the Debian tree")


@functools.cache
def rootfs_reason() -> str:
    """Empty if the Debian tree is here or can be built, else why not."""
    import debian_tree

    if (debian_tree.cache_folder() / "rel1").is_dir() and os.geteuid() == 0:
        return ""
    return debian_tree.can_build()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, with the reason, what this machine cannot do."""
    if item.get_closest_marker("root") and os.geteuid() != 0:
        pytest.skip("needs root")
    if item.get_closest_marker("peer") and not PEER_PATH.exists():
        pytest.skip("needs Debian's ostree")
    if item.get_closest_marker("loop") and (reason := mounts.missing("tmpfs")):
        pytest.skip(reason)
    if item.get_closest_marker("vm") and not have("qemu-system-x86_64"):
        pytest.skip("needs qemu-system-x86_64")
    if item.get_closest_marker("vm_full") and not item.config.getoption("--vm-full"):
        pytest.skip("--vm-full runs it")
    if item.get_closest_marker("crash") and not have("strace"):
        pytest.skip("needs strace")
    if item.get_closest_marker("rootfs"):
        if item.config.getoption("--no-rootfs"):
            pytest.skip("--no-rootfs")
        if reason := rootfs_reason():
            pytest.skip(f"no Debian tree: {reason}")


def unexpected_skips(config: pytest.Config) -> list[str]:
    """Reasons of skipped tests that are not allowed where everything is installed."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("CI") or os.geteuid() != 0:
        return []
    lines = ALLOWED_SKIPS.read_text(encoding="utf-8").splitlines()
    allowed = [line for line in lines if line and not line.startswith("#")]
    found = set()
    for report in reporter.stats.get("skipped", []):
        if isinstance(report.longrepr, tuple):
            reason = str(report.longrepr[2]).removeprefix("Skipped: ")
            if not any(re.match(pattern, reason) for pattern in allowed):
                found.add(f"{report.longrepr[0]}:{report.longrepr[1]}: {reason}")
    return sorted(found)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Let CI fail for a test that it skips for want of something."""
    if not hasattr(session.config, "workerinput") and unexpected_skips(session.config):
        session.exitstatus = exitstatus or pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Name those tests."""
    for line in unexpected_skips(config):
        terminalreporter.write_line(f"ERROR skipped although CI has all that it needs: {line}")


@pytest.fixture
def ours() -> Command:
    """Our command."""
    return OURS


@pytest.fixture
def peer() -> Command:
    """Debian's command; ask for it in tests marked ``peer``."""
    return PEER


@pytest.fixture
def crash_full(request: pytest.FixtureRequest) -> bool:
    """Whether every crash point is wanted."""
    return bool(request.config.getoption("--crash-full"))


@pytest.fixture(scope="session")
def disk_folder() -> Iterator[Path]:
    """A directory on a disk file system (a temporary directory may be a tmpfs), emptied at the end."""
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="ostrya-test-", dir="/var/tmp"))
    yield folder
    mounts.unmount(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def debian_tree_path() -> Path:
    """The Debian root file system, built once; for tests marked ``rootfs``."""
    import debian_tree
    from filelock_once import locked

    folder = debian_tree.cache_folder()
    with locked(folder / "build.lock"):
        return debian_tree.build(folder, "rel1")


@pytest.fixture(scope="session")
def debian_update_path(debian_tree_path) -> Path:
    """The same with updates and security fixes, built once; for tests marked ``rootfs``."""
    import debian_tree
    from filelock_once import locked

    folder = debian_tree_path.parent
    with locked(folder / "build.lock"):
        return debian_tree.build(folder, "rel2")
