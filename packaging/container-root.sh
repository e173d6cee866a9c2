#!/bin/sh
# Lays out the root of the container: `container-root.sh LAB3 FOLDER`. The binary, the shared libraries the loader names for it, and the few files the C library reads.
set -eu
lab3=${1:?usage: container-root.sh LAB3 FOLDER}
root=${2:?usage: container-root.sh LAB3 FOLDER}
mkdir -p "$root/usr/bin" "$root/etc" "$root/data/hive"
cp "$lab3" "$root/usr/bin/lab3"
# Lines such as "libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x...)" and "/lib64/ld-linux-x86-64.so.2 (0x...)".
ldd "$lab3" | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }' | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
done
echo 'lab3:x:10003:10003::/data:/nonexistent' >"$root/etc/passwd"
echo 'lab3:x:10003:' >"$root/etc/group"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
# A new volume takes owner and mode of the folder it is laid over.
chown -R 10003:10003 "$root/data"
chmod 700 "$root/data" "$root/data/hive"
