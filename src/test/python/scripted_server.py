#!/usr/bin/env python3
"""An independent server, written from the page, that plays one scenario to the client under test.

    python3 scripted_server.py --scenario get-restart-twice --port 0 --port-file FILE --seed S
    python3 scripted_server.py --list

The first line of stdout is JSON: port, second port, size and SHA-256 of what it serves. It plays
until stdin ends (`--until-stdin-ends`), SIGTERM, or `--timeout`; the last line is a JSON report of
what happened. `violations` lists what the client did against the page: empty means it behaved.
A GET or PUT of any name takes part; what a scenario does once is done once over all connections.
"""

import argparse
import hashlib
import json
import os
import random
import select
import signal
import socket
import sys
import threading
import time
import uuid

import theseus_wire as wire

FINAL_CODES = tuple(c for c in wire.ERROR_CODES if c not in wire.RETRYABLE_CODES)
SCENARIOS = {}


class Scenario:
    """Name, expected outcome and settings of one script; the script itself is a function."""

    def __init__(self, name, verb, text, play=None, outcome="success", code=None, client=None, **settings):
        self.name, self.verb, self.text, self.play = name, verb, text, play
        self.outcome, self.code, self.client, self.settings = outcome, code, client, settings
        SCENARIOS[name] = self

    def summary(self):
        return {"name": self.name, "verb": self.verb, "text": self.text, "expected": self.outcome,
                "code": self.code, "client": self.client,
                "needs_close_after": bool(self.settings.get("close_after_sent")
                                          or self.settings.get("close_after_received")),
                "idle": self.settings.get("idle", 30)}


class Closed(Exception):
    """The connection is over."""


class Stop(Exception):
    """The script ends this connection; the bytes, if any, go before."""


