# One word for each thing people do here. Each installs what it needs on a bare Debian machine with a Rust toolchain.

.PHONY: help run build test lint deny advisories sbom faults bench openapi authority clean

help: ## Show these words
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/'

run: build ## Build, fetch a small local model, open a demo Hive on 127.0.0.1:8003 and print requests to try
	@./xtask/fetch-model.sh ./lab3-data/models || true
	./target/release/lab3 serve --demo

build: tools ## Build the lab3 binary
	cargo build --release --locked -p lab3

test: tools ## Run every test (short forms of the long ones)
	./xtask/test.sh

lint: ## Formatting and lints, as CI wants them
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

deny: ## Check licenses, versions that come twice and sources of the dependencies (deny.toml)
	./xtask/deny.sh

advisories: ## Look the dependencies up in the database of known holes; needs the network
	./xtask/deny.sh advisories

faults: tools ## The long tests: 200 kills, full disks, a million-record replay, 10,000 proofs and 10,000 changes of a stored Hive
	LAB3_KILLS=200 LAB3_RECORDS=1000000 LAB3_STORM_ROUNDS=10 LAB3_DISK_ROUNDS=10 LAB3_EXAMPLES=100 LAB3_GATEWAY_ROUNDS=100 \
		LAB3_ANSWER_SECONDS=130 LAB3_HOSTILE_SECONDS=150 LAB3_MODEL_OPERATIONS=10000000 LAB3_MUTATIONS=10000 LAB3_PROOFS=10000 LAB3_PROOF_RECORDS=100000 \
		./xtask/test.sh faults

bench: tools ## Print the numbers of docs/benchmarks.md
	./bench/run.sh

openapi: ## Write docs/openapi.json from the code
	cargo run --locked -q -p lab3-xtask -- openapi

authority: ## Write docs/authority.md, the page of who may do what, from the table of routes
	cargo run --locked -q -p lab3-xtask -- authority

sbom: ## Write target/sbom.json: what the binary is made of (CycloneDX)
	cargo run --locked -q -p lab3-xtask -- sbom

tools:
	@./xtask/tools.sh

clean: ## Remove what was built
	cargo clean
