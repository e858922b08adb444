#!/usr/bin/env python3
"""Plays every scenario of the scripted server with the reference client, then with its bugs.

    python3 scripted_selftest.py [--only SCENARIO] [--jobs 2] [--every N] [--bugs-only]

Without a bug the outcome has to be the one that `--list` names, without violations; with a bug one
of the scenarios named here has to show it: by a violation, another outcome, or other bytes.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

import reference_client
from reference_client import BUGS

HERE = os.path.dirname(os.path.abspath(__file__))

SHOWN_BY = {
    "keeps-dropped-data": ["get-data-to-drop", "get-data-to-cut"],
    "answers-dropped-data": ["get-data-to-drop"],
    "restart-ignored": ["get-restart-twice"],
    "hash-not-looked-at": ["get-wrong-hash", "put-wrong-hash"],
    "end-ignored": ["get-early-end", "get-late-end"],
    "new-session-at-resume": ["get-close", "put-close-resumed-at-told"],
    "no-identity": ["get-close"],
    "resumes-beyond": ["get-close-before-complete", "put-close-resumed-at-told"],
    "max-data-ignored": ["put-plain"],
    "window-ignored": ["put-late-acknowledgements"],
    "early-data": ["put-plain"],
    "resumed-offset-ignored": ["put-resumed-with-offset"],
    "end-repeated": ["put-resumed-behind-the-end"],
    "loss-accepted": ["put-lost", "put-lost-while-connected"],
    "retries-final": ["get-error-before-denied", "put-error-middle-exists"],
    "gives-up-at-once": ["get-error-before-busy", "put-error-middle-timeout"],
    "migrate-ignored": ["get-migrate", "put-migrate"],
    "unknown-verb-refused": ["get-noise", "put-noise"],
    "no-acknowledgement": ["get-small-window"],
    "never-alive": ["get-alive", "put-alive"],
}


def play(scenario, bug=None, close_after=None, sized=None):
    """One run; gives what went wrong (None: nothing) and the server's report."""
    folder = tempfile.mkdtemp(prefix="scripted-")
    name, verb = scenario["name"], scenario["verb"].lower()
    command = [sys.executable, os.path.join(HERE, "scripted_server.py"), "--scenario", name, "--seed", "7",
               "--until-stdin-ends", "--port-file", os.path.join(folder, "port")]
    if close_after is not None:
        command += ["--close-after", str(close_after)]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        first = json.loads(server.stdout.readline())
        size = sized if sized is not None else 500 if "window-1" in name or close_after is not None else 150_000
        content = random.Random(3).randbytes(size)
        file = os.path.join(folder, "file")
        if verb == "put":
            with open(file, "wb") as f:
                f.write(content)
        client = [sys.executable, os.path.join(HERE, "reference_client.py"), verb, "some/name", file,
                  "--port", str(first["port"])]
        if scenario["client"] == "without Window":
            client += ["--window", "0"]
        if scenario["client"] == "Consumer: stream":
            client += ["--stream"]
        if scenario["client"] == "without Size" or "behind-the-end" in name:
            client += ["--unknown-size"]
        if bug:
            client += ["--bug", bug]
        try:
            ran = subprocess.run(client, stderr=subprocess.PIPE, text=True, timeout=60 if bug else 100)
        except subprocess.TimeoutExpired:
            return "the client hangs", None
        server.stdin.close()
        output = server.stdout.read()
        report = json.loads(output.strip().splitlines()[-1])
    finally:
        server.kill()
        server.wait()
    try:
        expected = {"success": 0, "failure": 1, "either": ran.returncode}[scenario["expected"]]
        if ran.returncode != expected:
            return f"exit code {ran.returncode} (expected: {expected}) {ran.stderr[-600:]!r} {report['violations']}", report
        if scenario["code"] and scenario["code"] not in ran.stderr:
            return f"stderr {ran.stderr!r} (expected: it names {scenario['code']})", report
        if report["violations"]:
            return f"violations {report['violations']}", report
        if expected == 0:
            if verb == "get":
                with open(file, "rb") as f:
                    got = f.read()
                if hashlib.sha256(got).hexdigest() != report["sha256"]:
                    return f"{len(got)} bytes other than the {report['size']} served", report
            elif report["sha256"] != hashlib.sha256(content).hexdigest():
                return f"the server has {report['size']} other bytes", report
        return None, report
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def whole(scenario, every):
    """A scenario; one that closes after N bytes is played for every N up to what the streams have."""
    if not scenario["needs_close_after"]:
        wrong, report = play(scenario)
        return f"FAIL {scenario['name']}: {wrong}" if wrong else f"ok {scenario['name']}"
    wrong, report = play(scenario, close_after=1 << 30)
    if wrong:
        return f"FAIL {scenario['name']} that never closes: {wrong}"
    total = report["received_bytes" if "received" in scenario["name"] else "sent_bytes"][0]
    wrong = sweep(scenario, total, every)
    return f"FAIL {scenario['name']}: {wrong}" if wrong else f"ok {scenario['name']} ({total} bytes, every {every})"


