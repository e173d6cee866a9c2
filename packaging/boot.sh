#!/bin/sh
# Starts the unit under a systemd of its own and uses the desk as an operator would: `boot.sh LAB3 [GGUF]`. That systemd has namespaces of its own, a /usr it
# cannot change and an empty rest; nothing is left behind. Needs root. Where this machine does not let us, a line SKIPPED says why; that is exit code 0.
set -eu
skipped() { echo "SKIPPED systemd unit, booted: $1"; exit 0; }
failed() { echo "FAILED systemd unit, booted: $1"; inside journalctl -u lab3 -n 30 -o cat --no-pager 2>/dev/null || true; exit 1; }

# The second half of the start: in the new namespaces, as their first process. Lays the root out and becomes systemd.
if [ "${1:-}" = become-systemd ]; then
    root=$2 lab3=$3 gguf=${4:-}
    mount --make-rprivate /
    mount -t tmpfs tmpfs "$root"
    cd "$root"
    mkdir -p .usr/new .usr/work .old usr etc/systemd/system etc/sysusers.d etc/lab3 var run tmp proc sys dev root home lab3
    mount -t overlay overlay -o "lowerdir=/usr,upperdir=.usr/new,workdir=.usr/work" usr
    for link in bin sbin lib lib64; do [ ! -L "/$link" ] || ln -s "usr/$link" "$link"; done
    touch usr/bin/lab3 lab3/model.gguf
    mount --bind "$lab3" usr/bin/lab3
    [ -z "$gguf" ] || mount --bind "$gguf" lab3/model.gguf
    here=$(dirname "$0")
    cp "$here/lab3.service" etc/systemd/system/
    cp "$here/lab3.sysusers" etc/sysusers.d/lab3.conf
    printf '[Unit]\nRequires=basic.target\nAfter=basic.target\n' >etc/systemd/system/boot.target
    echo 'root:x:0:0:root:/root:/bin/sh' >etc/passwd
    echo 'root:x:0:' >etc/group
    echo '127.0.0.1 localhost' >etc/hosts
    printf 'passwd: files\ngroup: files\nhosts: files\n' >etc/nsswitch.conf
    echo 0123456789abcdef0123456789abcdef >etc/machine-id
    mount -t proc proc proc
    mount --bind proc/sys proc/sys
    mount -o remount,bind,ro proc/sys
    mount -t sysfs -o ro sysfs sys
    mount -t cgroup2 cgroup2 sys/fs/cgroup
    mount -t tmpfs -o mode=755 tmpfs run
    mount -t tmpfs -o mode=755 tmpfs dev
    for device in null zero full random urandom tty; do touch "dev/$device"; mount --bind "/dev/$device" "dev/$device"; done
    mkdir dev/pts dev/shm
    ln -s pts/ptmx dev/ptmx
    mount -t devpts -o newinstance devpts dev/pts
    mount -t tmpfs tmpfs dev/shm
    pivot_root . .old
    umount -l .old
    # systemd hands credentials and private mounts on by propagation.
    mount --make-rshared /
    exec env -i container=other PATH=/usr/sbin:/usr/bin setpriv --bounding-set=-sys_module,-sys_time,-sys_boot,-sys_rawio,-syslog \
        /lib/systemd/systemd --system --unit=boot.target --log-target=journal --show-status=0
fi

lab3=$(readlink -f "${1:?usage: boot.sh LAB3 [GGUF]}")
gguf=${2:-}
[ "$(id -u)" = 0 ] || skipped "only root can make the namespaces"
for tool in unshare nsenter setpriv pivot_root curl python3 /lib/systemd/systemd; do
    command -v "$tool" >/dev/null 2>&1 || skipped "there is no $tool"
done
unshare -m -p -f -C -u -i -n true 2>/dev/null || skipped "no namespaces can be made"
[ -L /bin ] || skipped "/bin is not in /usr"
cgroups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
group="${cgroups:-/none}/lab3-boot-$$"
mkdir "$group" 2>/dev/null || skipped "no control group can be made"

root=$(mktemp -d)
first=""
# Ends the first process of the namespaces, and with it everything in them.
clear_up() {
    [ -z "$first" ] || kill -KILL "$first" 2>/dev/null || true
    wait 2>/dev/null || true
    until [ ! -s "$group/cgroup.procs" ]; do sleep 0.1; done
    find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
    rmdir "$root"
}
trap clear_up EXIT
trap 'exit 1' HUP INT TERM

# In the group first: the new namespace of control groups begins where its maker is.
sh -c 'echo $$ >"$0/cgroup.procs" && exec unshare -m -p -f -C -u -i -n --kill-child "$@"' "$group" \
    "$(readlink -f "$0")" become-systemd "$root" "$lab3" "$gguf" >"$root.said" 2>&1 &
maker=$!

