"""64 requests of 60 MiB at once: overload.py HTTP_PORT HEALTH_PORT PID 64. By hand: it takes 4 GiB of traffic."""
import collections, http.client, json, sys, threading, time

http_port, health_port, pid = map(int, sys.argv[1:4])
text = "".join(f"line {n}: the widgets were bumped by nobody in particular\n" for n in range(2000))
record = lambda n: {"timeUnixNano": str(1790000000000000000 + n), "attributes": [
    {"key": k, "value": {"stringValue": v}} for k, v in
    {"event.name": "user_prompt", "session.id": "s", "prompt.id": f"p{n}", "prompt": text}.items()]}
count = 60 * 2**20 // len(json.dumps(record(0)))
body = json.dumps({"resourceLogs": [{"scopeLogs": [{"scope": {"name": "com.anthropic.claude_code.events"},
    "logRecords": [record(n) for n in range(count)]}]}]}).encode()
print(f"{len(body) / 2**20:.1f} MiB, {count} records each")

answers = collections.Counter()
def ready():
    connection = http.client.HTTPConnection("127.0.0.1", health_port, timeout=60)
    connection.request("GET", "/ready")
    return connection.getresponse().status
def send():
    try:
        connection = http.client.HTTPConnection("127.0.0.1", http_port, timeout=600)
        connection.request("POST", "/v1/logs", body, {"content-type": "application/json"})
        answer = connection.getresponse()
        answers[answer.status, answer.read().decode()[-80:]] += 1
    except Exception as error:
        answers[repr(error)] += 1
threads = [threading.Thread(target=send) for _ in range(int(sys.argv[4]))]
began = time.time()
for thread in threads: thread.start()
states = collections.Counter()
while any(thread.is_alive() for thread in threads):
    states[ready()] += 1
    time.sleep(0.1)
print(f"answers {dict(answers)} after {time.time() - began:.1f} s; /ready said {dict(states)} meanwhile, {ready()} afterwards")
peak = [line.split() for line in open(f"/proc/{pid}/status") if line.startswith("VmHWM")][0]
print(f"peak resident memory {int(peak[1]) / 1024:.0f} MiB")
