#!/bin/sh
# Runs every test. `faults` runs only the long ones. Tests that cannot run here print a line "SKIPPED name: why"; the last lines
# tell how many there were, so that nobody takes a skipped test for a passed one.
set -eu
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-auto}"

run() {
    echo "== $*"
    { status=0; "$@" 2>&1 || status=$?; echo "$status" >"$log.status"; } | tee -a "$log"
    status=$(cat "$log.status"); rm -f "$log.status"
    [ "$status" = 0 ] || { echo "FAILED: $*"; exit "$status"; }
}

# The end-to-end tests start the real binary, which the tests of the workspace build; built by itself it would take its libraries once more.
if [ "${1:-}" = faults ]; then
    run cargo build --locked -p lab3
    run cargo test --locked -p lab3-ledger --test model -- --nocapture
    run cargo test --locked -p lab3 --test mutations -- --nocapture
    run cargo test --locked -p lab3-tests -- --nocapture --test-threads=1
else
    run cargo fmt --all --check
    run cargo clippy --locked --workspace --all-targets -- -D warnings
    run ./xtask/deny.sh
    run cargo test --locked --workspace --exclude lab3-tests
    run cargo test --locked -p lab3-tests -- --nocapture --test-threads=1
    run ./packaging/test.sh
fi

total() { awk -v word="$1" '/^test result:/ { for (i = 1; i < NF; i++) if ($(i + 1) == word || $(i + 1) == word ";") sum += $i } END { print sum + 0 }' "$log"; }
# With one thread the runner has begun a line when a test says so.
skipped=$(grep -c 'SKIPPED [^ ]*.*: ' "$log" || true)
[ "$skipped" = 0 ] || grep -o 'SKIPPED [^ ]*.*: .*' "$log"
echo "$(total passed) passed, $(total failed) failed, $((skipped + $(total ignored))) skipped"
