"""What was sent beside what arrived: compare.py SENT BACKEND [BEHIND_ROTEL]"""
import sys
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest as Request


def bodies(folder):
    return [path.read_bytes() for path in sorted(Path(folder).glob("*.traces"))]


def spans(folder):
    """(resource, scope, span) of each, in order, as bytes."""
    found = []
    for body in bodies(folder):
        for group in Request.FromString(body).resource_spans:
            for inner in group.scope_spans:
                around = (group.resource.SerializeToString(), inner.scope.SerializeToString())
                found += [(*around, span.SerializeToString(), span.name) for span in inner.spans]
    return found


sent, backend = b"".join(bodies(sys.argv[1])), b"".join(bodies(sys.argv[2]))
names = [name for *_, name in spans(sys.argv[2])]
print(f"sent {len(spans(sys.argv[1]))} spans, {len(sent)} bytes in {len(bodies(sys.argv[1]))} requests")
print(f"arrived {len(names)} spans, {len(backend)} bytes in {len(bodies(sys.argv[2]))} requests")
print("byte for byte:", sent == backend)
print("in order:", names == sorted(names), "twice:", len(names) - len(set(names)))
failed = sent != backend
for behind in sys.argv[3:]:
    same = sorted(spans(behind)) == sorted(spans(sys.argv[1]))
    print(f"behind rotel, field for field: {same}")
    failed |= not same
sys.exit(failed)
