#!/bin/sh
# The demo, and a collector that is sent to and stopped, in a root file system that holds the binary and nothing
# else: mounted read-only, as user 65532 without capabilities, with a data volume as the only place to write, as
# the image `collector` runs in the chart. Needs root, util-linux, curl and a static binary (deploy/Dockerfile).
# usage: empty-root.sh target/x86_64-unknown-linux-gnu/release/skillspan
set -eu
binary=$(realpath "$1")
root=$(mktemp -d)
trap 'rmdir "$root"' EXIT

# What follows sees mounts and processes of its own, which end with it.
unshare --mount --pid --fork --kill-child sh -eu -s "$root" "$binary" <<'INSIDE'
root=$1 binary=$2 data=$1/var/lib/skillspan
mount -t tmpfs tmpfs "$root"
mkdir -p "$root/usr/bin" "$root/etc" "$root/dev" "$root/proc" "$data"
cp "$binary" "$root/usr/bin/skillspan"
# What a container runtime adds to an image.
echo '127.0.0.1 localhost' > "$root/etc/hosts"
for device in null random urandom; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mount -t proc proc "$root/proc"
mount -t tmpfs -o uid=65532,gid=65532,mode=0700,noexec,nosuid,nodev tmpfs "$data"
mount -o remount,ro "$root"

# Each of these becomes the next one, so that the last has the number of the first.
skillspan="env -i XDG_DATA_HOME=/var/lib TMPDIR=/var/lib/skillspan \
  $(command -v chroot) --userspec=65532:65532 --groups=65532 $root /usr/bin/skillspan"
outside() { find "$root" -path "$data" -prune -o -path "$root/proc" -prune -o -type f -print -o -type d -print | sort; }

before=$(outside)
echo "# $($skillspan --version), $(stat -c %s "$root/usr/bin/skillspan") bytes"
echo "# skillspan demo"
$skillspan demo
echo "# skillspan run, one span, SIGTERM"
$skillspan run > /dev/null 2>&1 &
until curl -sf http://127.0.0.1:13133/ready > /dev/null; do sleep 0.1; done
grep -E '^(Uid|CapEff|NoNewPrivs)' "$root/proc/$!/status"
curl -sS http://127.0.0.1:4318/v1/logs -H 'content-type: application/json' -d '{"resourceLogs":[{"scopeLogs":[{
  "scope":{"name":"com.anthropic.claude_code.events"},"logRecords":[{"timeUnixNano":"1790000000000000000","attributes":[
  {"key":"event.name","value":{"stringValue":"user_prompt"}},{"key":"session.id","value":{"stringValue":"s"}},
  {"key":"prompt.id","value":{"stringValue":"p"}},{"key":"prompt","value":{"stringValue":"bump the widgets"}}]}]}]}]}'
echo
kill "$!"
wait "$!" && echo "stopped with status 0"
$skillspan sessions list
echo "# written outside of the data volume: $([ "$(outside)" = "$before" ] && echo nothing)"
echo "# written in it:"
(cd "$data" && find . -maxdepth 2 | sort)
INSIDE
