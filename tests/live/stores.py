#!/usr/bin/env python3
"""Two collectors that write to one table in a bucket tell the sessions that one tells of a folder.

    python tests/live/stores.py target/debug/skillspan az://container/prefix

Sends the recordings of Claude Code to two services with one table, one of the recordings to both, and all of
them to one service with a folder. Compares `sessions list` and `sessions show`, then compacts, erases a
session and looks again. By hand: the URL's store must be there, and the environment lead to it.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
import views  # noqa: E402

RECORDINGS = sorted((views.CAPTURES / "claude-code").iterdir())


def service(binary, folder, table):
    folder.mkdir()
    http = views.free_port()
    config = views.config(folder, http)
    config.write_text(config.read_text().replace(f"path: {folder}/sessions", f"path: {table}"))
    process = subprocess.Popen([binary, "run", "--config", config], stdout=subprocess.DEVNULL)
    views.wait_for(http)
    return process, http, config


def stop(process):
    process.terminate()
    assert process.wait(120) == 0


def ask(binary, config, *arguments):
    ran = subprocess.run([binary, *arguments, "--config", config], capture_output=True, text=True)
    print(f"$ skillspan {' '.join(arguments)}\n{ran.stdout}{ran.stderr}", end="")
    assert ran.returncode == 0, ran.returncode
    return ran.stdout


def sessions(binary, config):
    run = lambda *arguments: subprocess.run(
        [binary, "sessions", *arguments, "--json", "--config", config], capture_output=True, text=True, check=True).stdout
    listed = [json.loads(line) for line in run("list").splitlines()]
    shown = [json.loads(run("show", session["id"])) for session in listed]
    for session, head in zip(shown, listed):
        assert {key: session[key] for key in head} == head, "a listing says what the session says"
    return shown


def main(binary, table):
    folder = pathlib.Path(tempfile.mkdtemp())
    one, http, local = service(binary, folder / "one", folder / "sessions")
    for recording in RECORDINGS:
        for body in views.bodies(recording):
            views.send(http, body)
    stop(one)
    writers = [service(binary, folder / name, table) for name in ("a", "b")]
    for number, recording in enumerate(RECORDINGS):
        for body in views.bodies(recording):
            for writer, (_, http, _) in enumerate(writers):
                if number == 0 or number % 2 == writer:
                    views.send(http, body)
    for process, _, _ in writers:
        stop(process)
    config = writers[0][2]
    expected = sessions(binary, local)
    assert sessions(binary, config) == expected
    print(f"{len(expected)} sessions of {len(RECORDINGS)} recordings: the same in {table} and in a folder")
    ask(binary, config, "sessions", "list", "--since", "3650d", "--verbose")
    ask(binary, config, "compact")
    erased = expected[0]["id"]
    ask(binary, config, "erase", "--session", erased)
    left = sessions(binary, config)
    assert left == [session for session in expected if session["id"] != erased]
    print(f"{len(left)} sessions are left, as they were")


main(*sys.argv[1:])
