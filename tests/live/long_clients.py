"""How each client works a long session for `import_long.py`: without a terminal first, then in one.

A terminal is a window of tmux on a server of its own; what it shows is read as text.
"""
import json
import os
import re
import shlex
import signal
import subprocess
import time

import opt_out

# One after the other in one session: the scripts of `scripted_model.py`; LONG in the environment names others.
LONG = os.environ.get("LONG", "tests files outputs both agent tests talk outputs files both").split()


class Terminal:
    """A client in a terminal of 160 columns."""

    def __init__(self, run, command, env):
        self.run, self.socket = run, f"skillspan-{run.http}"
        variables = {**run.env, "TERM": "xterm-256color", "COLORTERM": "truecolor", **env}
        variables.pop("CI", None)
        variables.pop("NO_COLOR", None)
        words = ["env", "-i", *(f"{name}={value}" for name, value in variables.items() if value is not None), *map(str, command)]
        script = run.folder / "terminal.sh"
        script.write_text(f"cd {shlex.quote(str(run.work))}\n{shlex.join(words)} 2>{run.folder}/terminal.err; echo; echo \"ended with $?\"; sleep 30\n")
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "160", "-y", "50", "sh", str(script))

    def tmux(self, *words):
        return subprocess.run(["tmux", "-L", self.socket, *words], capture_output=True, text=True).stdout

    def screen(self):
        return self.tmux("capture-pane", "-p", "-J")

    def until(self, pattern, seconds=60):
        """Waits until the terminal shows it."""
        end = time.time() + seconds
        while time.time() < end:
            if re.search(pattern, self.screen()):
                time.sleep(0.5)
                return True
            time.sleep(0.3)
        raise SystemExit(f"no {pattern!r} in {self.run.folder}:\n{self.screen()}")

    def keys(self, *names):
        for name in names:
            self.tmux("send-keys", name)
            time.sleep(0.4)

    def say(self, text):
        self.tmux("send-keys", "-l", text)
        time.sleep(0.8)
        self.tmux("send-keys", "Enter")
        time.sleep(0.5)

    def done(self, script):
        """Types the prompt of a script, and waits for the last answer."""
        self.say(self.run.prompt(script))
        self.until(rf"t{len(self.run.prompts)} is done")

    def begun(self, script):
        """Types the prompt of a script, and waits until its first call is announced."""
        self.say(self.run.prompt(script))
        self.until(rf"t{len(self.run.prompts)}x0 comes")

    def close(self, *keys):
        self.keys(*keys)
        for _ in range(40):
            if "ended with" in self.screen() or not self.screen().strip():
                break
            time.sleep(0.3)
        self.tmux("kill-server")


def program(run, name):
    return run.options.clients / name / "node_modules/.bin" / name


