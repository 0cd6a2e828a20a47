# SPDX-License-Identifier: Apache-2.0
# Every habit is one word. `make venv` needs Python 3.11 or newer and pip; nothing else is assumed.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.made
JOBS ?= 2
SCRIPTS ?=
DEMO_BOOT ?=
BOOT_TEST ?=
PEER ?=
FUZZ_RUNS ?= 20000

.PHONY: help venv demo demo-boot demo-ota lint test unit conformance bench fuzz kernel system-packages crash-full rootfs-full boot-test boot-test-full peer-aktualizr clean

help:
	@sed -n 's/^#: //p' Makefile

#: make venv          .venv with the project installed (.venv/bin/ostrya)
venv: $(STAMP)

$(STAMP): pyproject.toml constraints.txt tools/make_venv.py $(wildcard src/ostrya/*/*.c)
	$(PYTHON) tools/make_venv.py $(VENV)
	@touch $@

#: make demo          a real tree: commit, change, commit, compare, check out, verify (ROOTFS=/path/to/rootfs)
demo: $(STAMP)
	@$(PY) tools/demo.py $(if $(ROOTFS),--rootfs $(ROOTFS))

#: make demo-boot     a device in QEMU updates itself, and comes back from a broken release (DEMO_BOOT=--write-transcript)
demo-boot: $(STAMP) system-packages
	@$(PY) tools/demo_boot.py $(DEMO_BOOT)

#: make demo-ota      a server and two devices: an update by Uptane, and one that is forged
demo-ota: $(STAMP)
	@$(PY) tools/demo_ota.py

#: make lint          ruff, types, import contracts, spelling
lint: $(STAMP)
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	$(PY) tools/lint_imports.py
	$(PY) -m codespell_lib src tests tools docs changes Makefile README.md CONTRIBUTING.md SECURITY.md CHANGELOG.md

#: make test          lint, then all tests (as root it installs the Debian packages they need)
test: lint kernel
	$(PY) -m pytest -n $(JOBS) --dist loadgroup

#: make unit          unit and property tests alone: no root, no other program
unit: $(STAMP)
	$(PY) -m pytest -n $(JOBS) tests/unit tests/property

#: make conformance   libostree's installed test scripts against ours (SCRIPTS="test-refs.sh", SCRIPTS=all)
conformance: $(STAMP) kernel
	$(PY) tools/conformance.py --jobs $(JOBS) $(SCRIPTS)

#: make bench         ours and the installed ostree in turn on a Debian tree; writes docs/benchmarks.md (BENCH="--only commit")
bench: $(STAMP) kernel
	$(PY) tools/bench.py $(BENCH)

#: make fuzz          every decoder's fuzz target, FUZZ_RUNS inputs each
fuzz: $(STAMP)
	$(PY) tests/fuzz/run.py --runs $(FUZZ_RUNS)

#: make crash-full    kill and fill the disk at every step; writes docs/crash-tests.md
crash-full: $(STAMP) system-packages
	$(PY) tools/crash_full.py

#: make boot-test     devices in QEMU with real loaders: the short half of the matrix, as in `make test`
boot-test: $(STAMP) kernel
	$(PY) -m pytest -n $(JOBS) tests/system

#: make boot-test-full   all of it, some hours; writes docs/boot-tests.md (BOOT_TEST=--pivot-root: by pivot_root)
boot-test-full: $(STAMP) kernel
	@$(PY) tools/system_packages.py tools/debian-packages-full.txt
	$(PY) tools/boot_test_full.py $(BOOT_TEST)

#: make rootfs-full   a Debian tree in every mode on every file system; writes docs/rootfs-tests.md
rootfs-full: $(STAMP) system-packages
	$(PY) tools/rootfs_full.py

#: make peer-aktualizr   the real aktualizr and garage-push at the other end; writes docs/interop-aktualizr.md (PEER=/their/programs)
peer-aktualizr: $(STAMP) system-packages
	@test -n "$(PEER)" || { echo "PEER=FOLDER has to name the folder with aktualizr's programs"; exit 2; }
	$(PY) tools/peer_aktualizr.py $(PEER)

# The search of deltas as it is now, also where the compiler came after the environment.
kernel: system-packages
	@$(PY) tools/build_kernel.py

system-packages: $(STAMP)
	@$(PY) tools/system_packages.py

clean:
	rm -rf build dist .venv .mypy_cache .ruff_cache .import_linter_cache .hypothesis
