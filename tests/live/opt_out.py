#!/usr/bin/env python3
"""Every way to leave a session out that `connect` names, and every one of which it says that it does not, tried
with the real client.

    python3 tests/live/opt_out.py --skillspan target/debug/skillspan --clients FOLDER [ASSISTANT …]

FOLDER holds `<client>/node_modules/.bin/<client>` as `npm install --prefix FOLDER/<client>` puts it there, and
the Python environments `py` (Hermes Agent) and `sdk` (Langfuse, OpenTelemetry and instrumentations), and `jsai` with the
AI SDK, OpenTelemetry for JavaScript and zod. For each way there is a home of its own and a collector of its own;
`skillspan connect ASSISTANT --write` alone configures the client. The models' API is `model.py`. A mark
stands in each prompt, and is looked for in every byte below the home and the collector's folder that is
skillspan's. Without an opt-out the mark must be there: a way that finds nothing then proves nothing.
"""
import argparse
import itertools
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import model  # noqa: E402

MARK = "quokkamark"
PROMPT = f"Run the integration tests and tell me if they pass. {MARK}"
MAKEFILE = """test-integration:
\t@test -f up || { echo 'connection refused on 127.0.0.1:5433'; exit 2; }
\t@echo '5 passed'
db-up:
\t@touch up
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Run:
    """A client's home, a repository to work in, a collector and a model."""

    def __init__(self, options, team=False, trusting=None):
        self.options = options
        self.whose = []
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=options.work))
        self.home, self.work, self.data = (self.folder / name for name in ("home", "home/work", "data"))
        self.work.mkdir(parents=True)
        self.data.mkdir()
        (self.work / "Makefile").write_text(MAKEFILE)
        for command in (["init", "-q"], ["remote", "add", "origin", "https://git.example.com/acme/shop-api.git"]):
            subprocess.run(["git", *command], cwd=self.work, check=True)
        self.http, self.health, self.model = free_port(), free_port(), free_port()
        self.endpoint = f"http://127.0.0.1:{self.http}"
        auth = tls = ""
        if team:
            self.endpoint = f"https://localhost:{self.http}"
            self.certify()
            (self.folder / "token").write_text(TOKEN)
            auth = f"  auth: {{ tokens: [{{ id: ana, secret: {TOKEN}, tenant: acme, workspace: shop }}] }}\n"
            tls = f", tls: {{ cert_file: {self.folder}/tls.pem, key_file: {self.folder}/tls.key }}"
        self.config = self.folder / "skillspan.yaml"
        self.config.write_text(f"""extensions:
{auth}  health: {{ endpoint: 127.0.0.1:{self.health} }}
  sessions_table: {{ path: {self.data}/sessions }}
receivers:
  otlp: {{ protocols: {{ grpc: {{ endpoint: 127.0.0.1:{free_port()} }}, http: {{ endpoint: 127.0.0.1:{self.http}{tls} }} }} }}
exporters:
  filesystem: {{ path: {self.data}/skills }}
service:
  journal: {{ path: {self.data}/journal }}
""")
        self.env = {
            "HOME": str(self.home), "TERM": "dumb", "NO_COLOR": "1", "LANG": "C.UTF-8",
            "PATH": f"{options.bin}:{os.environ['PATH']}", "CI": "",
        }
        if team:
            # As docs/guide/team.md says of an authority of one's own.
            self.env |= dict.fromkeys(AUTHORITIES if trusting is None else trusting, str(self.folder / "ca.pem"))
        self.processes = [
            subprocess.Popen([sys.executable, HERE / "model.py", str(self.model), self.folder / "usage"], stderr=subprocess.DEVNULL),
            subprocess.Popen([options.skillspan, "run", "--config", self.config], env=self.env,
                             stdout=open(self.folder / "run.out", "w"), stderr=subprocess.STDOUT),
        ]
        for port in (self.http, self.model):
            self.wait_for(port)

    def certify(self):
        """An authority, and a certificate of it for localhost."""
        openssl = lambda *words: subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)
        new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        openssl(*new, "-x509", "-days", "30", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=team",
                "-addext", "basicConstraints=critical,CA:TRUE")
        openssl(*new, "-keyout", "tls.key", "-out", "tls.csr", "-subj", "/CN=localhost")
        (self.folder / "san").write_text("subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n")
        openssl("x509", "-req", "-days", "30", "-in", "tls.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-out", "tls.pem", "-extfile", "san")

    def wait_for(self, port):
        for _ in range(600):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise SystemExit(f"nothing listens at {port}: {self.folder}")

    def skillspan(self, *arguments):
        ran = subprocess.run([self.options.skillspan, *arguments], env=self.env, capture_output=True, text=True)
        assert ran.returncode == 0, (arguments, ran.stdout, ran.stderr)
        return ran.stdout

    def client(self, name, *arguments, env=None, node=None, program=None):
        where = self.options.clients
        env = {variable: value for variable, value in (env or {}).items() if value is not None}
        pythons = [where / folder / "bin" / name for folder in ("sdk", "py")]
        program = program or next((path for path in pythons if path.exists()), where / name / "node_modules/.bin" / name)
        command = [node, os.path.realpath(program)] if node else [program]
        with open(self.folder / "client.out", "w") as out:
            process = subprocess.Popen([*command, *arguments], cwd=self.work, env={**self.env, **env},
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
            try:
                return process.wait(60 if name != "cline" else 30)
            except subprocess.TimeoutExpired:
                # Cline answers and stays; the others would have ended.
                process.kill()
                process.wait(30)
                answered = model.LAST in (self.folder / "client.out").read_text()
                return 0 if answered and name == "cline" else "timed out"

    def write(self, path, content):
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return file

    def merge(self, path, content):
        """Adds to a JSON file what makes the client run here and is nothing of ours."""
        file = self.home / path
        before = json.loads(file.read_text()) if file.exists() else {}
        return self.write(path, merged(before, content))

    def stop(self):
        """Stops the collector, which stores what it has, and says what was stored."""
        flush = urllib.request.Request(f"http://127.0.0.1:{self.health}/flush", method="POST")
        try:
            urllib.request.urlopen(flush, timeout=30).read()
        except OSError as error:
            print(f"  flush: {error}")
        listed = self.skillspan("sessions", "list", "--json", "--config", str(self.config))
        sessions = [json.loads(line) for line in listed.splitlines() if line.strip()]
        shown = [json.loads(self.skillspan("sessions", "show", s["id"], "--json", "--config", str(self.config)))
                 for s in sessions]
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            process.wait(60)
        return shown

    def marked(self):
        """Files of skillspan that hold the mark, as it is or in Parquet's pages as readers find them."""
        places = [self.data, self.home / ".local/share/skillspan"]
        files = [file for place in places for file in place.rglob("*") if file.is_file()]
        return [str(file.relative_to(self.folder)) for file in files if MARK.encode() in file.read_bytes()]


def merged(a, b):
    if isinstance(a, dict) and isinstance(b, dict):
        return {key: merged(a[key], b[key]) if key in a and key in b else a.get(key, b.get(key)) for key in {**a, **b}}
    return b


def claude(run, env, arguments):
    env = {
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{run.model}", "ANTHROPIC_API_KEY": "sk-ant-fake",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1",
        "DISABLE_ERROR_REPORTING": "1", **env,
    }
    return run.client("claude", *arguments, "-p", PROMPT, "--allowedTools", "Bash", env=env)


def codex(run, env, arguments):
    path = run.home / ".codex/config.toml"
    ours = path.read_text() if path.exists() else ""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"""model = "gpt-5.5"
model_provider = "standin"
check_for_update_on_startup = false
""" + ours + f"""
[model_providers.standin]
name = "standin"
base_url = "http://127.0.0.1:{run.model}/v1"
wire_api = "responses"
env_key = "STANDIN_KEY"
""")
    return run.client("codex", *arguments, "exec", "--dangerously-bypass-approvals-and-sandbox", PROMPT,
                      env={"STANDIN_KEY": "x", **env})


