#!/usr/bin/env python3
"""Looks at the console in a browser, and decides in it.

    tests/browser/console.py target/debug/skillspan AXE OUT

Starts skillspan on free ports in folders of its own, once with nothing in it and once for each kind of target with invented
sessions and two proposals. Shows: every page; nothing that axe-core (AXE is its axe.min.js) finds serious; no error in the
browser; nothing wider than 360 px; everything by keyboard; a proposal accepted and one refused, in a folder and a repository.
Writes pictures to OUT/{page}-{light,dark}-{1280,360}.png. Needs chromium and chromedriver; without them, it fails. Only
Python's own library.
"""

import base64
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from report import DAY, Session, free_port, work

PAGES = ["/", "/sessions", "/work", "/skills", "/review", "/report"]
FOREIGN = "ssh build-host make db-up"
OTHER = "ssh build-host make queue-up"
TAB, ENTER, SHIFT = "\ue004", "\ue007", "\ue008"
SERIOUS = ("serious", "critical")


class Browser:
    """Chromium, over WebDriver."""

    def __init__(self):
        port = free_port()
        self.driver = subprocess.Popen(
            ["chromedriver", f"--port={port}", "--silent"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.base = f"http://127.0.0.1:{port}"
        until(lambda: self.call("GET", "/status")["ready"], "chromedriver starts")
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage"]
        capabilities = {
            "alwaysMatch": {
                "goog:chromeOptions": {"args": arguments},
                "goog:loggingPrefs": {"browser": "ALL"},
            }
        }
        session = self.call("POST", "/session", {"capabilities": capabilities})
        self.base += f"/session/{session['sessionId']}"

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"content-type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.read().decode()}") from error

    def develop(self, command, **parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def go(self, address):
        self.call("POST", "/url", {"url": address})
        self.settle()

    def settle(self):
        """Waits until nothing is being read any more: such pages come again by themselves."""
        again = "return !document.querySelector('meta[http-equiv=refresh]') && document.readyState === 'complete'"
        until(lambda: self.run(again), "the page is whole", 60)

    def run(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def text(self):
        return self.run("return document.body.innerText")

    def press(self, *keys):
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def look(self, width, scheme):
        self.develop("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.develop("Emulation.setEmulatedMedia", features=[feature])

    def picture(self, path, most=1500):
        height = min(most, self.run("return document.documentElement.scrollHeight"))
        width = self.run("return document.documentElement.clientWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        shot = self.develop("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot["data"]))
        assert os.path.getsize(path) > 5_000, f"{path} shows nothing"

    def errors(self):
        log = self.call("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in log if entry["level"] == "SEVERE"]

    def close(self):
        self.call("DELETE", "")
        self.driver.terminate()
        self.driver.wait()


class House:
    """skillspan with a console, in a folder of its own."""

    def __init__(self, program, folder, in_repository):
        self.program, self.folder, self.in_repository = program, folder, in_repository
        self.http, self.health, self.port = free_port(), free_port(), free_port()
        self.config = os.path.join(folder, "skillspan.yaml")
        self.environment = {**os.environ, "XDG_DATA_HOME": folder, "HOME": folder, "TZ": "Asia/Tokyo"}
        target = f"filesystem: {{ path: {folder}/skills }}"
        if in_repository:
            subprocess.run(["git", "init", "--quiet", "--bare", f"{folder}/remote.git"], check=True)
            target = f"git: {{ remote: 'file://{folder}/remote.git', branch: main, mode: direct }}"
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(
                f"""extensions:
  health: {{ endpoint: 127.0.0.1:{self.health} }}
  console: {{ endpoint: 127.0.0.1:{self.port} }}
  sessions_table: {{ path: {folder}/sessions }}
receivers:
  otlp: {{ protocols: {{ grpc: {{ endpoint: 127.0.0.1:{free_port()} }}, http: {{ endpoint: 127.0.0.1:{self.http} }} }} }}
processors:
  workspace: {{ default: kitchen }}
exporters:
  {target}
connectors:
  skillify: {{ digests: {folder}/digests, min_interval: 1h }}
service:
  pipelines:
    sessions: {{}}
    skills: {{ receivers: [skillify], exporters: [{target.split(":")[0]}] }}
  journal: {{ path: {folder}/journal, max_size: 64MiB, segment: 4MiB }}
"""
            )

    def __enter__(self):
        self.service = subprocess.Popen(
            [self.program, "run", "--quiet", "--config", self.config],
            env=self.environment,
            stderr=subprocess.DEVNULL,
        )
        until(lambda: ask(f"http://127.0.0.1:{self.health}/ready"), "skillspan starts")
        return self

    def __exit__(self, *_):
        self.service.terminate()
        self.service.wait()

    def command(self, *arguments):
        done = subprocess.run(
            [self.program, *arguments, "--config", self.config],
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def address(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def enter(self, browser):
        browser.go(self.command("open", "--print").strip())
        until(lambda: browser.run("return location.pathname") == "/", "the key lets in")

    def send(self, sessions):
        for session in sessions:
            request = urllib.request.Request(
                f"http://127.0.0.1:{self.http}/v1/logs",
                json.dumps(session.body()).encode(),
                {"content-type": "application/json"},
            )
            urllib.request.urlopen(request).close()
        urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{self.health}/flush", b"")).close()

    def standing(self, name):
        """The SKILL.md at the target, if there is one."""
        path = f"skills/{name}/SKILL.md"
        if not self.in_repository:
            whole = os.path.join(self.folder, "skills", path)
            return open(whole, encoding="utf-8").read() if os.path.exists(whole) else None
        show = ["git", "-C", f"{self.folder}/remote.git", "show", f"main:{path}"]
        shown = subprocess.run(show, capture_output=True, text=True, check=False)
        return shown.stdout if shown.returncode == 0 else None


def ask(address):
    try:
        with urllib.request.urlopen(address, timeout=1):
            return True
    except OSError:
        return False


def until(happens, what, seconds=30):
    end = time.monotonic() + seconds
    while True:
        try:
            if happens():
                return
        except (OSError, AssertionError):
            pass
        assert time.monotonic() < end, f"{what} within {seconds} s"
        time.sleep(0.05)


def sessions(count):
    """Sessions of a month up to today, as `report.py` invents them, and some that need another machine."""
    chance = random.Random(11)
    start = int(time.time()) - 7_200
    for number in range(count):
        session = Session(number, start - (count - number) * 28 * DAY // count + chance.randint(0, 20_000), chance)
        work(session)
        yield session
    for number in range(6):
        for check, repair in (("make itest", FOREIGN), ("npm run e2e", OTHER)):
            session = Session(10_000 + 2 * number + (repair == OTHER), start - 3_000 + 200 * number, chance)
            session.repository = "https://git.example.com/acme/cellar"
            session.prompt("see whether the orders still arrive\n" + "\n".join(f"order {line} of the list" for line in range(70)))
            session.run(check, False, "dial tcp 127.0.0.1:5432: connect: connection refused")
            session.run(repair)
            session.run(check, True, "ok")
            session.record("assistant_response", response="\n".join(f"order {line} arrived" for line in range(61)))
            session.tokens()
            yield session


def check_page(browser, axe, path):
    findings = browser.call(
        "POST",
        "/execute/async",
        {
            "script": axe + "; const done = arguments[0]; axe.run(document).then(found => done(found.violations))",
            "args": [],
        },
    )
    serious = [
        f"{one['id']}: {node['html'][:200]} {node['failureSummary']}"
        for one in findings
        if one["impact"] in SERIOUS
        for node in one["nodes"][:3]
    ]
    assert not serious, f"{path}: " + "\n".join(serious)
    wide = browser.run(
        "return document.documentElement.scrollWidth > document.documentElement.clientWidth"
        " && document.documentElement.scrollWidth"
    )
    assert not wide, f"{path} is {wide} px wide"
    scrolled = browser.run(
        "return [...document.querySelectorAll('pre, .file, .diff')].filter("
        "one => one.scrollHeight > one.clientHeight + 1 && getComputedStyle(one).overflowY !== 'visible').length"
    )
    assert not scrolled, f"{path}: {scrolled} texts are cut off by scrolling within them"
    for landmark in ("main", "header", "h1"):
        assert browser.run(f"return document.querySelectorAll('{landmark}').length") == 1, f"{path}: {landmark}"


def check_pages(house, browser, axe, paths):
    for path in paths:
        for width, scheme in ((1280, "light"), (1280, "dark"), (360, "light"), (360, "dark")):
            browser.look(width, scheme)
            browser.go(house.address(path))
            browser.run("document.querySelectorAll('details').forEach(one => one.open = true)")
            check_page(browser, axe, f"{path} ({width}, {scheme})")
    failed = [error for error in browser.errors() if "favicon" not in error]
    assert not failed, failed


def found(browser, selector):
    """The addresses that links lead to."""
    script = "return [...document.querySelectorAll(arguments[0])].map(link => link.getAttribute('href'))"
    return browser.run(script, selector)


def focus(browser):
    script = """const on = document.activeElement, style = getComputedStyle(on);
        return [on.tagName, on.innerText || on.value || on.name || '', style.outlineStyle]"""
    return browser.run(script)


def tab_to(browser, wanted, most=200):
    """Presses Tab until that is focused; what is focused is seen."""
    for _ in range(most):
        browser.press(TAB)
        tag, says, outline = focus(browser)
        assert tag == "BODY" or outline != "none", f"{tag} {says!r} has the focus and does not show it"
        if says.strip() == wanted:
            return
    raise AssertionError(f"{wanted!r} is not reached by keyboard")


def by_keyboard(house, browser):
    """From the beginning of a page to a decision, without a mouse."""
    browser.look(1280, "light")
    browser.go(house.address("/"))
    browser.press(TAB)
    assert focus(browser)[1] == "Skip to the content", focus(browser)
    browser.press(ENTER)
    assert browser.run("return document.activeElement.id") == "main"
    browser.go(house.address("/"))
    tab_to(browser, "Sessions")
    browser.press(ENTER)
    until(lambda: browser.run("return location.pathname") == "/sessions", "Sessions opens")
    browser.settle()
    tab_to(browser, "Review")
    browser.press(ENTER)
    until(lambda: browser.run("return location.pathname") == "/review", "Review opens")


def decide(house, browser):
    """Accepts one proposal and refuses the other, by keyboard."""
    for repair, button, stands in ((FOREIGN, "Accept", True), (OTHER, "Refuse", False)):
        browser.go(house.address("/review"))
        links = found(browser, "main a[href^='/review/']")
        for link in links:
            browser.go(house.address(link))
            if repair in browser.text():
                break
        else:
            raise AssertionError(f"no proposal says {repair}: {links}")
        name = link.split("/")[2].split("?")[0]
        assert house.standing(name) is None
        browser.run("document.getElementById('reason').focus()")
        browser.press(*"seen in a browser", ENTER)
        browser.settle()
        assert browser.run("return location.pathname") == link.split("?")[0], "Enter in the reason leads away"
        assert house.standing(name) is None, "Enter in the reason decides"
        if button == "Accept":
            edit_wrongly(house, browser, name)
        tab_to(browser, button)
        browser.press(ENTER)
        until(lambda: browser.run("return location.pathname") == "/review", f"{button} leads back", 60)
        assert name in browser.text(), browser.text()
        text = house.standing(name)
        assert (text is not None and repair in text) == stands, f"{button}: {text}"


def edit_wrongly(house, browser, name):
    """A text that is no skill is refused with its fault, and is there again as it was written."""
    browser.run("document.querySelector('.decide details').open = true; document.getElementById('text').value = ''")
    browser.run("document.getElementById('text').focus()")
    browser.press(*"of two", ENTER, *"lines")
    tab_to(browser, "Accept this text")
    browser.press(ENTER)
    until(lambda: "it begins with no front matter" in browser.text(), "the fault is told")
    assert browser.run("return document.getElementById('text').value") == "of two\nlines"
    assert browser.run("return document.getElementById('reason').value") == "seen in a browser"
    assert house.standing(name) is None, "it is refused"
    browser.run("document.getElementById('reason').focus()")


def local_times(house, browser):
    """Times are the reader's: the browser is told another zone than UTC."""
    browser.develop("Emulation.setTimezoneOverride", timezoneId="Asia/Tokyo")
    browser.go(house.address("/sessions"))
    script = """const time = document.querySelector('time[data-as=minute]');
        return [time.dateTime, time.textContent, new Date(time.dateTime).getHours()]"""
    at, shown, hour = browser.run(script)
    assert int(shown[11:13]) == hour == (int(at[11:13]) + 9) % 24, (at, shown)
    browser.develop("Emulation.setTimezoneOverride", timezoneId="")


def pictures(house, browser, out):
    browser.go(house.address("/sessions"))
    session = found(browser, "main th a[href^='/sessions/']")[8]
    browser.go(house.address("/skills"))
    skill = found(browser, "main tr:has(.state.published) a[href^='/skills/run-']")[0]
    browser.go(house.address("/review"))
    proposal = found(browser, "main a[href^='/review/']")[0]
    browser.go(house.address("/work"))
    cluster = found(browser, "main a[href^='/work/clusters/']")[0]
    browser.go(house.address(skill))
    claim = found(browser, "main a[href*='/claims/']")[0]
    # What sessions showed of a skill is counted in the background.
    counted = lambda: browser.go(house.address(skill)) or browser.run("return !!document.querySelector('.weeks svg')")
    until(counted, "the weeks of a skill are drawn", 120)
    named = {"overview": "/", "sessions": "/sessions", "session": session, "work": "/work", "cluster": cluster, "skills": "/skills",
             "skill": skill, "claim": claim, "review": proposal, "report": "/report"}
    for name, path in named.items():
        for scheme in ("light", "dark"):
            for width in (1280, 360):
                browser.look(width, scheme)
                browser.go(house.address(path))
                browser.picture(os.path.join(out, f"{name}-{scheme}-{width}.png"))
    return [path for path in named.values()]


def main():
    program, axe_path, out = (os.path.abspath(argument) for argument in sys.argv[1:4])
    os.makedirs(out, exist_ok=True)
    with open(axe_path, encoding="utf-8") as file:
        axe = file.read()
    browser = Browser()
    try:
        with tempfile.TemporaryDirectory() as folder, House(program, folder, False) as house:
            house.enter(browser)
            check_pages(house, browser, axe, PAGES)
            print("every page, with nothing in it")
        for in_repository in (False, True):
            with tempfile.TemporaryDirectory() as folder, House(program, folder, in_repository) as house:
                house.send(sessions(60 if not in_repository else 12))
                house.command("skillify")
                house.enter(browser)
                if not in_repository:
                    paths = pictures(house, browser, out)
                    check_pages(house, browser, axe, paths)
                    local_times(house, browser)
                    print("every page, with sessions, skills and proposals")
                by_keyboard(house, browser)
                decide(house, browser)
                print("accepted and refused in a", "repository" if in_repository else "folder")
    finally:
        browser.close()


if __name__ == "__main__":
    main()
