"""Deeplake takes one file at a time; a timestamp becomes an int64 of microseconds, an empty text None and a
missing score NaN."""

import glob
import sys

import deeplake

from summary import COLUMNS, summary

rows = []
for path in sorted(glob.glob(f"{sys.argv[1]}/v1/**/*.parquet", recursive=True)):
    dataset = deeplake.from_parquet(path)
    names = ["timestamp" if name == "timestamp_us" else name for name in COLUMNS]
    columns = [list(dataset[name][:]) for name in names]
    rows.extend(dict(zip(COLUMNS, (value.item() if hasattr(value, "item") else value for value in row)))
                for row in zip(*columns))
for row in rows:
    for name in ("event_id", "session_id", "kind", "text", "input", "output"):
        row[name] = row[name] or ""
    if row["score"] is not None and row["score"] != row["score"]:
        row["score"] = None
summary(rows)
print("deeplake", deeplake.__version__, file=sys.stderr)
