#!/bin/sh
# The official inspector of the Model Context Protocol lists and calls each tool of `skillspan mcp`, over standard input
# and over HTTP, on the sessions of the demo. What it printed: mcp-inspector.txt.
#
#   npm install @modelcontextprotocol/inspector     # needs Node.js 22.19
#   tests/live/mcp-inspector.sh target/release/skillspan path/to/node_modules/.bin/mcp-inspector
set -eu
skillspan=$(readlink -f "$1"); inspector=$(readlink -f "$2")
root=$(mktemp -d); trap 'kill $run 2>/dev/null; rm -rf "$root"' EXIT
export HOME="$root" XDG_DATA_HOME="$root/data"
cd "$root"
"$skillspan" demo --out demo > /dev/null
cat > more.yaml <<YAML
extensions:
  health: { endpoint: 127.0.0.1:43133 }
  console: { endpoint: 127.0.0.1:43200, mcp: { read_session: true } }
  auth: { tokens: [{ id: ana, secret: a-read-token-of-enough-length, tenant: default, roles: [read] }] }
receivers:
  otlp: { protocols: { grpc: { endpoint: 127.0.0.1:43170 }, http: { endpoint: 127.0.0.1:43180 } } }
YAML
# The inspector has a --config of its own.
printf '#!/bin/sh\nexec %s mcp --config %s/demo/skillspan.yaml --config %s/more.yaml\n' "$skillspan" "$root" "$root" > mcp
chmod +x mcp
"$skillspan" run --quiet --config demo/skillspan.yaml --config more.yaml 2> log & run=$!
for n in $(seq 100); do curl -sf http://127.0.0.1:43133/ready > /dev/null && break; sleep 0.1; done
"$inspector" --version 2>/dev/null | sed 's/^/inspector /' || true
ask() { # way, then the inspector's options
  way=$1; shift
  echo; echo "== $way: $*"
  case $way in
    stdio) "$inspector" --cli "$root/mcp" -e HOME="$HOME" -e XDG_DATA_HOME="$XDG_DATA_HOME" "$@" 2>&1 || echo "exit $?" ;;
    http) "$inspector" --cli http://127.0.0.1:43200/mcp --transport http \
            --header "Authorization: Bearer a-read-token-of-enough-length" "$@" 2>&1 || echo "exit $?" ;;
  esac
}
id=$(ask stdio --method tools/call --tool-name search_sessions | grep -o '"id[\\]*":[\\]*"[0-9a-f-]*' | head -1 | grep -o '[0-9a-f-]*$')
for way in stdio http; do
  ask $way --method tools/list
  ask $way --method tools/call --tool-name search_skills --tool-arg words=e2e
  ask $way --method tools/call --tool-name read_skill --tool-arg name=run-the-e2e-tests
  ask $way --method tools/call --tool-name skill_evidence --tool-arg name=run-the-e2e-tests
  ask $way --method tools/call --tool-name search_sessions --tool-arg outcome=failed
  ask $way --method tools/call --tool-name read_session --tool-arg id="$id"
  ask $way --method tools/call --tool-name report
  ask $way --method tools/call --tool-name read_skill --tool-arg name=../../etc/passwd
done
echo; echo "== http without a token"
"$inspector" --cli http://127.0.0.1:43200/mcp --transport http --method tools/list 2>&1 | head -5 || true
