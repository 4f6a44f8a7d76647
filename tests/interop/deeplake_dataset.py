"""The table's files as a Deeplake dataset of one's own: every text and every count comes back.

    pip install deeplake==4.7.4
    python tests/interop/deeplake_dataset.py [TABLE]

Each file is read by `deeplake.from_parquet`, appended to one local dataset and committed. What the dataset then holds,
opened anew, must be what each file holds on its own, and what `summary.py` prints of it what every other engine prints.
"""
import collections
import glob
import hashlib
import pathlib
import sys
import tempfile

import deeplake

from summary import COLUMNS, summary

HERE = pathlib.Path(__file__).resolve().parent
TEXTS = ["event_id", "session_id", "kind", "tool", "text", "input", "output", "attributes"]


def values(dataset, name):
    """Deeplake shows an empty text as None."""
    return ["" if value is None else value for value in dataset[name][:]]


def digest(texts):
    total = hashlib.sha256()
    for text in sorted(texts):
        total.update(text.encode() + b"\n")
    return total.hexdigest()


def load(files, place):
    dataset = None
    for path in files:
        part = deeplake.from_parquet(path)
        if dataset is None:
            schema = {column.name: column.dtype for column in part.schema.columns}
            dataset = deeplake.create(f"file://{place}/sessions", schema=schema)
        dataset.append(part)
    dataset.commit(f"{len(files)} files of the sessions table")
    return deeplake.open_read_only(f"file://{place}/sessions")


def rows_of(dataset):
    columns = [values(dataset, "timestamp" if name == "timestamp_us" else name) for name in COLUMNS]
    plain = lambda value: value.item() if hasattr(value, "item") else value
    rows = [dict(zip(COLUMNS, map(plain, row))) for row in zip(*columns)]
    for row in rows:
        if row["score"] in ("", None) or row["score"] != row["score"]:
            row["score"] = None
    return rows


def main():
    table = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent / "fixtures/table-v1"
    files = sorted(glob.glob(f"{table}/v1/**/*.parquet", recursive=True))
    with tempfile.TemporaryDirectory() as place:
        dataset = load(files, place)
        parts = [deeplake.from_parquet(path) for path in files]
        assert len(dataset) == sum(len(part) for part in parts), "rows"
        for name in TEXTS:
            expected = [text for part in parts for text in values(part, name)]
            assert digest(values(dataset, name)) == digest(expected), name
        kinds = collections.Counter(values(dataset, "kind"))
        for kind, count in kinds.items():
            assert len(dataset.query(f"select * where kind == '{kind}'")) == count, kind
        summary(rows_of(dataset))
    print("deeplake", deeplake.__version__, file=sys.stderr)


if __name__ == "__main__":
    main()
