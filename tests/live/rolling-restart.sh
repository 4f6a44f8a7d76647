#!/bin/sh
# Three replicas behind a client that balances; one after the other is stopped (SIGTERM) and started
# again under load. Needs python3 and a built binary; everything stays on the loopback.
# usage: rolling-restart.sh target/debug/skillspan [--clients 12] [--rounds 2] …
set -eu
exec python3 "$(dirname "$0")/rolling_restart.py" "$@"
