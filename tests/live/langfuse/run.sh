#!/usr/bin/env bash
# Langfuse's SDKs against a collector on loopback: as it should be, and with 503 for 2 s and for 30 s.
#
#     tests/live/langfuse/run.sh FOLDER        # with FOLDER/py2 … py5 (venvs) and FOLDER/js (node_modules)
#
# Every client has a session of its own and a private HOME; the keys are invented.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
binary=${SKILLSPAN:-$here/../../../target/debug/skillspan}
clients=$(cd "$1" && pwd)
data=$(mktemp -d)
cp "$here/sdk.mjs" "$clients/js/sdk.mjs"
cat > "$data/skillspan.yaml" <<YAML
extensions:
  health: { endpoint: 127.0.0.1:45133 }
  sessions_table: { path: $data/sessions }
  auth: { tokens: [{ id: pk-lf-live, secret: sk-lf-live-0123456789, tenant: acme, workspace: shop }] }
receivers:
  otlp: { protocols: { grpc: { endpoint: 127.0.0.1:45317 }, http: { endpoint: 127.0.0.1:45318 } } }
exporters:
  filesystem: { path: $data/skills }
service:
  journal: { path: $data/journal }
YAML
"$binary" run --config "$data/skillspan.yaml" 2> "$data/log" &
collector=$!
proxy=
trap 'kill $collector $proxy 2> /dev/null || true; rm -rf "$data"' EXIT
until curl -sf http://127.0.0.1:45133/ready > /dev/null; do sleep 0.1; done

client() { # CLIENT PORT SESSION
  local url=http://127.0.0.1:$2
  local private=(env -i PATH="$PATH" HOME="$data/home" LANGFUSE_HOST="$url" LANGFUSE_BASE_URL="$url" LANGFUSE_BASEURL="$url")
  case $1 in
    js) (cd "$clients/js" && "${private[@]}" timeout 100 node sdk.mjs "$3") ;;
    py2) "${private[@]}" timeout 100 "$clients/py2/bin/python" "$here/sdk2.py" "$3" ;;
    *) "${private[@]}" timeout 100 "$clients/$1/bin/python" "$here/sdk.py" "$3" ;;
  esac
}

arrived() { # SESSION
  curl -sf -X POST http://127.0.0.1:45133/flush
  echo "  arrived:"
  "$binary" sessions list --json --config "$data/skillspan.yaml" 2> /dev/null > "$data/list"
  "$binary" sessions show "$1" --json --config "$data/skillspan.yaml" 2> /dev/null > "$data/show" || true
  python3 "$here/arrived.py" "$1" "$data/list" "$data/show"
}

for seconds in 0 2 30; do
  echo "## 503 for $seconds s"
  for name in py2 py3 py4 py5 js; do
    port=45318
    if [ "$seconds" != 0 ]; then
      port=45319
      python3 "$here/refusing.py" $port 45318 "$seconds" > "$data/proxy" &
      proxy=$!
      sleep 0.5
    fi
    client $name $port "$name-$seconds" || echo "  exit code $?"
    if [ "$seconds" != 0 ]; then
      kill $proxy
      echo "  requests:"
      cat "$data/proxy"
    fi
    arrived "$name-$seconds"
    echo
  done
done
echo "## the collector's own log"
grep -E "WARN|ERROR" "$data/log" || echo "no warning"