class Violation(Exception):
    """The client broke the page: noted, and answered by ERROR."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


class Run:
    """What is common to all connections of one run."""

    def __init__(self, options, scenario):
        self.options, self.scenario = options, scenario
        settings = scenario.settings
        self.lock = threading.RLock()
        self.random = random.Random(f"{options.seed}/content")
        size = options.size if options.size is not None else settings.get("size", 100_000)
        self.contents = [self.random.randbytes(size)]
        self.idle = settings.get("idle", 30)
        self.max_data = settings.get("max_data", 4096)
        self.window = settings.get("window", 16_384)
        self.done = set()
        self.sessions = {}
        self.report = {
            "scenario": scenario.name, "expected": scenario.outcome, "expected_code": scenario.code,
            "connections": 0, "commands": [], "resumed_at": [], "packets": {}, "client_errors": [],
            "sent_bytes": [], "received_bytes": [], "errors_sent": [], "completed": False,
            "violations": [], "notes": []}
        self.finished = False  # a final ERROR was sent or a loss asked for: nothing may follow
        self.address = ["", ""]
        self.close_after = options.close_after
        self.transfer_open = False

    def next_limit(self, number):
        """Behind how many bytes this connection ends, None for never."""
        if not self.options.sweep:
            return self.close_after if number == 1 else None
        with self.lock:  # the first connection of each transfer, one byte later each time
            if self.transfer_open:
                return None
            self.transfer_open = True
            self.close_after += 1
            return self.close_after

    @property
    def content(self):
        return self.contents[-1]

    def identity(self, content=None):
        return "script-" + hashlib.sha256(self.content if content is None else content).hexdigest()[:40]

    def change(self, size=None):
        """The file becomes another one."""
        self.contents.append(self.random.randbytes(len(self.content) if size is None else size))

    def once(self, what):
        with self.lock:
            first = what not in self.done
            self.done.add(what)
            return first

    def violation(self, text):
        with self.lock:
            self.report["violations"].append(text)

    def note(self, text):
        with self.lock:
            self.report["notes"].append(text)

    def count(self, what):
        with self.lock:
            self.report["packets"][what] = self.report["packets"].get(what, 0) + 1


class Peer:
    """One connection of the client."""

    def __init__(self, run, client, which):
        self.run, self.socket, self.which = run, client, which
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.setblocking(False)
        self.decoder = wire.Decoder(wire.MAX_MAX_DATA)
        with run.lock:
            run.report["connections"] += 1
            self.number = run.report["connections"]
            run.report["sent_bytes"].append(0)
            run.report["received_bytes"].append(0)
        settings = run.scenario.settings
        self.send_limit = self.receive_limit = None
        if settings.get("close_after_sent"):
            self.send_limit = run.next_limit(self.number)
        elif settings.get("close_after_received"):
            self.receive_limit = run.next_limit(self.number)
        self.one_byte = settings.get("one_byte", False)
        self.ended = False

    # ------------------------------------------------------------ bytes

    def send(self, raw):
        if self.send_limit is not None:
            room = self.send_limit - self.run.report["sent_bytes"][self.number - 1]
            if len(raw) >= room:
                self.run.transfer_open |= len(raw) > room
                self._send(raw[:room])
                self.close_now()
        self._send(raw)

    def close_now(self):
        """The connection breaks here: by end of stream or, where the scenario says so, by a reset."""
        if self.run.scenario.settings.get("reset"):
            self.reset()
        raise Stop()

    def _send(self, raw):
        pieces = [raw[i:i + 1] for i in range(len(raw))] if self.one_byte else [raw]
        for piece in pieces:
            view = memoryview(piece)
            while view:
                if not select.select([], [self.socket], [], 30)[1]:
                    self.run.violation("the client took no byte for 30 s (expected: it goes on reading)")
                    raise Closed()
                try:
                    sent = self.socket.send(view)
                except OSError:
                    raise Closed() from None
                view = view[sent:]
                self.run.report["sent_bytes"][self.number - 1] += sent

    def info(self, verb, fields=()):
        self.send(wire.info(verb, fields))

    def read(self, timeout):
        """The next packet, None when nothing came in time; raises Closed at the end."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                packet = self.decoder.next()
            except wire.WireError as e:
                raise Violation(e.code, str(e)) from None
            if packet:
                verb = packet.text.split("\n")[0].split(" ")[0] if packet.type == wire.INFO else ""
                self.run.count(verb or {wire.ERROR: "ERROR", wire.DATA: "DATA", wire.OFFSET: "OFFSET"}[packet.type])
                if packet.type == wire.ERROR:
                    with self.run.lock:
                        self.run.report["client_errors"].append(packet.text)
                return packet
            if self.ended:
                if self.decoder.partial:
                    self.run.note(f"connection {self.number} ended within a packet of the client")
                raise Closed()
            wait = deadline - time.monotonic()
            if wait <= 0 and timeout > 0 or not select.select([self.socket], [], [], max(0, wait))[0]:
                return None
            limit = 1 << 16
            if self.receive_limit is not None:
                limit = min(limit, self.receive_limit - self.run.report["received_bytes"][self.number - 1])
                if limit <= 0:
                    self.close_now()
            try:
                chunk = self.socket.recv(limit)
            except BlockingIOError:
                continue
            except OSError:
                raise Closed() from None
            if not chunk:
                self.ended = True
            self.run.report["received_bytes"][self.number - 1] += len(chunk)
            self.decoder.feed(chunk)

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.socket.close()
        raise Closed()

    def error(self, text):
        """ERROR, then the care that the page asks for."""
        code = text.partition(": ")[0]
        with self.run.lock:
            self.run.report["errors_sent"].append(text)
        if code not in wire.RETRYABLE_CODES:
            self.run.finished = True
        self._send(wire.error(text))
        raise Stop()

    def linger(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
            until = time.monotonic() + 2
            while (wait := until - time.monotonic()) > 0:
                if select.select([self.socket], [], [], wait)[0] and not self.socket.recv(1 << 16):
                    break
        except (OSError, ValueError):
            pass
        self.socket.close()

    # ------------------------------------------------------------ conversation

    def play(self):
        try:
            while True:
                self.command()
        except Stop:
            self.linger()
        except Closed:
            self.socket.close()
        except Violation as e:
            self.run.violation(str(e))
            try:
                self.error(f"{e.code}: {e}")
            except (Stop, Closed):
                self.linger()

    def command(self):
        """Takes one command between sessions and plays it."""
        self.decoder.max_data = wire.MAX_MAX_DATA
        while True:
            packet = self.read(self.run.idle)
            if packet is None:
                raise Stop()  # silence between sessions: a close
            if packet.type == wire.OFFSET:
                continue  # late
            if packet.type == wire.ERROR:
                raise Stop()
            if packet.type != wire.INFO:
                raise Violation("bad-packet", f"{packet} between sessions (expected: a command)")
            verb = packet.text.split("\n")[0].split(" ")[0]
            if verb in ("END", "ALIVE"):
                continue  # late
            break
        command = checked_command(packet.text)
        run = self.run
        if run.finished and command.verb in ("GET", "PUT"):
            run.violation(f"{command.verb} on connection {self.number} after what is final (expected: it gives up)")
        with run.lock:
            run.report["commands"].append(
                {"connection": self.number, "port": self.which, "verb": command.verb, "name": command.rest,
                 **{k: v for k, v in command.fields.items() if k != "token"}})
        if command.verb == "STAT":
            self.info("STAT", {"Size": len(run.content), "Identity": run.identity(),
                               "Modified": "2026-01-02T03:04:05Z"})
        elif command.verb == "LIST":
            self.send(wire.info_raw("LIST\nMore: no\n\n"))
        elif command.verb == "DELETE":
            self.info("DELETED", {"Identity": run.identity()})
        else:
            (Get if command.verb == "GET" else Put)(self, command).serve()


KNOWN = {
    "GET": "offset window max-data consumer session identity migrate-port token version".split(),
    # Modified: an extension of our own client; the page has unknown fields ignored
    "PUT": "size producer session offset sha-256 if-identity migrate-port token version modified".split(),
    "STAT": "token version".split(), "LIST": "after token version".split(),
    "DELETE": "if-identity token version".split(),
    "END": "size sha-256".split(),
}


def checked_command(text):
    """A client's command, held against the page."""
    try:
        info = wire.parse_info(text)
    except wire.WireError as e:
        raise Violation(e.code, str(e)) from None
    if info.verb not in ("GET", "PUT", "STAT", "LIST", "DELETE"):
        raise Violation("bad-packet", f"verb {info.verb!r} (expected: a command)")
    if info.body:
        raise Violation("bad-field", "an empty line within a command (expected: Field: value)")
    reason = wire.bad_prefix_reason(info.rest) if info.verb == "LIST" else wire.bad_name_reason(info.rest)
    if reason:
        raise Violation("bad-name", f"name {info.rest[:60]!r}: {reason}")
    check_values(info)
    return info


def check_values(info):
    for name, value in info.fields.items():
        good = True
        if name in ("offset", "size", "migrate-port", "window", "max-data", "version"):
            least = 1 if name in ("window", "max-data", "migrate-port", "version") else 0
            good = wire.NUMBER.match(value) and least <= int(value) < wire.LIMIT
        elif name == "session":
            good = wire.UUID.match(value)
        elif name == "sha-256":
            good = wire.SHA256.match(value)
        elif name in ("identity", "if-identity"):
            good = wire.IDENTITY.match(value)
        elif name in ("consumer", "producer"):
            good = value in ("rewindable", "stream")
        if not good:
            raise Violation("bad-field", f"{info.verb} with {name}: {value!r} (expected: a value of the page)")
        if name not in KNOWN[info.verb]:
            raise Violation("bad-field", f"{info.verb} with the field {name} (expected: one of the page's)")
    if info.get("version", "1") != "1":
        raise Violation("version", f"Version: {info.get('version')} (expected: 1)")


class Exchange:
    """What a GET and a PUT have in common."""

    def __init__(self, peer, command):
        self.peer, self.run, self.command = peer, peer.run, command
        self.settings = self.run.scenario.settings
        self.play = self.run.scenario.play if self.run.scenario.verb == command.verb else None
        self.resumed = False
        self.shown = False

    def at(self, point):
        """Tells the script where this exchange stands; it may send, change, close or fail."""
        if self.play:
            self.play(self, point)

    def once(self, what, condition=True):
        return bool(condition) and self.run.once(what)

    def session_id(self):
        """The session that the command names, or a new one; a known one is a resume."""
        run, command = self.run, self.command
        given = command.get("session")
        with run.lock:
            known = run.sessions.get(given.lower()) if given else None
            seen = [s for s in run.sessions.values() if s["verb"] == command.verb and s["name"] == command.rest
                    and s["shown"] and not s["complete"] and not s["failed"]]
            if known is None and seen and not run.finished:
                run.violation(f"{command.verb} on connection {self.peer.number} names "
                              f"{'another Session' if given else 'no Session'} (expected: the one that READY named)")
            if known is None:
                known = {"id": (given or str(uuid.uuid4())).lower(), "verb": command.verb, "name": command.rest,
                         "size": command.get("size"), "staged": bytearray(), "told": 0, "complete": None,
                         "failed": False, "shown": False, "high": 0, "ended": None, "node": None,
                         "identity": None, "sent_high": 0}
                run.sessions[known["id"]] = known
                self.fresh = True
            else:
                self.fresh = False
                self.resumed = True
                run.report["resumed_at"].append(int(command.get("offset", "0")))
                for what, began, now in (("verb", known["verb"], command.verb), ("name", known["name"], command.rest),
                                         ("Size", known["size"], command.get("size"))):
                    if began != now:
                        raise Violation("bad-field", f"resumed with {what} {now} (expected: {began})")
        if known["node"] is not None and known["node"] != self.peer.which:
            run.violation(f"resumed on port {self.peer.which} (expected: {known['node']}, where MIGRATE sent it)")
        self.session = known

    def ready(self, fields):
        run = self.run
        extra = {"X-Future": "1", "Colour": "blue: light"} if self.settings.get("unknown") else {}
        max_data = min(run.max_data, int(self.command.get("max-data", run.max_data)))
        self.max_data = max_data
        self.peer.info("READY", {
            "Session": self.session["id"], "Max-Data": max_data, "Idle": run.idle, "Module": "script@1",
            "Node": run.address[self.peer.which], "Nodes": ",".join(run.address), "Version": 1, **fields, **extra})
        self.peer.decoder.max_data = wire.MAX_MAX_DATA

    def packet(self, timeout):
        """The next packet within the session that is not ALIVE; None when none came in time."""
        deadline = time.monotonic() + timeout
        while True:
            packet = self.peer.read(max(0.001, deadline - time.monotonic()))
            if packet is None:
                return None
            self.session["shown"] = True  # the client has seen READY: from here on it knows the session
            if packet.type == wire.ERROR:
                self.session["failed"] = True
                raise Stop()
            if packet.type == wire.INFO:
                verb = packet.text.split("\n")[0].split(" ")[0].rstrip()
                if verb == "ALIVE":
                    continue
                if verb != "END" or self.command.verb == "GET":
                    if self.run.finished:
                        raise Stop()
                    raise Violation("bad-packet", f"{verb!r} within a session (expected: {self.wanted})")
            return packet

    # what scripts use

    def error(self, code):
        if self.shown_ready and code in ("exists", "changed", "incompatible", "unknown-session"):
            self.session["failed"] = True
        text = {"superseded": "a newer connection has the session (expected: one connection)"}.get(
            code, "the script says so (expected: the client knows what to do)")
        self.peer.error(f"{code}: {text}")

    shown_ready = False

    def break_off(self):
        if self.settings.get("reset"):
            self.peer.reset()
        raise Stop()

    def modifying(self, offset):
        self.peer.info("MODIFYING", {"Offset": offset})

    def resume(self, offset=None):
        self.peer.info("RESUMED", {"Module": "script@2", "Offset": offset})

    def migrate(self):
        other = 1 - self.peer.which
        self.session["node"] = other
        self.peer.info("MIGRATE", {"Node": self.run.address[other], "Session": self.session["id"]})
        raise Stop()

    def noise(self):
        """What a client has to skip."""
        self.peer.info("WEATHER sunny", {"Temperature": 20})
        self.peer.info("NOTICE", {"Text": "for a person: \u00e4\u6587", "Replication": "under"})
        self.peer.info("ALIVE")
        self.peer.info("NOTICE", {"Replication": "full", "X-Other": 1})

    def pause(self, seconds):
        """Nothing is sent for so long; what comes is kept in the decoder. Ends early at a close."""
        until = time.monotonic() + seconds
        while (wait := until - time.monotonic()) > 0:
            if not select.select([self.peer.socket], [], [], wait)[0]:
                return
            try:
                chunk = self.peer.socket.recv(1 << 16)
            except OSError:
                raise Closed() from None
            if not chunk:
                self.peer.ended = True
                return
            self.run.report["received_bytes"][self.peer.number - 1] += len(chunk)
            self.peer.decoder.feed(chunk)


class Get(Exchange):
    """Serves the run's content; `acked` and `sent` are where the client and the server stand."""

    wanted = "OFFSET or ALIVE"

    def serve(self):
        run, peer, command = self.run, self.peer, self.command
        start = int(command.get("offset", "0"))
        self.session_id()
        window = command.get("window")
        self.window = min(int(window), run.window) if window else None
        if self.settings.get("no_window") and window:
            run.violation("GET with Window (expected: without, the client was to be started so)")
        self.acked = self.sent = start
        self.at("command")
        if self.settings.get("stream") and command.get("consumer") != "stream":
            peer.error("incompatible: the source is a live stream (expected: Consumer: stream)")
        content = run.content
        self.unknown_size = self.settings.get("unknown_size", False)
        identity = "-" if self.settings.get("stream") else run.identity()
        if self.resumed and start > 0 and not command.has("identity") and not self.settings.get("stream"):
            run.violation(f"resumed at {start} without Identity (expected: the one that was begun)")
        if start > 0 and self.resumed and start > self.session["sent_high"] and self.session["identity"] == identity:
            run.violation(f"resumed at {start} (expected: at most {self.session['sent_high']}, what was sent)")
        changed = start > 0 and command.has("identity") and command.get("identity") != identity
        if changed and command.get("consumer") == "stream":
            peer.error("changed: the file is another one (expected: the one that was begun)")
        if start > len(content) and not changed:
            peer.error(f"bad-offset: Offset: {start} (expected: at most the size {len(content)})")
        self.session["identity"] = identity
        self.ready({"Size": "unknown" if self.unknown_size else len(content), "Identity": identity,
                    "Producer": "stream" if self.settings.get("stream") else "rewindable", "Window": self.window})
        self.shown_ready = True
        if changed:
            self.restart(change=False)
        self.end_sent = False
        if self.settings.get("end") == "early":
            self.send_end()
        self.at("ready")
        self.stream()
        if self.unknown_size and not self.end_sent:  # late: after the last OFFSET
            self.pause(0.3)
            self.send_end()
        self.at("before-complete")
        run.transfer_open = False
        digest = hashlib.sha256(run.content).hexdigest()
        if self.settings.get("wrong_hash"):
            digest = hashlib.sha256(run.content + b"x").hexdigest()
            run.finished = self.settings.get("wrong_hash") == "final"
        self.peer.info("COMPLETE", {"Size": len(run.content), "Identity": identity if len(run.contents) == 1
                                    or self.settings.get("stream") else run.identity(), "SHA-256": digest})
        self.session["complete"] = True
        run.report["completed"] = True

    def send_end(self):
        if not self.end_sent:
            self.end_sent = True
            self.peer.info("END", {"Size": len(self.run.content)})

    def restart(self, change=True, size=None):
        """RESTART; then every OFFSET is dropped until OFFSET(0)."""
        run = self.run
        if change:
            run.change(size)
        self.session["identity"] = run.identity()
        self.peer.info("RESTART", {"Identity": run.identity(), "Size": len(run.content)})
        before = self.sent
        until = time.monotonic() + 10
        while True:
            packet = self.packet(max(0.001, until - time.monotonic()))
            if packet is None:
                raise Violation("timeout", "no OFFSET(0) within 10 s of RESTART (expected: the client's answer)")
            if packet.offset == 0:
                break
            if packet.offset > before:
                run.violation(f"OFFSET({packet.offset}) behind RESTART (expected: OFFSET(0), or what was under way)")
        self.acked = self.sent = self.session["sent_high"] = 0
        self.at("restarted")

    def data(self, start, content):
        self.peer.send(wire.data(start, content))

    def piece(self):
        """The next DATA as the page has it."""
        content = self.run.content
        room = self.max_data if self.window is None else min(self.max_data, self.acked + self.window - self.sent)
        chunk = self.settings.get("chunk")
        part = content[self.sent:self.sent + min(room, chunk or room)]
        self.at("data")
        part = self.run.content[self.sent:self.sent + len(part)]
        if part:
            # before it is sent: the connection may be cut right behind it
            self.session["sent_high"] = max(self.session["sent_high"], self.sent + len(part))
            self.send_part(part)
            self.sent += len(part)

    def send_part(self, part):
        trouble = self.settings.get("trouble")
        at, wrong = self.sent, lambda n: bytes(255 - b for b in self.run.content[:n]).ljust(n, b"?")
        if trouble == "drop":
            if at >= 10:
                self.data(at - 10, wrong(10))  # ends at the wanted offset
                self.data(0, wrong(min(at, 7)))  # ends before it
            self.data(at + len(part), wrong(11))  # starts after it (and the size may be passed)
        if trouble == "cut" and at > 0:
            back = min(at, 100, self.max_data - 1)
            take = min(len(part), self.max_data - back)
            self.data(at - back, wrong(back) + part[:take])
            part = part[take:]
            if part:
                self.data(at + take, part) if self.window is not None else self.cut_rest(part)
            return
        self.data(at, part)

    def cut_rest(self, part):
        """Without a window one DATA answers one OFFSET: the rest waits for the next."""
        self.sent -= len(part)

    def stream(self):
        asked = True
        quiet = 0.0
        while True:
            size = len(self.run.content)
            if self.settings.get("end") == "normal" and self.sent == size:
                self.send_end()
            if self.acked == size:
                return
            if self.window is None:
                if asked:
                    self.piece()
                    asked = False
                    continue
                room = False
            else:
                room = self.sent < min(size, self.acked + self.window)
            packet = self.packet(0.001 if room else 1.0)
            if packet is None:
                if room:
                    self.piece()
                    continue
                quiet += 1.0
                if quiet == 3.0:
                    self.run.violation(f"no OFFSET for 3 s with {self.sent - self.acked} bytes unanswered "
                                       f"at {self.sent} (expected: 1 s at most)")
                if quiet >= self.run.idle:
                    raise Violation("timeout", "silence (expected: a packet or ALIVE)")
                continue
            quiet = 0.0
            if packet.type != wire.OFFSET:
                raise Violation("bad-packet", f"{packet} in a GET (expected: OFFSET)")
            offset = packet.offset
            if offset > size:
                raise Violation("bad-offset", f"OFFSET({offset}) (expected: at most the size {size})")
            if offset > self.sent:
                self.run.violation(f"OFFSET({offset}) (expected: at most {self.sent}, what was sent)")
            elif offset < self.acked:
                self.run.note(f"OFFSET({offset}) goes back below {self.acked}")
            if self.window is None:
                self.acked = self.sent = offset
                asked = True
            elif offset < self.acked or offset > self.sent:
                self.acked = self.sent = offset
            else:
                self.acked = offset
            self.at("offset")


class Put(Exchange):
    """Receives the bytes; `told` is the last OFFSET, `staged` what has come."""

    wanted = "END or ALIVE"

    def serve(self):
        run, command = self.run, self.command
        start = int(command.get("offset", "0"))
        self.session_id()
        session = self.session
        self.at("command")
        size = command.get("size")
        self.size = int(size) if size is not None else None
        staged = self.staged = session["staged"]
        if session["failed"] and not session["complete"]:
            if start:
                self.peer.error(f"unknown-session: Offset: {start} (expected: 0, the session is over)")
            session["failed"] = False
            staged.clear()
            session["told"] = 0
            session["ended"] = None
        if start > session["told"] and (not self.fresh):
            run.violation(f"resumed at Offset {start} (expected: at most {session['told']}, the last OFFSET)")
        if start > len(staged):
            self.peer.error(f"unknown-session: Offset: {start} (expected: at most {len(staged)})")
        self.window = self.settings.get("window", run.window)
        self.ready({"Consumer": command.get("producer", "rewindable"), "Window": self.window, "Keep": 3600})
        self.shown_ready = True
        self.dropping = None
        self.at("ready")
        if session["complete"]:
            self.peer.send(wire.offset(len(staged)))
            run.transfer_open = False
            self.peer.info("COMPLETE", session["complete"])
            run.report["completed"] = True
            return
        if self.resumed and not run.done & {"lost"}:
            # what was received and never acknowledged may be asked for again
            keep = self.resume_from(start)
            del staged[max(keep, start):]
        first = len(staged)
        if self.resumed and self.settings.get("lose") and start > 0 and run.once("lost"):
            first = start // 2
            run.finished = True
            del staged[first:]
            session["told"] = first
            self.peer.send(wire.offset(first))
            self.expect_giving_up(first)
        self.told = first
        session["told"] = max(session["told"], first)
        self.peer.send(wire.offset(first))
        self.at("first-offset")
        self.receive()
        self.at("before-commit")
        content = bytes(staged)
        digest = hashlib.sha256(content).hexdigest()
        expected = command.get("sha-256") or session.get("end_hash")
        if expected and expected.lower() != digest:
            run.violation(f"SHA-256 {expected} of the client (expected: {digest}, of the bytes that came)")
        if self.told < len(staged) or not staged and self.size is None:
            self.tell(len(staged))
        if self.settings.get("wrong_hash"):
            digest = hashlib.sha256(content + b"x").hexdigest()
            run.finished = True
        session["complete"] = {"Size": len(content), "Identity": run.identity(content), "SHA-256": digest}
        run.report["received_size"] = len(content)
        run.report["received_sha256"] = hashlib.sha256(content).hexdigest()
        if run.options.dir:
            with open(os.path.join(run.options.dir, "received"), "wb") as f:
                f.write(content)
        self.at("before-complete")
        run.transfer_open = False
        self.peer.info("COMPLETE", session["complete"])
        run.report["completed"] = True

    def resume_from(self, start):
        """Where a resumed PUT goes on: everything that came, the acknowledged alone, or between."""
        have, told = len(self.staged), max(start, self.session["told"])
        where = self.settings.get("resume_at", "told")
        return {"told": told, "all": have, "between": told + (have - told) // 2}[where]

    def tell(self, offset):
        self.told = offset
        self.session["told"] = max(self.session["told"], offset)
        self.peer.send(wire.offset(offset))

    def expect_giving_up(self, asked):
        """The client was asked for bytes that it was told are durable: it must not send them."""
        until = time.monotonic() + 10
        while (wait := until - time.monotonic()) > 0:
            packet = self.packet(wait)
            if packet is None:
                break
            if packet.type == wire.DATA and packet.offset >= asked:
                self.run.violation(f"{packet} though it was told that these bytes are durable (expected: it stops)")
                raise Stop()
        self.run.violation("still connected 10 s after it was asked for durable bytes (expected: it stops)")
        raise Stop()

    def receive(self):
        staged, session, quiet = self.staged, self.session, 0.0
        self.end = session["ended"] = None if not session.get("end_stays") else session["ended"]
        while True:
            whole = len(staged) == self.size if self.size is not None else self.end is not None
            if whole and self.dropping is None:
                self.at("whole")
                if self.dropping is None:
                    return
            due = self.told < len(staged)
            packet = self.packet((0.02 if self.acknowledges() else 0.3) if due else 1.0)
            if packet is None:
                if due:
                    self.at("ack")
                    self.tell(len(staged))
                    continue
                quiet += 1.0
                if quiet == 5.0 and self.told == len(staged) and self.dropping is None:
                    self.run.note(f"no DATA for 5 s behind OFFSET({self.told})")
                if quiet == 5.0 and self.dropping is not None:
                    self.run.violation(f"no DATA at {len(staged)} within 5 s of RESUMED (expected: it sends again)")
                if quiet >= self.run.idle:
                    raise Violation("timeout", "silence of the client (expected: a packet or ALIVE)")
                continue
            quiet = 0.0
            if packet.type == wire.INFO:
                self.on_end(packet)
                continue
            if packet.type != wire.DATA:
                raise Violation("bad-packet", f"{packet} in a PUT (expected: DATA)")
            self.on_data(packet)

    def acknowledges(self):
        """A lazy server waits until the client sends no more: held, or waiting for a backup."""
        return not self.settings.get("lazy")

    def on_data(self, packet):
        staged = self.staged
        if len(packet.data) > self.max_data:
            raise Violation("bad-packet", f"{packet} (expected: at most Max-Data {self.max_data} bytes)")
        if len(packet.data) > self.window:
            raise Violation("bad-offset", f"{packet} (expected: no DATA longer than Window {self.window})")
        if packet.end > self.told + self.window:
            raise Violation("bad-offset", f"{packet} (expected: at most {self.told + self.window}, "
                                          f"Window {self.window} past OFFSET({self.told}))")
        if self.size is not None and packet.end > self.size:
            raise Violation("bad-offset", f"{packet} (expected: at most the Size {self.size})")
        if self.dropping is not None:
            if packet.offset != len(staged):
                if packet.offset < len(staged):
                    raise Violation("bad-offset", f"{packet} (expected: it starts at {len(staged)}, as RESUMED said)")
                if packet.offset > self.dropping:
                    self.dropping = max(self.dropping, packet.end)
                self.run.count("dropped")
                return
            self.dropping = None
        if packet.offset != len(staged):
            raise Violation("bad-offset", f"{packet} (expected: it starts at {len(staged)})")
        if self.end is not None and packet.end > self.end:
            raise Violation("bad-offset", f"{packet} behind END {self.end} (expected: nothing beyond it)")
        staged += packet.data
        self.at("data")
        if self.dropping is None and self.acknowledges() and 2 * (len(staged) - self.told) >= self.window:
            self.at("ack")
            self.tell(len(staged))

    def on_end(self, packet):
        try:
            end = wire.parse_info(packet.text)
            check_values(end)
            size = end.number("Size")
        except wire.WireError as e:
            raise Violation(e.code, str(e)) from None
        if self.size is not None:
            raise Violation("bad-packet", "END of a PUT with Size (expected: none)")
        if self.end is not None:
            raise Violation("bad-packet", "a second END on one connection (expected: an END once sent stays sent)")
        if size != len(self.staged) and self.dropping is None:
            raise Violation("bad-offset", f"END Size: {size} (expected: {len(self.staged)}, what came)")
        self.end = size
        self.session["end_hash"] = end.get("SHA-256")
        self.at("end")

    def ask_again(self, offset):
        """RESUMED with an Offset below what came: from there on the client sends again."""
        expected = len(self.staged)
        if not self.told <= offset < expected:
            return
        del self.staged[offset:]
        self.dropping = expected
        self.resume(offset)


# ================================================================ scenarios

THIRD = lambda e: e.sent * 3 >= len(e.run.content)
HALF = lambda e: e.sent * 2 >= len(e.run.content)


def put_at(e, fraction):
    """A PUT has come so far (of a known size; of the run's size otherwise)."""
    return len(e.staged) >= fraction * (e.size if e.size is not None else len(e.run.content))


Scenario("get-plain", "GET", "a file of 100 kB")
Scenario("get-one-byte-file", "GET", "a file of one byte", size=1)
Scenario("get-empty", "GET", "an empty file: COMPLETE at once", size=0)
Scenario("get-large", "GET", "16 MiB with large DATA", size=16 << 20, max_data=1 << 20, window=4 << 20)
Scenario("get-stop-and-wait", "GET", "without Window each OFFSET asks for one DATA", client="without Window",
         no_window=True)
Scenario("get-small-window", "GET", "a Window in force of 100 bytes", size=5000, window=100)
Scenario("get-window-1", "GET", "a Window in force of 1 byte", size=200, window=1)
Scenario("get-one-byte-at-a-time", "GET", "every byte of the server comes alone", size=3000, one_byte=True)
Scenario("put-plain", "PUT", "takes the bytes")
Scenario("put-stop-and-wait", "PUT", "a Window of one DATA", window=4096)
Scenario("put-window-1", "PUT", "a Window of 1 byte (send a small file)", window=1, client="at most 1 kB")
Scenario("put-one-byte-at-a-time", "PUT", "every byte of the server comes alone", one_byte=True)
Scenario("put-unknown-size", "PUT", "takes a PUT without Size too", client="without Size")
Scenario("put-late-acknowledgements", "PUT", "OFFSET comes only when the client sends no more", lazy=True)
Scenario("put-large-window", "PUT", "a Window of 8 MiB with DATA of 1 MiB", window=8 << 20, max_data=1 << 20)


def get_restart_twice(e, point):
    if point == "data" and (e.once("one", THIRD(e)) or e.once("two", "one" in e.run.done and HALF(e))):
        e.restart()


Scenario("get-restart-twice", "GET", "RESTART at a third, and of the new content at the half", get_restart_twice)


def get_restart_at_the_end(e, point):
    if point == "data" and e.once("end", e.sent + e.max_data >= len(e.run.content)):
        e.restart(size=len(e.run.content) // 2)


Scenario("get-restart-shorter", "GET", "RESTART before the last DATA: the new file is shorter", get_restart_at_the_end)


def get_restart_empty(e, point):
    if point == "data" and e.once("empty", HALF(e)):
        e.restart(size=0)


Scenario("get-restart-empty", "GET", "RESTART: the new file is empty", get_restart_empty)


def get_restart_at_ready(e, point):
    if point == "ready" and e.once("ready"):
        e.restart()


Scenario("get-restart-before-data", "GET", "RESTART right behind READY", get_restart_at_ready)


def get_restart_at_resume(e, point):
    if point == "data" and e.once("close", HALF(e)):
        e.run.change(e.run.options.size or 50_000)
        e.break_off()


Scenario("get-restart-at-resume", "GET", "the connection ends, the file is another one: READY, RESTART",
         get_restart_at_resume)
Scenario("get-restart-empty-at-resume", "GET", "the connection ends, the file is empty: READY, RESTART",
         lambda e, point: point == "data" and e.once("close", HALF(e)) and (e.run.change(0), e.break_off()))


def get_modifying_before_ready(e, point):
    if point == "command" and e.once("modifying"):
        e.modifying(e.acked)
        e.pause(0.5)
        e.resume()


def get_modifying(e, point):
    get_modifying_before_ready(e, point)
    if point == "data" and e.once("middle", HALF(e)):
        e.modifying(e.sent)
        e.pause(0.5)
        e.resume()
    if point == "data" and e.once("again", THIRD(e)):
        e.resume()  # a one-step upgrade may send RESUMED alone


Scenario("get-modifying-before-ready", "GET", "MODIFYING and RESUMED before READY", get_modifying_before_ready)
Scenario("get-modifying", "GET", "MODIFYING, RESUMED before READY and in the middle; RESUMED alone", get_modifying)


def migrate_command(e, point):
    if point == "command" and e.once("migrate"):
        e.migrate()


def get_migrate(e, point):
    if point == "data" and e.once("migrate", HALF(e)):
        e.migrate()


def get_migrate_back(e, point):
    if point == "data" and (e.once("there", THIRD(e)) or e.once("back", "there" in e.run.done and HALF(e))):
        e.migrate()


Scenario("get-migrate", "GET", "MIGRATE to the second port in the middle", get_migrate)
Scenario("get-migrate-and-back", "GET", "MIGRATE in the middle, and back again", get_migrate_back)
Scenario("get-migrate-command", "GET", "the command is answered by MIGRATE", migrate_command)
Scenario("get-unknown-size", "GET", "Size unknown, END behind the last DATA", unknown_size=True, end="normal")
Scenario("get-early-end", "GET", "Size unknown, END before the first DATA", unknown_size=True, end="early")
Scenario("get-late-end", "GET", "Size unknown, END after the last OFFSET", unknown_size=True, end="late")
Scenario("get-unknown-size-empty", "GET", "Size unknown, END says 0", unknown_size=True, end="late", size=0)
Scenario("get-live", "GET", "a live source, Consumer: stream", unknown_size=True, end="normal", stream=True,
         client="Consumer: stream")
Scenario("get-live-refused", "GET", "a live source, asked for without Consumer: stream", unknown_size=True,
         end="normal", stream=True, outcome="failure", code="incompatible", client="Consumer: rewindable")
Scenario("get-data-to-drop", "GET", "before every DATA others that end before or start after what is wanted",
         trouble="drop", size=40_000)
Scenario("get-data-to-cut", "GET", "every DATA begins before what is wanted", trouble="cut", size=40_000)
Scenario("get-wrong-hash", "GET", "COMPLETE names another SHA-256", outcome="failure", wrong_hash=True)
Scenario("put-wrong-hash", "PUT", "COMPLETE names another SHA-256", outcome="failure", wrong_hash=True)


def get_noise(e, point):
    if point in ("command", "ready", "data", "before-complete"):
        if point != "data" or e.run.once(f"noise {e.sent * 10 // max(1, len(e.run.content))}"):
            e.noise()


def put_noise(e, point):
    if point in ("command", "ready", "first-offset", "ack", "before-complete"):
        e.noise()


Scenario("get-noise", "GET", "unknown verbs and fields, NOTICE and ALIVE everywhere", get_noise, unknown=True)
Scenario("put-noise", "PUT", "unknown verbs and fields, NOTICE and ALIVE everywhere", put_noise, unknown=True)

for verb in ("GET", "PUT"):
    low = verb.lower()
    Scenario(f"{low}-close-after", verb, "the first connection ends behind --close-after bytes of the server",
             size=300 if verb == "GET" else 100_000, chunk=100, close_after_sent=True)
    Scenario(f"{low}-reset-after", verb, "the first connection is reset behind --close-after bytes of the server",
             size=300 if verb == "GET" else 100_000, chunk=100, close_after_sent=True, reset=True)
    Scenario(f"{low}-close-after-received", verb, "the first connection ends behind --close-after bytes of the client",
             size=300 if verb == "GET" else 100_000, chunk=100, close_after_received=True)
    Scenario(f"{low}-reset-after-received", verb,
             "the first connection is reset behind --close-after bytes of the client",
             size=300 if verb == "GET" else 100_000, chunk=100, close_after_received=True, reset=True)


def get_close(e, point):
    if point == "data" and e.once("close", HALF(e)):
        e.break_off()


def get_close_often(e, point):
    if point == "data" and e.once(f"close {e.sent * 8 // len(e.run.content)}", e.sent):
        e.break_off()


Scenario("get-close", "GET", "the connection ends at the half; resumed", get_close)
Scenario("get-reset", "GET", "the connection is reset at the half; resumed", get_close, reset=True)
Scenario("get-close-often", "GET", "the connection ends eight times", get_close_often)
Scenario("get-close-before-complete", "GET", "the connection ends instead of COMPLETE",
         lambda e, point: point == "before-complete" and e.once("close") and e.break_off())
Scenario("get-close-unanswered", "GET", "the command is answered by nothing but end of stream",
         lambda e, point: point == "command" and e.once("close") and e.break_off())


def put_close(e, point):
    if point == "data" and e.once("close", put_at(e, 0.5)):
        e.break_off()


for where in ("told", "all", "between"):
    Scenario(f"put-close-resumed-at-{where}", "PUT",
             f"the connection ends at the half; the first OFFSET then is {where} of what came", put_close,
             resume_at=where)
Scenario("put-reset", "PUT", "the connection is reset at the half; resumed", put_close, reset=True)
Scenario("put-close-often", "PUT", "the connection ends eight times",
         lambda e, point: point == "data" and any(e.once(f"close {i}", put_at(e, i / 9)) for i in range(1, 9))
         and e.break_off())
Scenario("put-close-before-complete", "PUT", "the connection ends instead of COMPLETE",
         lambda e, point: point == "before-complete" and e.once("close") and e.break_off())
Scenario("put-close-before-last-offset", "PUT", "the connection ends when all has come, before OFFSET(size)",
         lambda e, point: point == "before-commit" and e.once("close") and e.break_off())
Scenario("put-close-unanswered", "PUT", "the command is answered by nothing but end of stream",
         lambda e, point: point == "command" and e.once("close") and e.break_off())


def put_modifying(e, point):
    if point == "command" and e.once("before"):
        e.modifying(0)
        e.pause(0.5)
        e.resume()
    if point == "data" and e.once("middle", put_at(e, 0.4)):
        e.modifying(len(e.staged))
        e.pause(0.5)
        e.resume()
    if point == "data" and e.once("alone", put_at(e, 0.7)):
        e.resume()


Scenario("put-modifying", "PUT", "MODIFYING, RESUMED before READY and in the middle; nothing lost", put_modifying)


def put_resumed_with_offset(e, point):
    for i in (1, 2, 3):
        if point == "data" and e.once(f"again {i}", put_at(e, i / 4) and len(e.staged) > e.told + 1):
            e.modifying(len(e.staged))
            e.pause(0.3)
            e.ask_again(e.told + (len(e.staged) - e.told) // 2)
            return


Scenario("put-resumed-with-offset", "PUT", "RESUMED asks again for what was not acknowledged, three times",
         put_resumed_with_offset)
Scenario("put-resumed-with-last-offset", "PUT", "RESUMED asks again from the last OFFSET",
         lambda e, point: point == "data" and e.once("again", put_at(e, 0.5) and len(e.staged) > e.told)
         and e.ask_again(e.told))


def put_resumed_behind_the_end(e, point):
    if point == "whole" and len(e.staged) > e.told and e.once("again"):
        e.modifying(len(e.staged))
        e.pause(0.3)
        e.ask_again(e.told + (len(e.staged) - e.told) // 2)
    elif point == "whole" and "again" in e.run.done and e.size is None:
        packet = e.packet(0.3)
        if packet is not None:
            raise Violation("bad-packet", f"{packet} when all has come (expected: nothing, END stays sent)")


Scenario("put-resumed-behind-the-end", "PUT", "RESUMED asks again when all has come; END is not repeated",
         put_resumed_behind_the_end)
Scenario("put-migrate", "PUT", "MIGRATE to the second port in the middle",
         lambda e, point: point == "data" and e.once("migrate", put_at(e, 0.5)) and e.migrate())
Scenario("put-migrate-command", "PUT", "the command is answered by MIGRATE", migrate_command)
Scenario("put-migrate-when-whole", "PUT", "MIGRATE when all has come, before OFFSET(size)",
         lambda e, point: point == "before-commit" and e.once("migrate") and e.migrate())
Scenario("put-lost", "PUT", "after a resume the server asks for acknowledged bytes: the client reports the loss",
         lambda e, point: point == "data" and e.told > 0 and e.once("close", put_at(e, 0.5)) and e.break_off(),
         outcome="failure", lose=True)


def put_lost_while_connected(e, point):
    if point == "data" and e.told > 10 and e.once("lost-now", put_at(e, 0.5)):
        asked = e.told // 2
        e.run.finished = True
        e.resume(asked)
        in_flight = len(e.staged)
        until = time.monotonic() + 10
        while (wait := until - time.monotonic()) > 0:
            packet = e.packet(wait)
            if packet is None:
                break
            if packet.type == wire.DATA and packet.offset < in_flight:
                e.run.violation(f"{packet} though it was told that these bytes are durable (expected: it stops)")
                raise Stop()
        e.run.violation("still connected 10 s after it was asked for durable bytes (expected: it stops)")
        raise Stop()


Scenario("put-lost-while-connected", "PUT", "RESUMED asks for acknowledged bytes: the client reports the loss",
         put_lost_while_connected, outcome="failure")


def error_before(code):
    def play(e, point):
        if point == "command" and (code not in wire.RETRYABLE_CODES or e.once("error")):
            e.error(code)
    return play


def error_middle(code):
    def play(e, point):
        far = (HALF(e) if e.command.verb == "GET" else put_at(e, 0.5)) if point == "data" else False
        if far and (code not in wire.RETRYABLE_CODES or e.once("error")):
            e.error(code)
    return play


for verb in ("GET", "PUT"):
    for code in wire.ERROR_CODES + ("teapot",):
        again = code in wire.RETRYABLE_CODES
        low = verb.lower()
        Scenario(f"{low}-error-before-{code}", verb, f"ERROR {code} instead of READY" + (", once" if again else ""),
                 error_before(code), "success" if again else "failure", None if again else code)
        # a PUT that has gone may be sent anew or reported, both is right
        either = verb == "PUT" and code == "unknown-session"
        Scenario(f"{low}-error-middle-{code}", verb, f"ERROR {code} at the half" + (", once" if again else ""),
                 error_middle(code), "either" if either else "success" if again else "failure",
                 None if again else code)
    Scenario(f"{verb.lower()}-error-busy-three-times", verb, "busy three times, then it goes on",
             lambda e, point: point == "command" and any(e.once(f"busy {i}") for i in range(3)) and e.error("busy"))


def silent(e, point):
    if (point == "data" and e.command.verb == "GET" and e.once("silent", HALF(e))
            or point == "first-offset" and e.once("silent")):
        e.pause(3 * e.run.idle)
        raise Stop()


def silent_before_ready(e, point):
    if point == "command" and e.once("silent"):
        e.pause(3 * e.run.idle)
        raise Stop()


def alive_only(e, point):
    if (point == "data" and e.command.verb == "GET" and e.once("wait", HALF(e))
            or point == "data" and e.command.verb == "PUT" and e.once("wait", put_at(e, 0.5))
            or point == "command" and e.once("wait before READY")):
        for i in range(4):
            e.pause(4)
            if i == 0:
                before = sum(e.run.report["received_bytes"])
            e.peer.info("ALIVE")
        if point != "command" and sum(e.run.report["received_bytes"]) == before:
            e.run.violation(f"silent for 12 s (expected: ALIVE within Idle {e.run.idle})")
        e.run.note(f"waited 16 s with ALIVE on connection {e.peer.number}")


for verb in ("GET", "PUT"):
    low = verb.lower()
    Scenario(f"{low}-silence", verb, "silent for longer than Idle; resumed on the next connection", silent, idle=10)
    Scenario(f"{low}-silence-before-ready", verb, "no answer to the first command for longer than Idle",
             silent_before_ready, idle=10)
    Scenario(f"{low}-alive", verb, "16 s of nothing but ALIVE before READY and in the middle; one connection",
             alive_only, idle=10)


# ================================================================ running


def accept(run, listener, which):
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=Peer(run, client, which).play, daemon=True).start()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scenario")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file", help="gets the port, whole, when it listens")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--size", type=int, help="of what a GET gives")
    parser.add_argument("--dir", help="gets the files `content` (served, the last version) and `received`")
    parser.add_argument("--report-file", help="gets the report too")
    parser.add_argument("--close-after", type=int, default=0, help="for the scenarios that need it")
    parser.add_argument("--sweep", action="store_true",
                        help="many transfers, one after another: the first connection of the first ends behind one "
                             "byte more than --close-after, that of the next behind one byte more")
    parser.add_argument("--until-stdin-ends", action="store_true")
    parser.add_argument("--timeout", type=float, default=120)
    parser.add_argument("--list", action="store_true", help="all scenarios as JSON")
    options = parser.parse_args()
    if options.list:
        print(json.dumps([s.summary() for s in SCENARIOS.values()], indent=1))
        return 0
    if options.scenario not in SCENARIOS:
        parser.error(f"scenario: {options.scenario} (expected: one that --list names)")
    run = Run(options, SCENARIOS[options.scenario])
    listeners = [socket.create_server((options.host, port)) for port in (options.port, 0)]
    run.address = [f"{options.host}:{listener.getsockname()[1]}" for listener in listeners]
    for which, listener in enumerate(listeners):
        threading.Thread(target=accept, args=(run, listener, which), daemon=True).start()
    ports = [listener.getsockname()[1] for listener in listeners]
    print(json.dumps({"port": ports[0], "second_port": ports[1], "size": len(run.content),
                      "sha256": hashlib.sha256(run.content).hexdigest()}), flush=True)
    if options.port_file:
        with open(options.port_file + ".new", "w") as f:
            f.write(f"{ports[0]}\n")
        os.replace(options.port_file + ".new", options.port_file)
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    if options.until_stdin_ends:
        threading.Thread(target=lambda: (sys.stdin.buffer.read(), over.set()), daemon=True).start()
    over.wait(options.timeout)
    with run.lock:
        report = dict(run.report, size=len(run.content), sha256=hashlib.sha256(run.content).hexdigest(),
                      versions=len(run.contents))
        if run.scenario.verb == "PUT":
            report["size"], report["sha256"] = report.get("received_size"), report.get("received_sha256")
        if options.dir:
            with open(os.path.join(options.dir, "content"), "wb") as f:
                f.write(run.content)
        text = json.dumps(report)
    if options.report_file:
        with open(options.report_file + ".new", "w") as f:
            f.write(text + "\n")
        os.replace(options.report_file + ".new", options.report_file)
    print(text, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
