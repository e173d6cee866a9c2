#!/bin/sh
# Prints the numbers of docs/benchmarks.md. Takes about twenty-five minutes after the build; `bench/run.sh short` takes six.
set -eu
cd "$(dirname "$0")/.."
cargo build --release --locked -p lab3 -p lab3-mock -p lab3-bench
bench=target/release/lab3-bench
if [ "${1:-}" = short ]; then
    $bench http --rounds 3 --seconds 3
    $bench gateway --rounds 3 --seconds 3 --streams 500
    $bench hostile --rounds 1 --seconds 5
    $bench journal --transfers 1000000 --runs 3
    $bench scale --accounts 100000 --records 1000000 --rounds 1
    $bench proof --records 1000000
    $bench audit --records 300000 --signed 20000 --rounds 3
    $bench energy --rounds 3
else
    $bench http
    $bench gateway
    $bench hostile
    $bench journal --runs 5
    $bench scale
    $bench proof
    $bench audit
    $bench energy
fi
