#!/bin/sh
# By hand: run.sh SKILLSPAN PYTHON NODE_FOLDER — needs the packages that transcript.txt names.
# Starts a service on free ports of the loopback and points every exporter at it.
set -eu
skillspan=$1 python=$2 node_folder=$3
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
export HOME="$folder"
cat > "$folder/config.yaml" <<YAML
extensions: { health: { endpoint: 127.0.0.1:21333 }, sessions_table: { path: $folder/sessions } }
receivers: { otlp: { protocols: { grpc: { endpoint: 127.0.0.1:24317 }, http: { endpoint: 127.0.0.1:24318 } } } }
service:
  journal: { path: $folder/journal }
  pipelines: { sessions: { receivers: [otlp], processors: [redact, workspace, limits], exporters: [parquet] } }
YAML
"$skillspan" run --config "$folder/config.yaml" 2> "$folder/log" &
service=$!
trap 'kill $service; wait $service || true; rm -rf "$folder"' EXIT
until curl -sf http://127.0.0.1:21333/ready > /dev/null; do sleep 0.2; done
"$skillspan" --version
"$python" "$here/export.py" 24317 24318
(cd "$node_folder" && node "$here/export.mjs" 24317 24318)
curl --version | head -1
curl -s -w 'curl http/json: %{http_code} %{content_type}\n' http://127.0.0.1:24318/v1/traces -H 'content-type: application/json' \
  -d '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"hello"}]}]}]}'
curl -s http://127.0.0.1:21333/metrics | grep -E '^skillspan_receiver_(requests|records)_total'