def sweep(scenario, total, every):
    """One server, many transfers: the first connection of each ends one byte later."""
    folder = tempfile.mkdtemp(prefix="scripted-")
    file, verb = os.path.join(folder, "file"), scenario["verb"]
    command = [sys.executable, os.path.join(HERE, "scripted_server.py"), "--scenario", scenario["name"], "--seed", "7",
               "--until-stdin-ends", "--sweep", "--timeout", "600"]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        first = json.loads(server.stdout.readline())
        content = random.Random(3).randbytes(500)
        for after in range(1, total + 5, every):
            with open(file, "wb") as f:
                f.write(content if verb == "PUT" else b"")
            options = argparse.Namespace(host="127.0.0.1", port=first["port"], name=f"name/{after}", file=file,
                                         window=1 << 16, unknown_size=after % 2 == 0, stream=False, bug=None)
            try:
                (reference_client.Getting if verb == "GET" else reference_client.Putting)(options).run()
            except reference_client.GivenUp as e:
                return f"transfer {after} failed: {e}"
            with open(file, "rb") as f:
                if verb == "GET" and hashlib.sha256(f.read()).hexdigest() != first["sha256"]:
                    return f"transfer {after} gave other bytes"
        server.stdin.close()
        report = json.loads(server.stdout.read().strip().splitlines()[-1])
        if report["violations"]:
            return f"violations {report['violations'][:3]}"
        if report["connections"] < total // every:
            return f"{report['connections']} connections (expected: more than one for each of {total} transfers)"
        return None
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def with_bug(bug, scenarios):
    for name in SHOWN_BY[bug]:
        wrong, _ = play(scenarios[name], bug)
        if not wrong:
            return f"FAIL bug {bug} ({BUGS[bug]}): not shown by {name}"
    return f"ok bug {bug}: {wrong[:110]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", action="append")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--every", type=int, default=1, help="the step of the close-after sweep")
    parser.add_argument("--bugs-only", action="store_true")
    options = parser.parse_args()
    listed = json.loads(subprocess.run([sys.executable, os.path.join(HERE, "scripted_server.py"), "--list"],
                                       stdout=subprocess.PIPE, check=True).stdout)
    scenarios = {s["name"]: s for s in listed}
    failed = passed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = [] if options.bugs_only else [
            pool.submit(whole, s, options.every) for s in listed if not options.only or s["name"] in options.only]
        if not options.only:
            jobs += [pool.submit(with_bug, bug, scenarios) for bug in SHOWN_BY]
        for job in concurrent.futures.as_completed(jobs):
            try:
                line = job.result()
            except Exception as e:
                line = f"FAIL {type(e).__name__}: {e}"
            failed += line.startswith("FAIL")
            passed += line.startswith("ok")
            print(line, flush=True)
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
