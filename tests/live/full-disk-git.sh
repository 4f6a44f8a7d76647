#!/bin/sh
# A full disk under the git exporter's cache, then under its remote: needs root (tmpfs), git, curl and a built
# binary. The sessions are those of `skillspan demo`.
# usage: full-disk-git.sh target/debug/skillspan
set -eu
binary=$(realpath "$1")
site=$(mktemp -d)
export HOME="$site/home" XDG_DATA_HOME="$site/data"
mkdir -p "$HOME" "$XDG_DATA_HOME/skillspan/git" "$site/small"
mount -t tmpfs -o size=2m tmpfs "$site/small"
pid=
trap 'kill $pid 2>/dev/null || true; sleep 1; umount "$site/small"; rm -rf "$site"' EXIT
"$binary" demo --out "$site/demo" > "$site/demo.log" 2>&1
body='{"resourceLogs":[{"scopeLogs":[{"scope":{"name":"com.anthropic.claude_code.events"},"logRecords":[{"timeUnixNano":"1795345502000000000","attributes":[{"key":"event.name","value":{"stringValue":"user_prompt"}},{"key":"session.id","value":{"stringValue":"s"}},{"key":"prompt","value":{"stringValue":"hello"}}]}]}]}]}'
post() { curl -s -o "$site/answer" -w '%{http_code}' -H 'content-type: application/json' -d "$body" http://127.0.0.1:24319/v1/logs; }
status() { "$binary" status --config "$site/skillspan.yaml" | grep -E "^!|to do|failing|$1" | sed "s|$site|SITE|g"; }
start() {
    cat > "$site/skillspan.yaml" <<YAML
extensions: { health: { endpoint: 127.0.0.1:23134 }, sessions_table: { path: $site/demo/sessions } }
receivers: { otlp: { protocols: { http: { endpoint: 127.0.0.1:24319 } } } }
connectors: { skillify: { every_turns: 1, min_interval: 1s } }
exporters:
  parquet: { flush: { age: 1s } }
  git: { remote: "file://$1", mode: direct }
service:
  journal: { path: $site/journal }
  pipelines:
    sessions: { receivers: [otlp], processors: [redact, workspace], exporters: [parquet] }
    skills: { receivers: [skillify], exporters: [git] }
YAML
    "$binary" run --config "$site/skillspan.yaml" 2> "$site/log" &
    pid=$!
    until curl -s -o /dev/null http://127.0.0.1:23134/ready; do sleep 0.1; done
}
# Fills the disk to the last byte.
ballast() { cat /dev/zero > "$site/small/ballast" 2>/dev/null || true; df -k "$site/small" | awk 'NR == 2 { print "free on the small disk: " $4 " KiB" }'; }
metric() { curl -s http://127.0.0.1:23134/metrics | grep -E '^skillspan_target' | sed "s|$site|SITE|g"; }
round() {
    until metric | grep -q 'failures_total'; do sleep 0.2; done
    echo "posted: $(post)"
    metric
    status skills
    rm "$site/small/ballast"
    echo "space returned"
    until metric | grep -q 'skillspan_targets_failing 0'; do sleep 0.2; done
    status skills
    git --git-dir "$1" log --all --format='%s (%D)'
    kill $pid; wait $pid || true
}

echo "== cache on a disk of 2 MiB"
ln -s "$site/small" "$XDG_DATA_HOME/skillspan/git/git"
git init --quiet --bare "$site/skills.git"
ballast
start "$site/skills.git"
round "$site/skills.git"

echo "== cache that is full only after it was made"
rm -rf "$site/skills.git" "$site/small/"*
git init --quiet --bare "$site/skills.git"
mkdir "$site/small/repository" && git --git-dir "$site/small/repository" init --quiet --bare && touch "$site/small/ready"
ballast
start "$site/skills.git"
round "$site/skills.git"

echo "== remote on a disk of 2 MiB"
rm -rf "$XDG_DATA_HOME/skillspan/git/git" "$site/small/"*
git init --quiet --bare "$site/small/skills.git"
ballast
start "$site/small/skills.git"
round "$site/small/skills.git"