# Whether a command succeeds within 30 seconds.
within() {
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 150 ] || return 1
        sleep 0.2
    done
}
inside() { nsenter -t "$first" -m -p -C -u -i -n -r -w "$@"; }
find_first() { first=$(pgrep -P "$maker" -x systemd) && inside systemctl is-active boot.target; }
within find_first || skipped "systemd does not start in namespaces here ($(tail -n 1 "$root.said"))"
rm -f "$root.said"

# What an operator sets: a file and variables only root can read, one of them the key of a provider; here a stand-in that answers one thing.
inside sh -c 'umask 077; cat >/etc/lab3/lab3.toml; echo OPENAI_API_KEY=planted-key >/etc/lab3/lab3.env' <<END
[compute]
quota_gic = 77
[providers.openai_gpt4]
base_url = "http://localhost:9999/v1"
[providers.local_llama]
gguf = "/lab3/model.gguf"
END
inside python3 - <<'END' >/dev/null 2>&1 &
import http.server
class Provider(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        if self.headers["authorization"] != "Bearer planted-key":
            return self.send_error(401)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        head = b'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"gpt-4","choices":[{"index":0,"delta":'
        self.wfile.write(head + b'{"role":"assistant","content":"because"},"finish_reason":null}]}\n\n')
        self.wfile.write(head + b'{},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}\n\ndata: [DONE]\n\n')
http.server.HTTPServer(("127.0.0.1", 9999), Provider).serve_forever()
END

desk=http://127.0.0.1:8003
post() { inside curl -sS --fail-with-body -m 60 "$desk$1" -H 'Content-Type: application/json' -H "$2" -d "$3"; }
is_open() { inside curl -sSf -m 5 "$desk/lab3/health"; }
inside systemctl start lab3 || failed "it does not start"
within is_open || failed "the desk does not open"
inside curl -sSf "$desk/lab3/compute/quota/did:kaizen:alice" | grep -q 77 || failed "the settings handed over as a credential were not read"

# Nothing of root is left to it.
pid=$(inside systemctl show -P MainPID lab3)
status=$(inside cat "/proc/$pid/status")
for line in 'CapEff:.0000000000000000' 'CapBnd:.0000000000000000' 'NoNewPrivs:.1' 'Seccomp:.2'; do
    echo "$status" | grep -q "^$line" || failed "its process lacks $line"
done

# Among its files, as its user: what it may write, and what not. (Nothing but lab3 can be executed there, so that this looks from within one process.)
inside mkdir -m 777 /var/lib/neighbor
inside python3 - "$pid" <<'END' || failed "its files are not as they should be"
import ctypes, os, sys
user = os.stat("/var/lib/lab3").st_uid
files = os.open(f"/proc/{sys.argv[1]}/ns/mnt", os.O_RDONLY)
if ctypes.CDLL(None, use_errno=True).setns(files, 0x20000) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
os.setgid(user), os.setuid(user)
def refused(what):
    try:
        what()
    except OSError:
        return
    sys.exit("it may do what it must not")
open("/proc/self/net/tcp").read()  # whose connection it is
assert os.stat("/var/lib/lab3/hive.signer/log.key").st_mode & 0o777 == 0o600  # the desk made it
refused(lambda: os.mkdir("/var/lib/neighbor/x"))
refused(lambda: open("/etc/lab3/lab3.toml"))
refused(lambda: os.stat("/proc/1"))
refused(lambda: os.execv("/usr/bin/true", ["true"]))
END

# Answers from a provider over TCP and a name, and from the local model.
ask() { post /v1/chat/completions 'Authorization: Bearer did:kaizen:alice' '{"model": "'"$1"'", "messages": [{"role": "user", "content": "Why?"}], "max_tokens": 8}'; }
ask openai_gpt4 | grep -q because || failed "a provider cannot be asked"
if [ -n "$gguf" ]; then
    within ask local_llama || failed "the local model does not answer"
    inside ps -L -o ni= -p "$pid" | grep -qw 10 || failed "the local model does not stand back"
fi

# What was acknowledged is there after a kill, and in a backup made as the desk's user while it is open.
allocate() { post /lab3/compute/allocate 'Idempotency-Key: once' '{"citizen_did": "did:kaizen:alice", "query_tokens": 5000}'; }
allocated=$(allocate) || failed "an allocation is refused: $allocated"
inside systemctl kill -s KILL lab3
restarted() { [ "$(inside systemctl show -P MainPID lab3)" != "$pid" ] && is_open; }
within restarted || failed "it is not started again after a kill"
[ "$(allocate)" = "$allocated" ] || failed "the same request is answered otherwise after a kill"
inside setpriv --reuid lab3 --regid lab3 --clear-groups lab3 backup --data /var/lib/lab3/hive /var/lib/lab3/backup >/dev/null ||
    failed "no backup can be made"

inside systemctl stop lab3
[ "$(inside systemctl show -P Result lab3)" = success ] || failed "SIGTERM does not end it well"
! inside journalctl --no-pager | grep -q planted-key || failed "a provider's key stands in the journal of the system"
echo "systemd unit, booted: opened, asked a provider${gguf:+ and the local model}, killed, opened again, backed up, stopped"