def headless(run, name, arguments, env, node=None, interrupt_after=None):
    """One prompt without a terminal; interrupted as Ctrl-C does it, once the model was asked."""
    found = program(run, name)
    command = [node, os.path.realpath(found)] if node else [found]
    with open(run.folder / "client.out", "a") as out:
        process = subprocess.Popen([*command, *arguments], cwd=run.work, env={**run.env, **env}, stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        if interrupt_after is not None:
            asked = f'"prompt": {len(run.prompts)},'
            for _ in range(200):
                if run.ledger.exists() and asked in run.ledger.read_text():
                    break
                time.sleep(0.2)
            time.sleep(interrupt_after)
            os.killpg(process.pid, signal.SIGINT)
        try:
            return process.wait(90)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            print(f"    {name} {arguments} timed out")
            return process.wait(10)


CLAUDE_HOOK = """import json, sys
call = json.load(sys.stdin)
if "git push" in json.dumps(call.get("tool_input")):
    print(json.dumps({"hookSpecificOutput": {"hookEventName": "PreToolUse", "permissionDecision": "deny",
                                             "permissionDecisionReason": "Nobody pushes to main here."}}))
"""


def claude(run):
    env = {"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{run.model}", "ANTHROPIC_API_KEY": "sk-ant-fake",
           "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1", "DISABLE_ERROR_REPORTING": "1",
           "CLAUDE_CODE_ENABLE_PROMPT_SUGGESTION": "false"}
    hook = run.write("hook.py", CLAUDE_HOOK)
    run.merge(".claude/settings.json", {"permissions": {"deny": ["Bash(rm *)"]}})
    settings = json.loads((run.home / ".claude/settings.json").read_text())
    settings.setdefault("hooks", {}).setdefault("PreToolUse", []).append(
        {"matcher": "Bash", "hooks": [{"type": "command", "command": f"python3 {hook}"}]})
    run.write(".claude/settings.json", settings)
    run.merge(".claude.json", {
        "hasCompletedOnboarding": True, "theme": "dark", "customApiKeyResponses": {"approved": ["sk-ant-fake"], "rejected": []},
        "projects": {str(run.work): {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True, "allowedTools": []}}})
    tools = "Bash,Read,Edit,Write,Agent,Task"
    for at, script in enumerate([*LONG, "denied", "hooked"]):
        headless(run, "claude", [*(["-c"] if at else []), "-p", run.prompt(script), "--allowedTools", tools], env)
    headless(run, "claude", ["-c", "-p", run.prompt("wait"), "--allowedTools", tools], env, interrupt_after=3)
    run.merge(".claude/settings.json", {"permissions": {"deny": [], "ask": ["Bash(rm *)"], "allow": ["Bash(python3 *)"], "defaultMode": "default"}})
    terminal = Terminal(run, [program(run, "claude")], env)
    terminal.until(r"❯|>")
    # Refused, with what to do instead; refused without a word; interrupted; a prompt typed while a tool runs.
    terminal.say(run.prompt("denied"))
    terminal.until(r"Do you want|Would you like")
    terminal.keys("Down", "Down", "Tab")
    terminal.say("keep the folder, clean it with make clean")
    terminal.until(rf"t{len(run.prompts)} is done|Interrupted|❯ *$", 30)
    time.sleep(2)
    terminal.say(run.prompt("denied"))
    terminal.until(r"Do you want|Would you like")
    terminal.keys("Escape")
    time.sleep(2)
    terminal.begun("wait")
    time.sleep(3)
    terminal.keys("Escape")
    terminal.until("Interrupted")
    terminal.begun("hold")
    time.sleep(1)
    terminal.done("talk")
    time.sleep(2)
    terminal.close("C-c", "C-c")


def codex(run):
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

[projects."{run.work}"]
trust_level = "trusted"
""")
    env = {"STANDIN_KEY": "x"}
    free = "--dangerously-bypass-approvals-and-sandbox"
    for at, script in enumerate(LONG):
        headless(run, "codex", ["exec", *(["resume", "--last"] if at else []), free, run.prompt(script)], env)
    headless(run, "codex", ["exec", "resume", "--last", free, run.prompt("wait")], env, interrupt_after=3)
    terminal = Terminal(run, [program(run, "codex"), "--ask-for-approval", "on-request", "--sandbox", "danger-full-access"], env)
    terminal.until(r"›")
    for _ in range(20):
        # It offers another model some time after it started.
        if "Use existing model" in terminal.screen():
            terminal.keys("2")
            time.sleep(1)
            if "Use existing model" in terminal.screen():
                terminal.keys("Enter")
            break
        time.sleep(0.5)
    time.sleep(2)
    terminal.say(run.prompt("denied"))
    terminal.until(r"Would you like")
    terminal.keys("Escape")
    time.sleep(2)
    terminal.done("tests")
    terminal.begun("wait")
    time.sleep(4)
    terminal.keys("Escape")
    time.sleep(2)
    terminal.begun("hold")
    time.sleep(2)
    terminal.done("talk")
    time.sleep(2)
    terminal.close("C-c", "C-c")


def of_gemini(run, name, env, node, start):
    """Gemini CLI and Qwen Code, which have the same terminal."""
    for at, script in enumerate(LONG):
        headless(run, name, start(at > 0, run.prompt(script), "yolo"), env, node)
    headless(run, name, start(True, run.prompt("wait"), "yolo"), env, node, interrupt_after=3)
    found = program(run, name)
    command = [run.options.node, os.path.realpath(found)] if node else [found]
    terminal = Terminal(run, [*command, *start(False, None, "default")], env)
    terminal.until(r"Type your message")
    time.sleep(2)
    terminal.say(run.prompt("denied"))
    terminal.until(r"Allow execution|Apply this|Allow ")
    terminal.keys("Escape")
    time.sleep(2)
    terminal.say(run.prompt("tests"))
    for _ in range(3):
        terminal.until(r"Allow execution|Allow ")
        terminal.keys("Enter")
        time.sleep(2)
    terminal.until(rf"t{len(run.prompts)} is done")
    terminal.say(run.prompt("wait"))
    terminal.until(r"Allow execution|Allow ")
    terminal.keys("Enter")
    time.sleep(4)
    terminal.keys("Escape")
    time.sleep(2)
    terminal.done("talk")
    time.sleep(2)
    terminal.say("/quit")
    terminal.close("C-c", "C-c")


def gemini(run):
    run.merge(".gemini/settings.json", {
        "security": {"auth": {"selectedType": "gemini-api-key"}}, "privacy": {"usageStatisticsEnabled": False},
        "general": {"enableAutoUpdate": False, "disableAutoUpdate": True, "disableUpdateNag": True,
                    # Else it may remove sessions when it starts.
                    "sessionRetention": {"enabled": False}}})
    run.merge(".gemini/trustedFolders.json", {str(run.work): "TRUST_FOLDER"})
    env = {"GOOGLE_GEMINI_BASE_URL": f"http://127.0.0.1:{run.model}", "GEMINI_API_KEY": "fake"}

    def start(is_more, prompt, mode):
        words = ["-m", "gemini-2.5-pro", "--approval-mode", mode, "--skip-trust", *(["-r", "latest"] if is_more else [])]
        return words + (["-p", prompt] if prompt else [])

    of_gemini(run, "gemini", env, None, start)


def qwen(run):
    run.merge(".qwen/settings.json", {
        "security": {"auth": {"selectedType": "openai"}}, "privacy": {"usageStatisticsEnabled": False},
        "general": {"disableAutoUpdate": True, "disableUpdateNag": True, "enableAutoUpdate": False}})
    env = {"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": f"http://127.0.0.1:{run.model}/v1", "OPENAI_MODEL": "stand-in"}

    def start(is_more, prompt, mode):
        words = ["--approval-mode", mode, *(["-c"] if is_more else [])]
        return words + (["-p", prompt] if prompt else [])

    of_gemini(run, "qwen", env, run.options.node, start)


def copilot(run):
    env = {"COPILOT_OFFLINE": "true", "COPILOT_PROVIDER_BASE_URL": f"http://127.0.0.1:{run.model}/v1",
           "COPILOT_PROVIDER_TYPE": "openai", "COPILOT_PROVIDER_API_KEY": "x", "COPILOT_MODEL": "stand-in",
           "COPILOT_AUTO_UPDATE": "false", **opt_out.exports(run, "copilot")}
    for at, script in enumerate([*LONG, "denied"]):
        rules = ["--allow-all", *(["--deny-tool", "shell(rm:*)", "--deny-tool", "shell(rm)"] if script == "denied" else [])]
        headless(run, "copilot", [*(["--continue"] if at else []), "-p", run.prompt(script), *rules], env)
    headless(run, "copilot", ["--continue", "-p", run.prompt("wait"), "--allow-all"], env, interrupt_after=4)
    run.write(".copilot/config.json", {"firstLaunchAt": "2026-11-01T00:00:00.000Z", "trustedFolders": [str(run.work)]})
    terminal = Terminal(run, [program(run, "copilot"), "--allow-tool", "shell(python3:*)"], env)
    terminal.until(r"❯|>")
    time.sleep(3)
    terminal.say(run.prompt("denied"))
    terminal.until(r"Do you want|No, and tell|Yes")
    terminal.keys("Escape")
    time.sleep(2)
    terminal.say(run.prompt("denied"))
    terminal.until(r"Do you want|No, and tell|Yes")
    terminal.keys("Down", "Down", "Down")
    terminal.say("keep the folder")
    time.sleep(2)
    terminal.begun("wait")
    time.sleep(3)
    terminal.keys("Escape", "Escape")
    time.sleep(2)
    terminal.begun("hold")
    time.sleep(1)
    # What is typed now makes Copilot leave the command to run in the background: nothing says how it ends.
    run.left.add(f"t{len(run.prompts)}x0")
    terminal.done("talk")
    time.sleep(2)
    terminal.close("C-c", "C-c")


PI_EXTENSION = """
export default function (pi) {
  pi.on("tool_call", async (event) => {
    if (String(event.input.command ?? "").startsWith("rm -rf")) return { block: true, reason: "Nobody removes the build folder here." };
  });
}
"""


def pi(run):
    run.write(".pi/agent/models.json", {"providers": {"standin": {
        "baseUrl": f"http://127.0.0.1:{run.model}", "api": "anthropic-messages", "apiKey": "x",
        "models": [{"id": "stand-in", "name": "stand-in", "reasoning": False, "input": ["text"], "contextWindow": 100000,
                    "maxTokens": 4096, "cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0}}]}}})
    run.write(".pi/agent/extensions/rules.ts", PI_EXTENSION)
    chosen, env = ["--provider", "standin", "--model", "stand-in"], {"PI_OFFLINE": "1"}
    for at, script in enumerate([*LONG, "denied"]):
        headless(run, "pi", [*chosen, *(["-c"] if at else []), "-p", run.prompt(script)], env, run.options.node)
    terminal = Terminal(run, [run.options.node, os.path.realpath(program(run, "pi")), *chosen], env)
    terminal.until(r"stand-in")
    time.sleep(2)
    terminal.begun("wait")
    time.sleep(3)
    terminal.keys("Escape")
    time.sleep(2)
    terminal.begun("hold")
    time.sleep(1)
    terminal.done("talk")
    time.sleep(2)
    terminal.close("C-c", "C-c", "C-d")


def opencode(run):
    run.merge(".config/opencode/opencode.json", {
        "autoupdate": False, "share": "disabled", "model": "standin/stand-in", "small_model": "standin/stand-in",
        "permission": {"*": "allow", "bash": {"*": "allow", "rm *": "ask", "git push*": "deny"}},
        "provider": {"standin": {"npm": "@ai-sdk/openai-compatible", "name": "standin",
                                 "options": {"baseURL": f"http://127.0.0.1:{run.model}/v1", "apiKey": "x"},
                                 "models": {"stand-in": {"name": "stand-in", "tool_call": True}}}}})
    env = {**opt_out.started_with(run, "opencode"), "OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_DISABLE_MODELS_FETCH": "1"}
    for at, script in enumerate([*LONG, "hooked"]):
        headless(run, "opencode", ["run", *(["-c"] if at else []), run.prompt(script)], env)
    terminal = Terminal(run, [program(run, "opencode")], env)
    terminal.until(r"Ask anything|stand-in")
    time.sleep(3)
    terminal.say(run.prompt("denied"))
    terminal.until(r"Permission required|Allow once")
    terminal.keys("Right", "Right", "Enter")
    time.sleep(2)
    terminal.begun("wait")
    time.sleep(3)
    terminal.keys("Escape", "Escape")
    time.sleep(2)
    terminal.begun("hold")
    time.sleep(1)
    terminal.done("talk")
    time.sleep(2)
    terminal.close("C-c", "C-c")


def cline(run):
    headless(run, "cline", ["auth", "-p", "openai", "-k", "x", "-m", "stand-in", "-b", f"http://127.0.0.1:{run.model}/v1"], {})
    chosen = ["--auto-approve", "true", "-P", "openai"]
    for script in LONG:
        # Without a terminal it goes on with no session: each prompt is one.
        headless(run, "cline", [*chosen, run.prompt(script)], {})


CLIENTS = {"claude-code": claude, "codex": codex, "gemini-cli": gemini, "qwen": qwen, "copilot": copilot, "opencode": opencode, "pi": pi,
           "cline": cline}
