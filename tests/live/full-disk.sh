#!/bin/sh
# A full disk under the journal, then under the table: needs root (tmpfs), curl and a built binary.
# usage: full-disk.sh target/debug/skillspan
set -eu
binary=$(realpath "$1")
site=$(mktemp -d)
mkdir "$site/small"
mount -t tmpfs -o size=3m tmpfs "$site/small"
trap 'kill $pid 2>/dev/null || true; sleep 1; umount "$site/small"; rm -rf "$site"' EXIT
text=$(head -c 30000 /dev/zero | tr '\0' x)
body='{"resourceLogs":[{"scopeLogs":[{"scope":{"name":"com.anthropic.claude_code.events"},"logRecords":[{"timeUnixNano":"NUMBER","attributes":[{"key":"event.name","value":{"stringValue":"user_prompt"}},{"key":"session.id","value":{"stringValue":"s"}},{"key":"prompt.id","value":{"stringValue":"p-NUMBER"}},{"key":"prompt","value":{"stringValue":"NUMBER '$text'"}}]}]}]}]}'
echo 0 > "$site/sent"
post() {
    sent=$(($(cat "$site/sent") + 1)) # in a file: this runs in a subshell
    echo $sent > "$site/sent"
    number=$(printf '179534012550200%04d' $sent)
    printf '%s' "$body" | sed "s/NUMBER/$number/g" > "$site/body.json"
    curl -s -o "$site/answer" -w '%{http_code}' -H 'content-type: application/json' --data-binary @"$site/body.json" http://127.0.0.1:24318/v1/logs
}
ready() { curl -s -w ' %{http_code}' http://127.0.0.1:23133/ready; }
start() {
    cat > "$site/skillspan.yaml" <<YAML
extensions: { health: { endpoint: 127.0.0.1:23133 }, sessions_table: { path: $2 } }
receivers: { otlp: { protocols: { http: { endpoint: 127.0.0.1:24318 } } } }
exporters: { parquet: { flush: { age: $3 } } }
service:
  journal: { path: $1, max_size: 64MiB, segment: 8MiB }
  pipelines: { sessions: { receivers: [otlp], processors: [redact], exporters: [parquet] } }
YAML
    "$binary" run --config "$site/skillspan.yaml" 2> "$site/log" &
    pid=$!
    until curl -s -o /dev/null http://127.0.0.1:23133/ready; do sleep 0.1; done
}
fill() { accepted=0; while [ $accepted -lt "$1" ] && code=$(post) && [ "$code" = 200 ]; do accepted=$((accepted + 1)); done; }

echo "== journal on a disk of 3 MiB"
head -c 1000000 /dev/zero > "$site/small/ballast"
start "$site/small/journal" "$site/sessions" 1h
fill 500
echo "accepted $accepted, then $code: $(cat "$site/answer")"
echo "ready: $(ready)"
"$binary" status --config "$site/skillspan.yaml" | grep -A1 '^!'
rm "$site/small/ballast"
until [ "$(ready | tail -c 3)" = 200 ]; do sleep 0.1; done
echo "space returned; ready: $(ready)"
code=$(post); echo "posted: $code"
[ "$code" = 200 ] && accepted=$((accepted + 1))
echo "stored: $("$binary" sessions list --json --config "$site/skillspan.yaml" | grep -o '"prompt":[0-9]*') of $accepted accepted"
kill $pid; wait $pid || true

echo "== table on a disk of 3 MiB"
rm -rf "$site/small/"*
start "$site/journal" "$site/small/sessions" 200ms
head -c 3100000 /dev/zero > "$site/small/ballast" 2>/dev/null || true
fill 40
echo "accepted $accepted while the table cannot be written"
sleep 2
echo "ready: $(ready)"
"$binary" status --config "$site/skillspan.yaml" | grep -A1 '^!'
rm "$site/small/ballast"
echo "stored: $("$binary" sessions list --json --config "$site/skillspan.yaml" | grep -o '"prompt":[0-9]*') of $accepted accepted"
"$binary" status --config "$site/skillspan.yaml" | tail -1
