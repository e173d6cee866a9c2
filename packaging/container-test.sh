#!/bin/sh
# Runs the desk in the root the container is made of, as its user, read-only but for /data, with no shell in it: `container-test.sh LAB3`. Stands in for a container
# engine, which not every machine has (one privilege is left to it, that of chroot); needs root. Where that is missing a line SKIPPED says so.
set -eu
cd "$(dirname "$0")"
skipped() { echo "SKIPPED container root: $1"; exit 0; }
if [ "${1:-}" = within ]; then
    mount --bind "$2" "$2"
    mount --bind "$2/data" "$2/data"
    mount -o remount,bind,ro "$2"
    shift
    root=$1
    shift
    exec setpriv --reuid 10003 --regid 10003 --clear-groups --no-new-privs --bounding-set=-all,+sys_chroot --inh-caps=+sys_chroot --ambient-caps=+sys_chroot \
        env -i LAB3__DATA__DIR=/data/hive LAB3__SERVER__LISTEN=127.0.0.1:0 "$(command -v chroot)" "$root" /usr/bin/lab3 serve "$@"
fi
lab3=$(readlink -f "${1:?usage: container-test.sh LAB3}")
[ "$(id -u)" = 0 ] || skipped "only root can make the namespaces"
unshare -m -p -f true 2>/dev/null || skipped "no namespaces can be made"
root=$(mktemp -d)
chmod 755 "$root"
desk=""
clear_up() {
    [ -z "$desk" ] || kill -KILL "$desk" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$root"
}
trap clear_up EXIT
failed() { echo "FAILED container root: $1"; cat "$root.said"; rm -f "$root.said"; exit 1; }
./container-root.sh "$lab3" "$root"
[ ! -e "$root/bin/sh" ] && [ ! -e "$root/usr/bin/sh" ] || { echo "FAILED container root: there is a shell in it"; exit 1; }
unshare -m --propagation private ./container-test.sh within "$root" --print-address /data/address >"$root.said" 2>&1 &
desk=$!
tries=0
until [ -s "$root/data/address" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 150 ] && kill -0 "$desk" 2>/dev/null || failed "the desk does not open"
    sleep 0.2
done
curl -sSf -m 5 "http://$(cat "$root/data/address")/lab3/health" | grep -q '"ok"' || failed "the desk does not say ok"
[ "$(stat -c %u "$root/data/hive/journal.db")" = 10003 ] || failed "its files are not its user's"
kill -TERM "$desk"
wait "$desk" || failed "SIGTERM does not end it well"
desk=""
rm -f "$root.said"
echo "container root: $(find "$root" -type f -not -path '*/data/*' | wc -l) files; opened read-only without privileges, stopped"
