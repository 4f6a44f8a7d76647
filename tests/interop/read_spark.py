import sys

import pyspark
from pyspark.sql import SparkSession

from summary import COLUMNS, summary

spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
    .getOrCreate()
)
frame = spark.read.parquet(f"{sys.argv[1]}/v1")
frame = frame.selectExpr(
    "event_id", "session_id", "kind", "unix_micros(timestamp) AS timestamp_us",
    "text", "input", "output", "score", "truncated",
)
summary([row.asDict() for row in frame.select(COLUMNS).collect()])
print("pyspark", pyspark.__version__, file=sys.stderr)