def gemini(run, env, arguments):
    run.merge(".gemini/settings.json", {
        "security": {"auth": {"selectedType": "gemini-api-key"}}, "privacy": {"usageStatisticsEnabled": False},
        "general": {"enableAutoUpdate": False, "disableAutoUpdate": True, "disableUpdateNag": True}})
    # It reads ~/.gemini/.env in folders that the person trusts.
    run.merge(".gemini/trustedFolders.json", {str(run.work): "TRUST_FOLDER"})
    env = {"GOOGLE_GEMINI_BASE_URL": f"http://127.0.0.1:{run.model}", "GEMINI_API_KEY": "fake", **env}
    return run.client("gemini", "-p", PROMPT, "-m", "gemini-2.5-pro", "--approval-mode", "yolo", "--skip-trust",
                      *arguments, env=env)


def qwen(run, env, arguments):
    run.merge(".qwen/settings.json", {
        "security": {"auth": {"selectedType": "openai"}}, "privacy": {"usageStatisticsEnabled": False},
        "general": {"disableAutoUpdate": True, "disableUpdateNag": True, "enableAutoUpdate": False}})
    env = {"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": f"http://127.0.0.1:{run.model}/v1", "OPENAI_MODEL": "stand-in", **env}
    return run.client("qwen", "-p", PROMPT, "--approval-mode", "yolo", *arguments, env=env, node=run.options.node)


