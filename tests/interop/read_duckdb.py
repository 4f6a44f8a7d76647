import sys

import duckdb

from summary import COLUMNS, summary

query = f"""
    SELECT event_id, session_id, kind, epoch_us(timestamp), text, input, output, score, truncated
    FROM read_parquet('{sys.argv[1]}/v1/**/*.parquet', hive_partitioning = true)
"""
summary([dict(zip(COLUMNS, row)) for row in duckdb.sql(query).fetchall()])
print("duckdb", duckdb.__version__, file=sys.stderr)
