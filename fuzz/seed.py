"""Fills corpus/ with seeds from the repository's fixtures: a few kilobytes for every target."""
import gzip, pathlib, re, zlib

fuzz = pathlib.Path(__file__).parent
root = fuzz.parent
captures = root / "tests/fixtures/captures"

def seed(target, name, content):
    folder = fuzz / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())

protobuf = [captures / path for path in (
    "codex/s09-defaults-redacted-httppb/0006-logs.pb", "openclaw/010-logs.pb", "openclaw/008-logs.pb",
    "openclaw/017-logs.pb", "codex/s02-dbup-user-corrects-resume-grpc/0001-logs.pb")]
for index, path in enumerate(protobuf):
    seed("protobuf", f"capture-{index}", path.read_bytes())
# Every field of OTLP's JSON that the readers know, in a request each.
json = ['{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"x"}}]},'
        '"scopeSpans":[{"scope":{"name":"gen_ai","version":"1"},"spans":[{"traceId":"5B8EFFF798038103D269B633813FC60C",'
        '"spanId":"eee19b7ec3c1b174","parentSpanId":"","name":"chat","kind":"SPAN_KIND_CLIENT","startTimeUnixNano":"17",'
        '"endTimeUnixNano":18,"attributes":[{"key":"a","value":{"intValue":"1"}},{"key":"b","value":{"doubleValue":"NaN"}},'
        '{"key":"c","value":{"arrayValue":{}}},{"key":"d","value":{"kvlistValue":{"values":[{"key":"e","value":{"boolValue":true}}]}}},'
        '{"key":"f","value":{"bytesValue":"AA=="}}],"events":[{"name":"e","timeUnixNano":"1"}],"links":[{"traceId":"00"}],'
        '"status":{"code":2,"message":"\\ud83d"}}]}]}]}',
        '\ufeff{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1","severityNumber":"SEVERITY_NUMBER_INFO",'
        '"body":{"stringValue":"claude_code.user_prompt"},"attributes":[{"key":"event.name","value":{"stringValue":"user_prompt"}},'
        '{"key":"session.id","value":{"stringValue":"s"}},{"key":"prompt","value":{"stringValue":"bump"}}]}],'
        '"scope":{"name":"com.anthropic.claude_code.events"}}],"resource":null}]}',
        '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"a"}]}]}]}']
for index, text in enumerate(json):
    seed("json", f"request-{index}", text)

messages = '[{"role":"user","parts":[{"type":"text","content":"hi"}]},{"role":"assistant","parts":[{"type":"tool_call","id":"1","name":"bash","arguments":{"command":"ls -la"}}]},{"role":"tool","tool_call_id":"1","content":"[{\\"type\\":\\"text\\",\\"text\\":\\"x\\"}]"}]'
for index, text in enumerate((messages, messages[:90], '{"command":"cd /srv && make test","exit_code":2}', '"\\"quoted\\""', "Exit code: 1\nOutput:\nno such file")):
    for scope in (0, 2, 10, 12, 18):
        seed("attributes", f"text-{index}-{scope}", bytes([scope, index * 7 % 48]) + text.encode())

small = protobuf[0].read_bytes()
raw = zlib.compressobj(wbits=-15)
for name, content in (("gzip", gzip.compress(small, mtime=0)), ("zlib", zlib.compress(small)), ("raw", raw.compress(small) + raw.flush()),
                      ("zstd", bytes.fromhex("28b52ffd0458290000736b696c6c040d74c9"))):
    seed("coding", name, content)

frame = lambda flag, message: bytes([flag]) + len(message).to_bytes(4, "big") + message
seed("door", "grpc", bytes([1]) + frame(0, small))
seed("door", "grpc-gzip", bytes([9]) + frame(1, gzip.compress(small, mtime=0)))
seed("door", "http", bytes([3]) + small)
seed("door", "json", bytes([4]) + json[1].encode())
seed("door", "json-deflate", bytes([28]) + zlib.compress(json[1].encode()))

seed("redact", "text", "export TOKEN=ghp_" + "a1" * 18 + "\nhttps://user:secret@host/path?api_key=0123456789abcdef\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\npassword: hunter22correct")
for fixture in ("poisoned", "honest"):
    lines = [line for line in (root / f"tests/fixtures/guard/{fixture}.txt").read_text().splitlines() if line and line[0] != "#"]
    for index, line in enumerate(lines[::12]):
        seed("guard", f"{fixture}-{index}", re.sub(r"\\u\{(\w+)\}", lambda found: chr(int(found[1], 16)), line).replace(" => ", "\n"))
