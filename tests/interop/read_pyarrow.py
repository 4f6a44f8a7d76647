import sys

import pyarrow
import pyarrow.dataset

from summary import summary

table = pyarrow.dataset.dataset(f"{sys.argv[1]}/v1", partitioning="hive").to_table()
times = table["timestamp"].cast("int64")
table = table.append_column("timestamp_us", times)
summary(table.to_pylist())
print("pyarrow", pyarrow.__version__, file=sys.stderr)
