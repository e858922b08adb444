#!/usr/bin/env python3
"""Sees the conformance client pass against the reference server, and fail for each of its bugs.

    python3 selftest.py [--only BUG] [--jobs 2] [--quick]

For every `--bug` of the reference server the checks that have to notice it are run alone; all of
those named must fail. Exit code 1 where one did not.
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

from reference_server import BUGS

HERE = os.path.dirname(os.path.abspath(__file__))
LIVE_BYTES = 100_000

# Bug -> checks (whole names) that have to fail.
NOTICED_BY = {
    "double-data": ["stop-and-wait-asks-for-one-data-each", "stop-and-wait-starts-at-any-offset"],
    "window-passed": ["the-window-is-never-passed"],
    "seek-below-ignored": ["seeks-below-the-last-offset", "before-the-first-offset-the-last-is-the-offset-asked"],
    "seek-beyond-clamped": ["seeks-beyond-what-was-sent"],
    "equal-offset-resends": ["an-offset-equal-to-the-last-changes-nothing"],
    "size-offset-needs-all-sent": ["offset-of-the-size-ends-a-windowed-get-at-any-time",
                                   "stop-and-wait-may-end-without-having-read-all"],
    "beyond-size-clamped": ["an-offset-beyond-the-size-is-refused-naming-both",
                            "a-beyond-size-seek-in-a-windowed-get-is-refused"],
    "max-data-ignored": ["max-data-lowers-only"],
    "pipelined-dropped": ["a-command-behind-the-last-offset-of-a-get-is-taken-up",
                          "a-command-behind-the-last-data-or-end-of-a-put-is-taken-up"],
    "late-refused": ["late-packets-between-sessions-are-dropped"],
    "second-command-ignored": ["a-second-command-within-a-session-is-refused"],
    "failed-session-runs-pipelined": ["a-pipelined-command-behind-a-failed-session-counts-as-not-sent"],
    "wrong-sha-ignored": ["put-sha-256-is-looked-at", "a-wrong-sha-256-leaves-the-old-content-and-ends-the-session"],
    "wrong-sha-keeps-session": ["put-sha-256-is-looked-at",
                                "put-end-that-does-not-fit-is-refused-and-ends-the-session"],
    "end-ignored": ["put-end-that-does-not-fit-is-refused-and-ends-the-session"],
    "partial-visible": ["put-is-not-visible-before-complete",
                        "unfinished-puts-leave-nothing-in-the-directory-under-a-name"],
    "gap-accepted": ["put-gap-overlap-and-beyond-size-are-refused"],
    "resume-from-zero": ["a-put-is-resumed-from-what-was-acknowledged", "a-put-interrupted-many-times-is-whole"],
    "unknown-session-accepted": ["an-unknown-session-with-an-offset-is-refused"],
    "other-name-resumed": ["resume-with-another-name-verb-or-size-is-bad-field"],
    "not-fenced": ["the-newest-connection-has-the-put", "the-newest-connection-has-the-get"],
    "completed-forgotten": ["a-completed-put-is-resumed-to-complete"],
    "precondition-first": ["a-completed-put-is-resumed-to-complete"],
    "if-identity-once": ["put-if-identity-is-looked-at-again-at-the-switch"],
    "refused-kills-session": ["error-before-ready-leaves-the-session-untouched",
                              "resume-with-another-name-verb-or-size-is-bad-field"],
    "client-error-keeps-session": ["a-client-error-ends-the-session"],
    "restart-missing": ["a-changed-file-is-restarted-at-resume", "a-file-changed-by-hand-is-restarted-at-resume"],
    "restart-eager": ["a-changed-file-is-restarted-at-resume"],
    "identity-at-0": ["identity-is-ignored-at-offset-0"],
    "stream-restarted": ["a-changed-file-is-an-error-for-a-stream-consumer"],
    "reset-after-error": ["after-error-the-text-arrives-while-the-client-keeps-sending"],
    "open-after-error": ["missing-files-are-not-found"],
    "shapeless-error": ["missing-files-are-not-found", "bad-names-are-refused-by-every-verb"],
    "silent-close": ["missing-files-are-not-found", "bad-values-are-refused-and-named"],
    "field-case": ["field-names-are-case-insensitive"],
    "no-trim": ["values-are-trimmed-of-spaces"],
    "twice-accepted": ["a-known-field-given-twice-is-refused"],
    "no-colon-ignored": ["a-line-without-a-colon-is-refused"],
    "last-lf-needed": ["the-last-line-feed-may-be-missing"],
    "any-number": ["bad-values-are-refused-and-named"],
    "version-ignored": ["a-version-other-than-1-is-refused-naming-1"],
    "length-unchecked": ["bad-lengths-are-refused-at-the-header"],
    "backup-waits": ["unknown-packet-types-are-refused-on-the-type-byte"],
    "not-utf8": ["text-that-is-not-utf-8-is-refused"],
    "whole-reads": ["split-at-every-byte-get", "split-at-every-byte-put"],
    "percent-decoded": ["good-names-are-taken-byte-for-byte", "list-gives-names-by-prefix-in-byte-order"],
    "normalised": ["good-names-are-taken-byte-for-byte"],
    "controls-accepted": ["bad-names-are-refused-by-every-verb"],
    "links-followed": ["links-pipes-and-devices-are-not-served", "a-link-swapped-in-during-open-is-not-followed"],
    "list-by-case": ["list-gives-names-by-prefix-in-byte-order"],
    "after-trimmed": ["list-gives-names-by-prefix-in-byte-order"],
    "list-one-page": ["list-goes-on-in-pages"],
    "alive-answered": ["alive-is-never-answered"],
    "alive-counts-not": ["alive-excuses-silence-and-not-acknowledging"],
    "no-idle": ["silence-within-a-get-is-timeout", "silence-between-sessions-is-a-close",
                "a-packet-that-stalls-is-timeout", "one-byte-a-second-is-timeout",
                "a-client-that-never-reads-is-cut-off"],
    "late-counts": ["late-packets-do-not-restart-the-idle-clock"],
    "slow-is-silent": ["a-slow-packet-of-1-kib-a-second-is-no-silence"],
    "slow-is-alive": ["one-byte-a-second-is-timeout"],
    "ack-at-half-only": ["put-acknowledges-soon-without-further-data"],
    "ack-silence-only": ["put-acknowledges-at-half-a-window"],
    "ack-beyond": ["put-in-pieces-with-and-without-size"],
    "no-last-offset": ["put-then-get-gives-the-same-bytes"],
    "shared-staging": ["two-puts-of-one-name-one-wins-whole", "interleaved-puts-the-later-switch-wins"],
    "ready-short": ["ready-of-get-names-size-identity-and-window"],
    "idle-too-small": ["ready-of-put-names-consumer-window-and-keep"],
    "torn-in-place": ["a-file-changed-in-place-is-never-a-mixture",
                      "a-running-get-keeps-its-content-or-is-restarted-by-a-put"],
    "live-rewindable": ["a-live-source-refuses-a-rewindable-consumer"],
    "live-seek": ["a-seek-on-a-live-source-is-refused"],
}


def run(bugs, only, *flags):
    """Runs the client against a reference server with these bugs; gives outcomes by check."""
    folder = tempfile.mkdtemp(prefix="selftest-")
    root = os.path.join(folder, "root")
    os.mkdir(root)
    command = [sys.executable, os.path.join(HERE, "reference_server.py"), "--dir", root,
               "--live", f"live/a={LIVE_BYTES}", *flags]
    for bug in bugs:
        command += ["--bug", bug]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        port = server.stdout.readline().split()[1]
        command = [sys.executable, os.path.join(HERE, "client_conformance.py"), "--port", port, "--root", root,
                   "--live", "live/a", "--live-size", str(LIVE_BYTES)]
        for name in only:
            command += ["--only", name]
        client = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=400)
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)
    outcomes = {}
    for line in client.stdout.splitlines():
        found = re.match(r"(ok|FAIL|skip) ([a-z0-9-]+)(?:: (.*))?\Z", line)
        if found:
            outcomes[found.group(2)] = (found.group(1), found.group(3) or "")
    return client.returncode, outcomes, client.stdout


def without_bugs(*flags):
    code, outcomes, output = run([], [], *flags)
    bad = [f"{name}: {what[1]}" for name, what in outcomes.items() if what[0] == "FAIL"]
    if code != 0 or bad or not outcomes:
        return f"FAIL reference server without bugs {flags}: {bad or output[-2000:]}"
    return f"ok reference server without bugs {' '.join(flags)}: {len(outcomes)} checks"


def with_bug(bug):
    wanted = NOTICED_BY[bug]
    code, outcomes, output = run([bug], wanted)
    missed = [name for name in wanted if outcomes.get(name, ("absent", ""))[0] != "FAIL"]
    if missed or code != 1:
        return f"FAIL bug {bug} ({BUGS[bug]}): not noticed by {', '.join(missed) or 'the exit code'}"
    return f"ok bug {bug}: {outcomes[wanted[0]][1][:110]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", action="append", help="bugs of this name alone")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="without the full run that has no bugs")
    options = parser.parse_args()
    missing = set(BUGS) ^ set(NOTICED_BY)
    lines = [f"FAIL bugs without checks: {missing}"] if missing else []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = [] if options.only or options.quick else [pool.submit(without_bugs), pool.submit(without_bugs, "--quirky")]
        jobs += [pool.submit(with_bug, bug) for bug in NOTICED_BY if not options.only or bug in options.only]
        for job in concurrent.futures.as_completed(jobs):
            lines.append(job.result())
            print(lines[-1], flush=True)
    failed = sum(line.startswith("FAIL") for line in lines)
    print(f"{len(lines) - failed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