segment = (fuzz / "segment").read_bytes()
seed("journal", "records", b"\0" + segment[128:])
seed("journal", "whole", b"\1" + segment)
seed("config", "default", (root / "src/config/default.yaml").read_bytes())
seed("config", "expanded", "service:\n  memory_limit: ${env:NONE:-1GiB}\nreceivers: &a {otlp: {protocols: {http: {endpoint: '[::1]:4318'}}}}\nexporters: {git: {url: 'https://example.org/x.git', auth: {token: x}}}\n")
skill = "---\nname: a\ndescription: Use when releasing.\nmetadata:\n  skillspan-id: a1\n---\n\n# Release\n\n1. `make test`\n"
state = '{"format":2,"release":1,"files":{"skills/a/SKILL.md":["00"]},"skills":{}}'
seed("library", "skill", "\x01".join((skill, "# Evidence\n", state, state)))
seed("library", "no-state", skill)
table = root / "tests/fixtures/table-v1/v1/owner_tenant=default/owner_workspace=default/ingest_date=2026-11-22/0b5f-1-12-0.parquet"
seed("parquet", "file", table.read_bytes())
seed("parquet", "footer", table.read_bytes()[-6000:])

for path in (captures / "cline-hooks/003-PostToolUse.json", captures / "copilot-hooks/005-postToolUse.json",
             captures / "hermes-hooks/006-post_tool_call.json", captures / "copilot-hooks/002-userPromptSubmitted.json"):
    seed("hooks", path.stem, path.read_bytes())
seed("hooks", "cursor", '{"hook_event_name":"postToolUse","conversation_id":"c","tool_use_id":"t","tool_name":"Shell","tool_input":{"command":"ls"},"tool_output":"{\\"exit_code\\":1}"}')
seed("hooks", "claude", '{"session_id":"s","hook_event_name":"UserPromptSubmit","prompt":"bump \\ud83d"}\n{"session_id":"s","hook_event_name":"Stop"}')
seed("transcripts", "claude", '{"type":"user","uuid":"u","sessionId":"s","timestamp":"2026-09-01T10:00:00Z","message":{"role":"user","content":"run the tests"}}\n{"type":"assistant","uuid":"a","sessionId":"s","message":{"id":"m","content":[{"type":"tool_use","id":"t","name":"Bash","input":{"command":"make"}}]}}\n{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t","content":"Exit code 2","is_error":true}]}}')
seed("transcripts", "codex", '{"timestamp":"2026-09-01T10:00:00Z","type":"session_meta","payload":{"id":"s","cwd":"/w"}}\n{"timestamp":"2026-09-01T10:00:01Z","type":"response_item","payload":{"type":"function_call","name":"exec_command","arguments":"{}","call_id":"c"}}\n{"type":"response_item","payload":{"type":"function_call_output","call_id":"c","output":"Process exited with code 1"}}')
seed("transcripts", "cline", '[{"role":"user","content":[{"type":"text","text":"<task>go</task>"}]},{"role":"assistant","content":"<execute_command><command>ls</command></execute_command>"},{"role":"user","content":"[execute_command for \'ls\'] Result:\\nok"}]')
seed("hooks", "pi", '{"event":"tool_result","session_id":"s","payload":{"toolCallId":"t","toolName":"bash","content":[{"type":"text","text":"x"}],"isError":true}}')
events = sorted((captures / "langfuse-py-v2").glob("*-ingestion.json"), key=lambda path: path.stat().st_size)
for path in events[:6]:
    seed("langfuse", path.stem, path.read_bytes())
seed("langfuse", "scores", '{"batch":[{"id":"1","traceId":"t","name":"helpful","value":1,"comment":"x"}]}')
seed("langfuse", "event", '{"batch":[{"id":"e","type":"generation-create","timestamp":"2026-01-01T00:00:00Z","body":{"id":"o","traceId":"t","input":[{"role":"user","content":"hi"}],"output":"yes","metadata":{"workspace":"w"},"level":"ERROR","statusMessage":"no"}}]}')

vectors = (root / "tests/fixtures/vectors/tiles.vec").read_bytes()
seed("predicate", "lines", b'after edit "src/**/*.rs" run "make test" expect pass\nafter fail "make itest" saying "connection refused" run "make db-up" expect clean pass "make itest"\n')
seed("predicate", "page", b'---\nname: x\nmetadata:\n  predicates: |\n    before run "git commit ..." prompt saying "commit" or "ship it" within turn\n---\n# X\n\n```predicates\nversion 1\nafter look "src/commands" expect missing # gone\n```\n')
seed("vectors", "header", vectors)
seed("vectors", "plain", vectors.split(b"\n", 1)[1] + b". . 1 0 0\nx nan inf 1e39\n")