def exports(run, name):
    """The variables that `connect` prints for a client that has no file for them."""
    shown = run.skillspan("connect", name, "--endpoint", run.endpoint, *run.whose)
    lines = [line.removeprefix("export ") for line in shown.splitlines() if line.startswith("export ")]
    return dict(line.split("=", 1) for line in lines)


def started_with(run, name):
    """What `connect` says a client has to be started with, because no file of its own can say it."""
    lines = run.skillspan("connect", name, "--endpoint", run.endpoint, *run.whose).splitlines()
    begin = next((at for at, line in enumerate(lines) if line.endswith("start it with")), len(lines))
    said = itertools.takewhile(lambda line: line.startswith("  "), lines[begin + 1:])
    return dict(line.strip().replace('"', "").split("=", 1) for line in said)


def copilot(run, env, arguments):
    env = {
        "COPILOT_OFFLINE": "true", "COPILOT_PROVIDER_BASE_URL": f"http://127.0.0.1:{run.model}/v1",
        "COPILOT_PROVIDER_TYPE": "openai", "COPILOT_PROVIDER_API_KEY": "x", "COPILOT_MODEL": "stand-in",
        "COPILOT_AUTO_UPDATE": "false", **env,
    }
    return run.client("copilot", *arguments, "-p", PROMPT, "--allow-all", env=env)


def copilot_otel(run, env, arguments):
    return copilot(run, {**exports(run, "copilot"), **env}, arguments)


def opencode(run, env, arguments):
    run.merge(".config/opencode/opencode.json", {
        "autoupdate": False, "share": "disabled", "model": "standin/stand-in", "small_model": "standin/stand-in",
        "permission": {"*": "allow"},
        "provider": {"standin": {"npm": "@ai-sdk/openai-compatible", "name": "standin",
                                 "options": {"baseURL": f"http://127.0.0.1:{run.model}/v1", "apiKey": "x"},
                                 "models": {"stand-in": {"name": "stand-in", "tool_call": True}}}}})
    env = {**started_with(run, "opencode"), "OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_DISABLE_MODELS_FETCH": "1", **env}
    return run.client("opencode", "run", *arguments, PROMPT, env=env)


