#!/bin/sh
# Checks what stands in this folder: that systemd understands the unit, its exposure, and the desk under it and in the container's root, where a binary is
# built (target/debug/lab3; with the local model if the tests have fetched one). What cannot run here prints a line SKIPPED.
set -eu
cd "$(dirname "$0")"
target=$(readlink -f "${CARGO_TARGET_DIR:-../target}")
exposure_max=2.0

judge() {
    # Paths that are not on this machine are not the unit's fault; anything else systemd says about it is.
    said=$(systemd-analyze verify ./lab3.service 2>&1 | grep -v ' is not executable: No such file or directory' || true)
    [ -z "$said" ] || { echo "FAILED systemd-analyze verify:"; echo "$said"; exit 1; }

    table=$(systemd-analyze security --offline=true --no-pager ./lab3.service)
    exposure=$(echo "$table" | sed -n 's/.*Overall exposure level for lab3.service: \([0-9.]*\).*/\1/p')
    if ! awk -v is="$exposure" -v max="$exposure_max" 'BEGIN { exit !(is != "" && is + 0 <= max + 0) }'; then
        echo "$table" | grep '^✗'
        echo "FAILED systemd unit: exposure ${exposure:-unknown}, allowed $exposure_max"
        exit 1
    fi
    echo "systemd unit: exposure $exposure of $exposure_max"
}

if command -v systemd-analyze >/dev/null 2>&1; then
    judge
else
    echo "SKIPPED systemd unit: there is no systemd-analyze (Debian: apt-get install systemd)"
fi

lab3="$target/debug/lab3"
if [ ! -x "$lab3" ]; then
    echo "SKIPPED systemd unit, booted, and container root: $lab3 is not built"
    exit 0
fi
for gguf in "$target"/tmp/models/*.gguf; do break; done
[ -f "$gguf" ] || gguf=""
./container-test.sh "$lab3"
./boot.sh "$lab3" "$gguf"
