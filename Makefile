# What a developer types. `make help` lists it.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# `make run PROFILE=release` starts slower the first time and runs faster.
PROFILE ?= dev
# Handed to `cargo test`, for example TEST_FLAGS=--no-fail-fast
TEST_FLAGS ?=
SERVICES := scripts/dev-services.sh run --

.PHONY: help run test bench soak restore-drill images compose-up compose-down e2e-compose lint fmt fmt-check clippy doc deny shellcheck operator packaging infra cluster-check toolchain

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "%-12s %s\n", $$1, $$2 }'

# `make run LISTEN=127.0.0.1:9000 ADMIN_LISTEN=127.0.0.1:9001` where 8080 or 9090 is taken.
LISTEN ?=
ADMIN_LISTEN ?=
RUN_FLAGS = $(if $(LISTEN),--listen $(LISTEN)) $(if $(ADMIN_LISTEN),--admin-listen $(ADMIN_LISTEN))

run: toolchain ## Serve a demonstration practice on http://localhost:8080, on SQLite, in one process
	PRAXIS_LOG=$${PRAXIS_LOG:-info,praxis::request=warn} cargo run --profile $(PROFILE) -p praxis -- serve --demo $(RUN_FLAGS)

# The programs are built first: fault tests start those of other packages, which cargo would not build for them.
test: toolchain ## Run every test, against a real MySQL and a real Kafka
	$(SERVICES) bash -c 'cargo build --workspace --bins && cargo test --workspace $(TEST_FLAGS)'

# `make bench PARTS=a,f ONLY=256 RECORD=1`: see docs/benchmarks.md
PARTS ?=
ONLY ?=
RECORD ?=
BENCH_FLAGS = $(if $(PARTS),--parts $(PARTS)) $(if $(ONLY),--only $(ONLY)) $(if $(RECORD),--record)

bench: toolchain ## Measure, against a real MySQL and a real Kafka; docs/benchmarks.md keeps the result
	$(SERVICES) bash -c 'ulimit -n 4096; cargo build --release --workspace --bins && cargo bench -p praxis-benchmarks --bench suite -- $(BENCH_FLAGS)'

# PRAXIS_SOAK_MINUTES (10) says for how long; PRAXIS_SOAK_SEED repeats the faults of a run that failed.
soak: toolchain ## Run the whole tier under load and random faults, on servers of its own
	scripts/dev-services.sh setup && cargo build --workspace --bins && cargo run -p praxis-system-tests --example soak

# `make images PROFILE=dev` builds faster and runs slower.
images: ## Build the images of all programs; needs, or starts, a Docker engine
	scripts/setup-local.sh --images

compose-up: ## Start all services in containers on http://localhost:8080: docs/how-to/run-with-compose.md
	scripts/setup-local.sh

compose-down: ## Stop them; their data stays
	scripts/setup-local.sh --down

# `make e2e-compose E2E_FLAGS='--keep --only story'`: see docs/how-to/run-the-end-to-end-test.md
E2E_FLAGS ?=
e2e-compose: toolchain ## Build the images, run compose.yaml and try everything on it; needs, or starts, a Docker engine
	scripts/e2e-compose.sh $(E2E_FLAGS)

restore-drill: toolchain ## Back up, lose everything, restore, verify, serve: both tiers, on servers of its own
	scripts/restore-drill.sh all

lint: fmt-check clippy doc deny shellcheck ## Everything that judges without running

fmt: toolchain ## Format the code
	cargo fmt --all

fmt-check: toolchain
	cargo fmt --all --check

clippy: toolchain
	cargo clippy --workspace --all-targets -- -D warnings

doc: toolchain
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps

# Advisories need the advisory database from the network: the pipeline checks them (`cargo deny check advisories`).
deny: toolchain
	@if command -v cargo-deny >/dev/null; then cargo deny check bans licenses sources; \
	else echo 'cargo-deny is not installed, so licences and bans are not checked (cargo install --locked cargo-deny)'; fi

shellcheck:
	scripts/shellcheck.sh

operator: toolchain ## Try the operator's scripts, with stand-ins for AWS, GitHub and the cluster
	cargo build -q -p praxis-command-api-bin && scripts/tests/operator/run.sh

# Not in .ci/run: root, systemd-nspawn, and the first time a Debian from its mirror.
packaging: toolchain ## Install the small practice's archive on a Debian that systemd runs, and treat it badly there
	cargo build -q -p praxis && PRAXIS_DEV_BIN=$${CARGO_TARGET_DIR:-target}/debug scripts/tests/packaging/run.sh

# `make infra PARTS="charts gitops"`: see scripts/infra-check/check.sh --help
infra: ## Check images, workflows, charts, GitOps and Terraform, offline but for package registries
	scripts/infra-check/check.sh $(PARTS)

# `make cluster-check ENVIRONMENTS=prod`: see docs/how-to/check-on-a-control-plane.md
cluster-check: ## Give all manifests to a control plane of Kubernetes and look at what becomes of them
	scripts/cluster-check/check.sh $(ENVIRONMENTS)

toolchain:
	@missing=; \
	command -v cargo >/dev/null || missing+=$$'\n  the Rust toolchain: https://rustup.rs'; \
	command -v cc >/dev/null || missing+=$$'\n  a C compiler: apt-get install -y gcc libc6-dev'; \
	if [ -n "$$missing" ]; then echo "missing:$$missing" >&2; exit 1; fi