def pi(run, env, arguments):
    run.write(".pi/agent/models.json", {"providers": {"standin": {
        "baseUrl": f"http://127.0.0.1:{run.model}", "api": "anthropic-messages", "apiKey": "x",
        "models": [{"id": "stand-in", "name": "stand-in", "reasoning": False, "input": ["text"],
                    "contextWindow": 100000, "maxTokens": 4096,
                    "cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0}}]}}})
    return run.client("pi", "--provider", "standin", "--model", "stand-in", *arguments, "-p", PROMPT,
                      env={"PI_OFFLINE": "1", **env}, node=run.options.node)


def cline(run, env, arguments):
    run.client("cline", "auth", "-p", "openai", "-k", "x", "-m", "stand-in", "-b", f"http://127.0.0.1:{run.model}/v1")
    return run.client("cline", *arguments, "--yolo", PROMPT, env=env)


def hermes(run, env, arguments):
    path = run.home / ".hermes/config.yaml"
    ours = path.read_text() if path.exists() else ""
    run.write(".hermes/config.yaml", f"""model:
  provider: custom
  default: stand-in
  base_url: http://127.0.0.1:{run.model}/v1
  api_key: x
plugins:
  enabled: [otel_tracing]
""" + ours)
    env = {"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": f"http://127.0.0.1:{run.model}/v1", "HERMES_YOLO_MODE": "1", **env}
    return run.client("hermes", "chat", "--accept-hooks", "-q", PROMPT, *arguments, env=env)


PYTHON_OTEL = """
import os
from openai import OpenAI
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
provider = TracerProvider(); provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
from openinference.instrumentation.openai import OpenAIInstrumentor
OpenAIInstrumentor().instrument()
OpenAI(base_url=os.environ["MODEL"], api_key="x").chat.completions.create(
    model="stand-in", messages=[{"role": "user", "content": os.environ["PROMPT"]}])
provider.shutdown()
"""
# With log records as well: some versions put the texts there.
LOGS = """
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
logs = LoggerProvider(); logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
set_logger_provider(logs)
"""
PYTHON_GENAI = LOGS + PYTHON_OTEL.replace(
    "openinference.instrumentation.openai", "opentelemetry.instrumentation.openai_v2") + "logs.shutdown()\n"
AGENTS = """
import os
from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor
import subprocess
provider = TracerProvider(); provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
OpenAIAgentsInstrumentor().instrument(tracer_provider=provider)
@function_tool
def shell(command: str, description: str = "") -> str:
    "Runs a command."
    ran = subprocess.run(command, shell=True, capture_output=True, text=True)
    if ran.returncode:
        raise RuntimeError(ran.stdout + ran.stderr)
    return ran.stdout
model = OpenAIChatCompletionsModel("stand-in", AsyncOpenAI(base_url=os.environ["MODEL"], api_key="x"))
print(Runner.run_sync(Agent("tester", model=model, tools=[shell]), os.environ["PROMPT"]).final_output)
provider.shutdown()
"""
AI_SDK = """
import { execSync } from 'node:child_process';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { OpenTelemetry } from '@ai-sdk/otel';
import { generateText, isStepCount, registerTelemetry, tool } from 'ai';
import { z } from 'zod';
const sdk = new NodeSDK();
sdk.start();
registerTelemetry(new OpenTelemetry());
const shell = tool({
  description: 'Runs a command.', inputSchema: z.object({ command: z.string(), description: z.string().optional() }),
  execute: async ({ command }) => execSync(command, { encoding: 'utf8' }),
});
const model = createOpenAICompatible({ name: 'standin', baseURL: process.env.MODEL, apiKey: 'x' })('stand-in');
const { text } = await generateText({ model, prompt: process.env.PROMPT, tools: { shell }, stopWhen: isStepCount(9),
                                      experimental_telemetry: { isEnabled: true } });
console.log(text);
await sdk.shutdown();
"""
LANGFUSE = """
import os
from langfuse import Langfuse
from langfuse.openai import OpenAI
client = Langfuse()
OpenAI(base_url=os.environ["MODEL"], api_key="x").chat.completions.create(
    model="stand-in", messages=[{"role": "user", "content": os.environ["PROMPT"]}])
client.flush(); client.shutdown()
"""


def python(name, script):
    def start(run, env, arguments):
        env = {**exports(run, name), "MODEL": f"http://127.0.0.1:{run.model}/v1", "PROMPT": PROMPT, **env}
        return run.client("python", "-c", script, env=env)
    return start


def ai_sdk(run, env, arguments):
    folder = run.options.clients / "jsai"
    script = folder / f"app-{run.http}.mjs"
    script.write_text(AI_SDK)
    env = {**exports(run, "otel-js"), "MODEL": f"http://127.0.0.1:{run.model}/v1", "PROMPT": PROMPT, **env}
    try:
        return run.client("node", str(script), env=env, program=run.options.node)
    finally:
        script.unlink()


CLIENTS = {
    "claude-code": claude, "claude-hooks": claude, "codex": codex, "gemini-cli": gemini, "qwen": qwen,
    "copilot": copilot_otel, "copilot-hooks": copilot, "opencode": opencode, "pi": pi, "cline": cline,
    "hermes-hooks": hermes, "hermes": hermes, "langfuse": python("langfuse", LANGFUSE),
    "otel-python": python("otel-python", PYTHON_OTEL), "otel-js": ai_sdk,
}
# Instrumentations that are set up as `connect otel-python` says, beside the one that its ways are tried with.
MORE = {"genai": python("otel-python", PYTHON_GENAI), "openai-agents": python("otel-python", AGENTS)}
FILE_LESS = ("copilot", "langfuse", "otel-python", "otel-js", *MORE)


def said(skillspan, name):
    """What `connect` says leaves a session out, and what it says does not."""
    shown = subprocess.run([skillspan, "connect", name], capture_output=True, text=True, check=True).stdout
    lists = {"To leave a session out:": [], "This does not leave it out:": []}
    current = None
    for line in shown.splitlines():
        if line in lists:
            current = lists[line]
        elif line.startswith("  ") and current is not None:
            current.append(line.strip())
        else:
            current = None
    return lists.values()


def understood(way):
    """The environment, the arguments and the files that a way asks for."""
    if way.startswith(".skillspan.yaml"):
        return {}, [], {"work/.skillspan.yaml": "capture: false\n"}
    if " in its folder with " in way:
        path, content = way.split(" in its folder with ")
        return {}, [], {f"work/{path}": json.loads(content)}
    words, env = shlex.split(way), {}
    if words[:2] == ["env", "-u"]:
        env, words = {words[2]: None}, words[3:]
    while re.match(r"[A-Z_]+=", words[0]):
        env.update([words.pop(0).split("=", 1)])
    arguments = words[1:]
    is_app = arguments in (["app.py"], ["app.js"])
    assert words and (not arguments or is_app or arguments[0].startswith("-")), way
    return env, [] if is_app else arguments, {}


def ways(options, name):
    """(way, whether `connect` says that it leaves a session out, whether the client's settings name people)."""
    leave_out, in_vain = said(options.skillspan, name)
    yield "", None, []
    for way in leave_out:
        yield way, True, []
    if name == "claude-code":
        # Then its settings have OTEL_RESOURCE_ATTRIBUTES themselves.
        yield leave_out[0], True, WHOSE
        yield leave_out[2], True, WHOSE
    if name == "codex":
        # Its ~/.codex/.env then says them, and wins over the shell.
        yield leave_out[0], True, WHOSE
        yield leave_out[1], False, WHOSE
    if name in ("gemini-cli", "qwen"):
        yield leave_out[0], True, WHOSE
    yield "", None, WHOSE
    for way in in_vain:
        yield way, False, []


def tried(options, name, way, leaves_out, whose):
    """Starts a client once; whether it went as told."""
    env, arguments, files = understood(way) if way else ({}, [], {})
    run = Run(options)
    if name not in FILE_LESS:
        run.skillspan("connect", name, "--write", "--endpoint", run.endpoint, *whose)
    run.whose = whose
    for path, content in files.items():
        run.write(path, content)
    code = CLIENTS[name](run, env, arguments)
    sessions = run.stop()
    marked = run.marked()
    # Cline's hooks have no words of the prompt.
    found = bool(sessions and (marked or name == "cline"))
    nothing = not sessions and not marked
    fits = code == 0 and (nothing if leaves_out else found)
    facts = sum(len(session["facts"]) for session in sessions)
    who = sorted({(session.get("workspace", ""), session.get("user_id", "")) for session in sessions})
    told = {True: "left out", False: "stored, as told", None: "stored"}[leaves_out] if fits else "NOT AS TOLD"
    print(f"  {told:<16} {way or '(nothing said)'}{' after ' + ' '.join(whose) if whose else ''}\n"
          f"  {'':<16} client {code}; {len(sessions)} sessions, {facts} facts, mark in {len(marked)} files; {who}", flush=True)
    if code != 0:
        print("   ", "\n    ".join((run.folder / "client.out").read_text().splitlines()[-8:]))
    if options.keep or not fits:
        print(f"    {run.folder}")
    else:
        shutil.rmtree(run.folder, ignore_errors=True)
    return fits


TOKEN = "a-token-of-the-team-0123456789"
# Variables that name a file of authorities, for one client or another.
AUTHORITIES = ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "OTEL_EXPORTER_OTLP_CERTIFICATE", "REQUESTS_CA_BUNDLE")


def over_tls(options, name, token, trusting=None):
    """One session over TLS with a token, as docs/guide/team.md says."""
    run = Run(options, team=True, trusting=trusting)
    (run.folder / "token").write_text(f"ana:{token}" if name == "langfuse" else token)
    run.whose = ["--token-file", str(run.folder / "token"), "--user", "ana@example.com"]
    if name not in FILE_LESS:
        run.skillspan("connect", name, "--write", "--endpoint", run.endpoint, *run.whose)
    shown = run.skillspan("connect", "otel-python" if name in MORE else name, "--endpoint", run.endpoint, *run.whose)
    env = {}
    for variable in ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_RESOURCE_ATTRIBUTES", "LANGFUSE_PUBLIC_KEY",
                     "LANGFUSE_SECRET_KEY"):
        found = re.search(rf"^(?:export |  ){variable}=(?!skillspan)(.*)$", shown, re.M)
        if found:
            env[variable] = found[1].strip('"').replace("TOKEN", token).replace("ID", "ana")
    code = {**CLIENTS, **MORE}[name](run, env, [])
    status = run.skillspan("status", "--config", str(run.config))
    sessions = run.stop()
    if not options.keep:
        shutil.rmtree(run.folder, ignore_errors=True)
    return code, sessions, status


def whom_it_trusts(options, name):
    """Which variable alone makes a client trust an authority of one's own; by none of them nothing may arrive."""
    arrived = []
    for trusting in ((), *((variable,) for variable in AUTHORITIES)):
        _, sessions, _ = over_tls(options, name, TOKEN, trusting)
        if sessions:
            arrived.append(trusting[0] if trusting else "NONE")
    fits = bool(arrived) and "NONE" not in arrived
    print(f"  {'trusts' if fits else 'NOT SO':<16} {', '.join(arrived) or 'none of them'}", flush=True)
    return fits


def at_the_team(options, name):
    """Over TLS with a token, as docs/guide/team.md says; whether it arrived, and what the server says of a wrong token."""
    said = []
    for token in (TOKEN, "a-wrong-token-of-enough-length"):
        code, sessions, status = over_tls(options, name, token)
        refused = [line.strip() for line in status.splitlines() if "refused" in line or "events of hooks" in line]
        who = sorted({(session.get("workspace", ""), session.get("user_id", "")) for session in sessions})
        said.append((code, len(sessions), who, refused))
    (code, count, who, _), (_, wrong, _, refused) = said
    fits = code == 0 and count > 0 and wrong == 0 and bool(refused)
    print(f"  {'arrived' if fits else 'NOT SO':<16} over TLS with a token: {count} sessions, {who}\n"
          f"  {'':<16} with a wrong one {wrong}; {refused}", flush=True)
    return fits


WHOSE = ["--workspace", "wombat shop", "--user", "Ana.Wombat@example.com"]


def command_line(description):
    """What every trial of real clients is told: which binary, which clients."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--skillspan", type=pathlib.Path, required=True)
    parser.add_argument("--clients", type=pathlib.Path, required=True)
    parser.add_argument("--node", default="node", help="a Node.js of 22 or newer")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("names", nargs="*")
    return parser


def prepared(parser, prefix):
    """The options, with a folder to work in and one of programs that holds skillspan."""
    options = parser.parse_args()
    options.skillspan, options.clients = options.skillspan.resolve(), options.clients.resolve()
    options.work = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
    options.bin = options.work / "bin"
    options.bin.mkdir()
    (options.bin / "skillspan").symlink_to(options.skillspan)
    return options


def main():
    parser = command_line(__doc__)
    parser.add_argument("--way", default="", help="only ways whose name has this in it, and the one without")
    parser.add_argument("--team", action="store_true", help="instead: over TLS with a token")
    parser.add_argument("--authority", action="store_true", help="instead: which variable makes it trust a certificate")
    options = prepared(parser, "opt-out-")
    wrong = 0
    for name in options.names or CLIENTS:
        print(name, flush=True)
        if options.team or options.authority:
            wrong += not (at_the_team if options.team else whom_it_trusts)(options, name)
            continue
        for way, leaves_out, whose in ways(options, name):
            if way and options.way not in way:
                continue
            wrong += not tried(options, name, way, leaves_out, whose)
    print(f"{wrong} not as told")
    if not wrong and not options.keep:
        shutil.rmtree(options.work, ignore_errors=True)
    sys.exit(min(wrong, 1))


if __name__ == "__main__":
    main()
