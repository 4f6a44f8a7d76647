#!/bin/sh
# Compares what each engine reads of a table with what skillspan reads. See README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
table=$(cd "${1:-$here/../fixtures/table-v1}" && pwd)
venvs=${VENVS:-/tmp/skillspan-interop}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

skillspan=${SKILLSPAN_SUMMARY:-"cargo run -q --example summarize_table --"}
$skillspan "$table" > "$out/skillspan"
cat "$out/skillspan"

status=0
for engine in duckdb pyarrow polars pyspark deeplake; do
    script=$(echo "$engine" | sed 's/pyspark/spark/')
    if [ ! -x "$venvs/$engine/bin/python" ]; then
        python3 -m venv "$venvs/$engine"
        "$venvs/$engine/bin/pip" -q install "$engine" || { echo "$engine: cannot be installed"; continue; }
    fi
    if (cd "$here" && "$venvs/$engine/bin/python" "read_$script.py" "$table") > "$out/$engine" 2> "$out/$engine.err" \
        && diff -u "$out/skillspan" "$out/$engine"; then
        echo "same: $(tail -n 1 "$out/$engine.err" | grep -o "$engine [0-9.]*")"
    else
        echo "DIFFERENT: $engine"; tail -n 3 "$out/$engine.err"; status=1
    fi
done
if (cd "$here" && "$venvs/deeplake/bin/python" deeplake_dataset.py "$table") > "$out/dataset" 2> "$out/dataset.err" \
    && diff -u "$out/skillspan" "$out/dataset"; then
    echo "same: a local deeplake dataset of the files"
else
    echo "DIFFERENT: a local deeplake dataset of the files"; tail -n 3 "$out/dataset.err"; status=1
fi
exit $status
