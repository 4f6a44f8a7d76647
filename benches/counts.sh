#!/bin/bash
# Instructions a record takes in each part, counted by callgrind: they do not depend on what else the machine does.
# From the repository's root: benches/counts.sh [PART…]
#
# Valgrind knows no SHA extensions of processors, so hashing counts fully here and next to nothing where the
# processor has them: it is listed apart.
set -euo pipefail
export CARGO_PROFILE_BENCH_DEBUG=line-tables-only CARGO_PROFILE_BENCH_STRIP=none
bench=$(cargo bench --locked --bench parts --no-run --message-format=json 2>/dev/null |
    sed -n 's/.*"executable":"\([^"]*parts-[^"]*\)".*/\1/p' | tail -1)
[ -x "$bench" ] || { echo "cargo bench --bench parts --no-run built nothing" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
printf '%-8s %-12s %14s %14s\n' part shape instructions 'of them SHA'
for part in "${@:-decode map redact encode export}"; do
    for part in $part; do
        for shape in chat tool claude-json history; do
            # The file is encoded in a thread of its own.
            collect=(--toggle-collect='parts::measured*')
            [ "$part" = export ] &&
                collect=(--toggle-collect='skillspan::table::write::encode*' --toggle-collect='*EncodedBatch>::read')
            out=$folder/$part.$shape
            valgrind --tool=callgrind --callgrind-out-file="$out" "${collect[@]}" \
                "$bench" count "$part" "$shape" >/dev/null 2>"$out.log"
            all=$(sed -n 's/.*Collected : *\([0-9]*\).*/\1/p' "$out.log")
            sha=$(callgrind_annotate --auto=no --threshold=100 "$out" | grep 'sha2::.*compress' |
                sed 's/^ *\([0-9,]*\).*/\1/; s/,//g' | paste -sd+ | bc)
            printf '%-8s %-12s %14d %14d\n' "$part" "$shape" $((all / 400)) $((${sha:-0} / 400))
        done
    done
done
