"""What every engine has to find in a table, from an iterable of rows."""

import hashlib
from collections import Counter

COLUMNS = ["event_id", "session_id", "kind", "timestamp_us", "text", "input", "output", "score", "truncated"]


def summary(rows):
    rows = sorted(rows, key=lambda row: row["event_id"])
    kinds = Counter(row["kind"] for row in rows)
    times = [row["timestamp_us"] for row in rows]
    print(f"rows {len(rows)}")
    print(f"sessions {len({row['session_id'] for row in rows})}")
    for kind, count in sorted(kinds.items()):
        print(f"kind {kind} {count}")
    print(f"timestamps {min(times)} {max(times)} {sum(times)}")
    for column in ["event_id", "text", "input", "output"]:
        digest = hashlib.sha256()
        for row in rows:
            digest.update(row[column].encode())
            digest.update(b"\n")
        print(f"sha256 {column} {digest.hexdigest()}")
    scores = [row["score"] for row in rows if row["score"] is not None]
    print(f"scores {len(scores)} {sum(scores):.3f}")
    print(f"truncated {sum(bool(row['truncated']) for row in rows)}")
