import sys

import polars

from summary import summary

frame = polars.scan_parquet(f"{sys.argv[1]}/v1/**/*.parquet", hive_partitioning=True).collect()
frame = frame.with_columns(polars.col("timestamp").dt.epoch("us").alias("timestamp_us"))
summary(frame.to_dicts())
print("polars", polars.__version__, file=sys.stderr)
