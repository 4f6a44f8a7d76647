#!/bin/bash
# By hand: run.sh SKILLSPAN PYTHON ROTEL_AGENT [SECONDS] — PYTHON has opentelemetry-sdk and opentelemetry-exporter-otlp,
# ROTEL_AGENT is in the wheel `rotel`. Real SDKs → skillspan → a recording backend, and → rotel → another one; the
# backends are away for SECONDS, and skillspan is killed twice meanwhile.
set -eu
skillspan=$1 python=$2 rotel=$3 away=${4:-600}
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
export HOME="$folder" PYTHONDONTWRITEBYTECODE=1
cat > "$folder/config.yaml" <<YAML
extensions: { health: { endpoint: 127.0.0.1:22333 }, console: { enabled: false }, sessions_table: { path: $folder/sessions } }
receivers: { otlp: { protocols: { grpc: { endpoint: 127.0.0.1:25317 }, http: { endpoint: 127.0.0.1:25318 } } } }
exporters:
  filesystem: { path: $folder/skills }
  otlphttp/recording: { endpoint: "http://127.0.0.1:25401" }
  otlp/rotel: { endpoint: "http://127.0.0.1:25402" }
service:
  journal: { path: $folder/journal }
  pipelines:
    sessions: {}
    traces: { receivers: [otlp], exporters: [otlphttp/recording, otlp/rotel] }
    metrics: { receivers: [otlp], exporters: [otlphttp/recording, otlp/rotel] }
YAML
begin() {
  "$skillspan" run --config "$folder/config.yaml" 2>> "$folder/log" &
  service=$!
  until curl -sf http://127.0.0.1:22333/ready > /dev/null; do sleep 0.1; done
}
backends() {
  "$python" "$here/record.py" 25401 "$folder/direct" & direct=$!
  "$python" "$here/record.py" 25403 "$folder/behind" & behind=$!
  "$rotel" start --otlp-grpc-endpoint 127.0.0.1:25402 --otlp-http-endpoint 127.0.0.1:25404 --disable-batching \
    --exporter otlp --otlp-exporter-endpoint http://127.0.0.1:25403 --otlp-exporter-protocol http > "$folder/rotel.log" 2>&1 &
  agent=$!
}
send() { "$python" "$here/export.py" 25317 25318 "$folder/sent" "$1" "$2"; }
waiting() { curl -s http://127.0.0.1:22333/metrics | awk '/^skillspan_forward_waiting/ { sum += $2 } END { print sum + 0 }'; }
trap 'kill $service $direct $behind $agent 2> /dev/null || true; rm -rf "$folder"' EXIT
"$skillspan" --version; "$rotel" --version
backends; begin; sleep 1
send 0 150
until [ "$(waiting)" = 0 ]; do sleep 0.2; done
echo "backends go"
kill $direct $behind $agent
send 150 150
kill -9 $service; wait $service 2> /dev/null || true
echo "killed, with $("$skillspan" status --config "$folder/config.yaml" | grep -c 'requests wait for') queues that hold something"
begin
send 300 150
kill -9 $service; wait $service 2> /dev/null || true
begin
sleep "$away"
echo "waiting after $away s: $(waiting)"
"$skillspan" status --config "$folder/config.yaml" | grep -A1 '^  forward\|^!'
backends
until [ "$(waiting)" = 0 ]; do sleep 0.2; done
echo "backends are back, nothing waits"
sleep 2
"$python" "$here/compare.py" "$folder/sent" "$folder/direct" "$folder/behind"
