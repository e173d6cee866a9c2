#!/bin/sh
# Installs what building, testing and measuring need and is missing: a C compiler for SQLite, cmake and libclang for HiGHS, curl, wrk, Python and node for schemathesis
# and the official clients, systemd for its judgment of the unit, Debian's chromium and slowhttptest for
# what pages of strangers and slow senders can try (elsewhere these tests are skipped, and say so).
set -eu
missing=""
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need cc build-essential
need cmake cmake
need curl curl
need wrk wrk
need python3 python3
need node nodejs
need npm npm
need systemd-analyze systemd
ls /usr/lib/llvm*/lib/libclang*.so* /usr/lib/*-linux-gnu/libclang*.so* 2>/dev/null | grep -vq libclang-cpp || missing="$missing libclang-dev"
python3 -c 'import venv, ensurepip' >/dev/null 2>&1 || missing="$missing python3-venv"
if ! command -v cargo >/dev/null 2>&1; then
    echo "There is no Rust toolchain: see https://rustup.rs, then come back." >&2
    exit 1
fi
if grep -qsx 'ID=debian' /etc/os-release; then
    need slowhttptest slowhttptest
    need chromium chromium
    need chromedriver chromium-driver
fi
[ -z "$missing" ] && exit 0
as_root=""
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || { echo "Please install as root: apt-get install$missing" >&2; exit 1; }
    as_root=sudo
fi
command -v apt-get >/dev/null 2>&1 || { echo "Please install:$missing" >&2; exit 1; }
echo "installing$missing"
$as_root apt-get update -qq
# shellcheck disable=SC2086 # a list of words
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null
