#!/usr/bin/env python3
"""A small node written from the page alone: it proves that the page can be implemented from itself.

    python3 reference_server.py --port 0 --dir DIR [--idle 10] [--live NAME=BYTES] [--bug NAME]

Prints `port N` when it listens. One thread for each connection, sessions in memory, files in DIR;
one node, no TLS, no tokens. `--bug` breaks one rule on purpose, so that the checks are seen to fail.
"""

import argparse
import hashlib
import os
import random
import select
import shutil
import socket
import stat
import struct
import sys
import tempfile
import threading
import time
import uuid
from datetime import datetime, timezone

import theseus_wire as wire

BUGS = {
    "double-data": "stop-and-wait sends a second DATA unasked",
    "window-passed": "one DATA more than the window",
    "seek-below-ignored": "OFFSET below the last is dropped",
    "seek-beyond-clamped": "OFFSET beyond what was sent is taken as an acknowledgement",
    "equal-offset-resends": "OFFSET equal to the last starts again there",
    "size-offset-needs-all-sent": "OFFSET(size) is dropped before everything was sent",
    "beyond-size-clamped": "an offset beyond the size is taken as the size",
    "max-data-ignored": "Max-Data of the client is ignored",
    "pipelined-dropped": "what came behind the last OFFSET or DATA is dropped",
    "late-refused": "late OFFSETs between sessions are errors",
    "second-command-ignored": "a command within a session is dropped",
    "failed-session-runs-pipelined": "a command behind a failed PUT is carried out",
    "wrong-sha-ignored": "SHA-256 is not looked at",
    "wrong-sha-keeps-session": "a wrong SHA-256 does not end the session",
    "end-ignored": "END's Size is not looked at",
    "partial-visible": "an unfinished PUT shows under its name",
    "gap-accepted": "DATA is appended wherever it starts",
    "resume-from-zero": "a resumed PUT starts again at 0",
    "unknown-session-accepted": "an unknown Session with an Offset begins at 0",
    "other-name-resumed": "name, verb and size of a resumed session are not looked at",
    "not-fenced": "the older connection of a session goes on",
    "completed-forgotten": "a completed PUT is forgotten",
    "precondition-first": "If-Identity is looked at before a completed session",
    "if-identity-once": "If-Identity is not looked at again at the switch",
    "refused-kills-session": "an ERROR before READY ends the session named",
    "client-error-keeps-session": "ERROR from the client does not end the session",
    "restart-missing": "a changed file goes on without RESTART",
    "restart-eager": "DATA follows RESTART without OFFSET(0)",
    "identity-at-0": "Identity is looked at with Offset 0",
    "stream-restarted": "a stream consumer gets RESTART",
    "reset-after-error": "closes at once after ERROR",
    "open-after-error": "stays open after ERROR",
    "shapeless-error": "ERROR text without a code",
    "silent-close": "closes without ERROR",
    "field-case": "field names are case-sensitive",
    "no-trim": "values are not trimmed",
    "twice-accepted": "a field given twice: the last one counts",
    "no-colon-ignored": "a line without a colon is dropped",
    "last-lf-needed": "the last line counts only with its LF",
    "any-number": "numbers of any length and sign",
    "version-ignored": "Version is not looked at",
    "length-unchecked": "a length over the limit is waited for",
    "backup-waits": "a BACKUP packet is refused only with its header",
    "not-utf8": "bad UTF-8 is replaced",
    "whole-reads": "a packet has to come in one read",
    "percent-decoded": "names are percent-decoded",
    "normalised": "names are normalised",
    "controls-accepted": "control characters in names",
    "links-followed": "symbolic links are followed",
    "list-by-case": "LIST sorts without regard to case",
    "after-trimmed": "After is trimmed",
    "list-one-page": "LIST says More: no always",
    "alive-answered": "ALIVE is answered",
    "alive-counts-not": "ALIVE does not restart the idle clock",
    "no-idle": "silence is endless",
    "late-counts": "late packets restart the idle clock",
    "slow-is-silent": "a slow packet does not stop the idle clock",
    "slow-is-alive": "any byte restarts the idle clock",
    "ack-at-half-only": "no OFFSET before half a window or the end",
    "ack-silence-only": "OFFSET only when nothing more comes",
    "ack-beyond": "OFFSET names one byte more than came",
    "no-last-offset": "COMPLETE without OFFSET(size)",
    "shared-staging": "two PUTs of one name write into one buffer",
    "ready-short": "READY without Nodes",
    "idle-too-small": "READY names Idle 5",
    "torn-in-place": "GET reads the file as it is now for each DATA",
    "live-rewindable": "a live source is given to a rewindable consumer",
    "live-seek": "a seek on a live source is dropped",
}

WINDOW = 64 * 1024
MAX_DATA = 32 * 1024
VERBS = ("GET", "PUT", "STAT", "LIST", "DELETE")
FIELDS = {
    "GET": ("offset", "window", "max-data", "consumer", "session", "identity", "migrate-port", "token", "version"),
    "PUT": ("size", "producer", "session", "offset", "sha-256", "if-identity", "migrate-port", "token", "version"),
    "STAT": ("token", "version"),
    "LIST": ("after", "token", "version"),
    "DELETE": ("if-identity", "token", "version"),
    "END": ("size", "sha-256"),
    "ALIVE": (),
}


class Refused(Exception):
    """An ERROR to send; `ends` says that the session is over as well."""

    def __init__(self, code, text, ends=False):
        super().__init__(f"{code}: {text}")
        self.code, self.ends = code, ends


class Gone(Exception):
    """The client closed, or closing is all that is left to do."""


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class Store:
    """Files below one directory, opened component by component without following links."""

    def __init__(self, directory, bug):
        self.directory, self.bug = directory, bug
        self.staging = tempfile.mkdtemp(prefix=".staging-", dir=os.path.dirname(os.path.abspath(directory)))
        self.lock = threading.RLock()

    def _folder(self, name, create=False):
        """Descriptor of the folder that holds the name, and the last component."""
        parts = name.encode().split(b"/")
        fd = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        follow = 0 if self.bug("links-followed") else os.O_NOFOLLOW
        try:
            for part in parts[:-1]:
                try:
                    inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | follow, dir_fd=fd)
                except FileNotFoundError:
                    if not create:
                        raise
                    os.mkdir(part, dir_fd=fd)
                    inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | follow, dir_fd=fd)
                os.close(fd)
                fd = inner
            return fd, parts[-1]
        except OSError:
            os.close(fd)
            raise

    def read(self, name):
        """Content and time of a regular file, or None."""
        try:
            fd, last = self._folder(name)
        except OSError:
            return None
        try:
            flags = os.O_RDONLY | os.O_NONBLOCK | (0 if self.bug("links-followed") else os.O_NOFOLLOW)
            file = os.open(last, flags, dir_fd=fd)
        except OSError:
            return None
        finally:
            os.close(fd)
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            os.close(file)
            return None
        with os.fdopen(file, "rb") as f:
            return f.read(), status.st_mtime_ns

    def check_place(self, name):
        """Refuses a name that is a folder or goes through a file; makes nothing."""
        path = self.directory.encode()
        parts = name.encode().split(b"/")
        for i, part in enumerate(parts):
            path = os.path.join(path, part)
            try:
                mode = os.lstat(path).st_mode
            except FileNotFoundError:
                return
            except NotADirectoryError:
                raise Refused("exists", f"{name} goes through a file (expected: a folder)", True) from None
            last = i == len(parts) - 1
            if self.bug("links-followed"):
                continue
            if last and stat.S_ISDIR(mode):
                raise Refused("exists", f"{name} is a folder (expected: no folder of that name)", True)
            if not last and not stat.S_ISDIR(mode):
                raise Refused("exists", f"{name} goes through a file (expected: a folder)", True)
            if last and not stat.S_ISREG(mode):
                raise Refused("denied", f"{name} is no regular file (expected: a regular file)", True)

    def switch(self, name, content):
        self.check_place(name)
        fd, last = self._folder(name, create=True)
        try:
            with tempfile.NamedTemporaryFile(dir=self.staging, delete=False) as f:
                f.write(content)
            if self.bug("links-followed"):
                with open(os.path.join(self.directory.encode(), name.encode()), "wb") as out:
                    out.write(content)
            else:
                os.replace(f.name, last, dst_dir_fd=fd)
        finally:
            os.close(fd)

    def delete(self, name):
        fd, last = self._folder(name)
        try:
            os.unlink(last, dir_fd=fd)
        finally:
            os.close(fd)
        # a folder that holds no name any more is none
        path = os.path.dirname(os.path.join(self.directory, name))
        while path != self.directory:
            try:
                os.rmdir(path.encode())
            except OSError:
                return
            path = os.path.dirname(path)

    def names(self):
        root = self.directory.encode()
        for folder, folders, files in os.walk(root):
            for file in files:
                path = os.path.join(folder, file)
                try:
                    mode = os.lstat(path).st_mode
                except FileNotFoundError:
                    continue  # deleted meanwhile
                if stat.S_ISREG(mode) or self.bug("links-followed") and os.path.isfile(path):
                    name = os.path.relpath(path, root)
                    try:
                        text = name.decode("utf-8")
                    except UnicodeDecodeError:
                        continue
                    if wire.bad_name_reason(text) is None and not file.startswith(b".place-"):
                        yield text


def identity_of(content):
    return "sha256-" + sha256(content)


class Session:
    """What outlives a connection: a PUT's bytes and outcome, or the name of a GET."""

    def __init__(self, session_id, verb, name):
        self.id, self.verb, self.name = session_id, verb, name
        self.lock = threading.RLock()
        self.connection = None
        self.size = None
        self.staged = bytearray()
        self.complete = None
        self.expected_sha = None


class Server:
    def __init__(self, options):
        self.options = options
        self.bugs = set(options.bug or ())
        self.store = Store(options.dir, self.bug)
        self.sessions = {}
        self.lock = threading.RLock()
        self.live = {}
        for entry in options.live or ():
            name, _, size = entry.partition("=")
            self.live[name] = random.Random(name).randbytes(int(size))
        self.socket = socket.create_server((options.host, options.port), backlog=64)
        self.port = self.socket.getsockname()[1]
        self.shared = {}

    def bug(self, name):
        return name in self.bugs

    def serve(self):
        while True:
            client, _ = self.socket.accept()
            threading.Thread(target=Connection(self, client).run, daemon=True).start()


class Connection:
    def __init__(self, server, client):
        self.server, self.socket, self.bug = server, client, server.bug
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.setblocking(False)
        self.decoder = ServerDecoder(MAX_DATA, server.bug)
        self.idle = server.options.idle
        self.last = time.monotonic()
        self.first = None
        self.ended = False
        self.superseded = False
        self.wake_reader, self.wake = socket.socketpair()
        self.session = None

    # ------------------------------------------------------------ reading and writing

    def read(self, block=True):
        """The next packet; None where there is none and `block` is not set."""
        while True:
            if self.superseded:
                raise Refused("superseded", "a newer connection has this session (expected: one connection)")
            packet = self.decoder.next()
            if packet:
                self.first = time.monotonic() if self.decoder.partial else None
                self.base = self.decoder.partial
                if self.session is not None or not self.is_late(packet) or self.bug("late-counts"):
                    if not (self.bug("alive-counts-not") and packet.text.startswith("ALIVE")):
                        self.last = time.monotonic()
                return packet
            if self.ended:
                raise Gone()
            wait = self.idle - self.silence() if block else 0
            if block and wait <= 0:
                if self.bug("no-idle"):
                    wait = 3600
                elif self.session is None and not self.decoder.partial:
                    raise Refused(None, "between sessions")
                else:
                    raise Refused("timeout", f"no packet for {self.idle} s (expected: a packet or ALIVE)")
            ready = select.select([self.socket, self.wake_reader], [], [], min(wait, 3600))[0]
            if self.socket in ready:
                self.receive()
            elif not ready and not block:
                return None

    def silence(self):
        now = time.monotonic()
        if self.first is None:
            return now - self.last
        if self.bug("slow-is-silent"):
            return now - self.last
        if self.bug("slow-is-alive"):
            return now - self.last_byte
        return self.first - self.last + max(0.0, now - self.first - self.decoder.partial / 1024)

    def receive(self):
        try:
            chunk = self.socket.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            raise Gone() from None
        if not chunk:
            self.ended = True
            return
        if self.bug("whole-reads") and self.decoder.partial:
            self.decoder.buffer.clear()
        self.last_byte = time.monotonic()
        if self.first is None:
            self.first = time.monotonic()
        self.decoder.feed(chunk)

    @staticmethod
    def is_late(packet):
        verb = packet.text.split("\n")[0].rstrip()
        return packet.type == wire.OFFSET or packet.type == wire.INFO and verb in ("END", "ALIVE")

    def send(self, raw):
        view = memoryview(raw)
        while view:
            if not select.select([], [self.socket], [], self.idle)[1]:
                if self.bug("no-idle"):
                    continue
                self.reset()
                raise Gone()
            try:
                view = view[self.socket.send(view):]
            except BlockingIOError:
                continue
            except OSError:
                raise Gone() from None

    def info(self, verb, fields=()):
        self.chat()
        self.send(wire.info(verb, fields))

    def chat(self):
        """A quirky node says, now and then, what a client has to skip."""
        if self.server.options.quirky and random.random() < 0.1:
            self.send(random.choice((
                wire.info("ALIVE"), wire.info("NOTICE", {"Text": "\u00e4 person reads this", "X-New": 1}),
                wire.info("NOTICE", {"Replication": "full"}), wire.info("WEATHER sunny", {"Wind": "1: west"}),
                wire.info("RESUMED", {"Module": "reference@2"}))))

    def reset(self):
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            self.socket.close()
        except OSError:
            pass

    def supersede(self):
        self.superseded = True
        self.wake.send(b"x")

    # ------------------------------------------------------------ life

    def run(self):
        try:
            self.sessions()
        except Gone:
            pass
        except wire.WireError as e:
            self.fail(str(e))
        except Refused as e:
            if e.ends and self.session and not self.bug("wrong-sha-keeps-session"):
                self.forget(self.session)
            if e.code is None:
                self.linger()
            else:
                self.fail(str(e))
        except OSError:
            pass
        finally:
            for s in (self.socket, self.wake, self.wake_reader):
                s.close()

    def forget(self, session):
        with self.server.lock:
            if self.server.sessions.get(session.id) is session:
                del self.server.sessions[session.id]

    def fail(self, text):
        """Sends ERROR, shuts down, reads until end of stream or for 2 s."""
        if self.bug("silent-close"):
            return
        if self.bug("shapeless-error"):
            text = text.partition(": ")[2]
        try:
            self.send(wire.error(text))
        except Gone:
            return
        if self.bug("reset-after-error"):
            self.reset()
            return
        if self.bug("open-after-error"):
            threading.Event().wait(8)
        self.linger()

    def linger(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
            until = time.monotonic() + 2
            while (wait := until - time.monotonic()) > 0:
                if select.select([self.socket], [], [], wait)[0] and not self.socket.recv(1 << 16):
                    return
        except OSError:
            pass

    def sessions(self):
        while True:
            self.session = None
            self.decoder.max_data = MAX_DATA
            packet = self.read()
            if packet.type == wire.ERROR:
                raise Gone()
            if packet.type == wire.OFFSET and not self.bug("late-refused"):
                continue
            if packet.type != wire.INFO:
                raise Refused("bad-packet", f"{packet} between sessions (expected: a command)")
            verb = packet.text.split("\n")[0].split(" ")[0]
            if verb in ("END", "ALIVE"):
                self.parse(packet.text)
                continue
            if verb not in VERBS:
                raise Refused("bad-packet", f"verb: {verb[:40]!r} (expected: one of {', '.join(VERBS)})")
            self.carry_out(verb, self.parse(packet.text))

    def parse(self, text):
        """Verb, rest and fields of a client's INFO; known fields once, with good values."""
        if self.bug("last-lf-needed") and not text.endswith("\n"):
            text = text[:text.rfind("\n") + 1] or text
        lines = text.split("\n")
        if lines[-1] == "" and len(lines) > 1:
            lines.pop()
        verb, _, rest = lines[0].partition(" ")
        info = wire.Info(verb=verb, rest=rest, text=text)
        known = FIELDS[verb]
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon:
                if self.bug("no-colon-ignored"):
                    continue
                raise Refused("bad-field", f"line without a colon: {line[:60]!r} (expected: Field: value)")
            key = name if self.bug("field-case") else name.lower()
            if key.lower() not in known:
                continue
            if self.bug("field-case") and key not in (
                    "Offset", "Window", "Max-Data", "Consumer", "Session", "Identity", "Migrate-Port", "Token",
                    "Version", "Size", "Producer", "SHA-256", "If-Identity", "After"):
                continue
            key = key.lower()
            if key in info.fields and not self.bug("twice-accepted"):
                raise Refused("bad-field", f"{name} is given twice (expected: once)")
            if key == "after" and not self.bug("after-trimmed"):
                value = value[1:] if value.startswith(" ") else value
            elif self.bug("no-trim"):
                value = value[1:]
            else:
                value = value.strip(" ")
            info.fields[key] = value
        return info

    def number(self, info, name, least=0, most=wire.LIMIT - 1):
        value = info.get(name)
        if value is None:
            return None
        if self.bug("any-number"):
            try:
                return abs(int(value, 0))
            except ValueError:
                return 0
        if not wire.NUMBER.match(value) or not least <= int(value) <= most:
            raise Refused("bad-field", f"{name}: {value!r} (expected: {least} to {most})")
        return int(value)

    def choice(self, info, name, default, choices):
        value = info.get(name, default)
        if value not in choices:
            raise Refused("bad-field", f"{name}: {value!r} (expected: {' or '.join(choices)})")
        return value

    def matching(self, info, name, pattern, expected):
        value = info.get(name)
        if value is not None and not pattern.match(value):
            raise Refused("bad-field", f"{name}: {value[:140]!r} (expected: {expected})")
        return value

    def carry_out(self, verb, info):
        self.number(info, "Migrate-Port", 1, 65535)
        version = self.number(info, "Version")
        if version not in (None, 1) and not self.bug("version-ignored"):
            raise Refused("version", f"Version: {version} (expected: 1)")
        if verb == "LIST":
            reason = wire.bad_prefix_reason(info.rest)
        else:
            if self.bug("percent-decoded"):
                from urllib.parse import unquote
                info.rest = unquote(info.rest)
            if self.bug("normalised"):
                import unicodedata
                info.rest = unicodedata.normalize("NFC", info.rest)
            reason = wire.bad_name_reason(info.rest)
            if reason and self.bug("controls-accepted") and "U+" in reason and "\0" not in info.rest:
                reason = None
        if reason:
            raise Refused("bad-name", f"{info.rest[:60]!r}: {reason}")
        getattr(self, verb.lower())(info.rest, info)

    # ------------------------------------------------------------ STAT, LIST, DELETE

    def found(self, name):
        found = self.server.store.read(name)
        if found is None:
            raise Refused("not-found", f"{name!r} is not here (expected: the name of a file)")
        return found

    def stat(self, name, info):
        if name in self.server.live:
            self.info("STAT", {"Size": "unknown", "Identity": "-", "Modified": "-"})
            return
        content, modified = self.found(name)
        self.info("STAT", {"Size": len(content), "Identity": identity_of(content),
                           "Modified": rfc3339(modified), "SHA-256": sha256(content)})

    def list(self, prefix, info):
        after = info.get("After")
        if after is not None and wire.bad_name_reason(after):
            raise Refused("bad-name", f"After: {after[:60]!r}: {wire.bad_name_reason(after)}")
        key = (lambda n: n.lower().encode()) if self.bug("list-by-case") else (lambda n: n.encode())
        names = sorted((n for n in [*self.server.store.names(), *self.server.live] if n.startswith(prefix)), key=key)
        if after is not None:
            names = [n for n in names if n.encode() > after.encode()]
        lines, length, more = [], 0, "no"
        for name in names:
            if name in self.server.live:
                line = f"unknown - - {name}"
            else:
                found = self.server.store.read(name)
                if found is None:
                    continue
                line = f"{len(found[0])} {rfc3339(found[1])} {identity_of(found[0])} {name}"
            length += len(line.encode()) + 1
            if length > 60_000:
                more = "no" if self.bug("list-one-page") else "yes"
                break
            lines.append(line)
        self.send(wire.info_raw("LIST\nMore: " + more + "\n\n" + "".join(line + "\n" for line in lines)))

    def delete(self, name, info):
        wanted = self.if_identity(info)
        if wanted == "none":
            raise Refused("bad-field", "If-Identity: none (expected: an Identity)")
        with self.server.store.lock:
            content, _ = self.found(name)
            if wanted not in (None, identity_of(content)):
                raise Refused("changed", f"Identity: {identity_of(content)} (expected: {wanted})")
            self.server.store.delete(name)
        self.info("DELETED", {"Identity": identity_of(content)})

    def if_identity(self, info):
        return self.matching(info, "If-Identity", wire.IDENTITY, "none or 1 to 128 visible ASCII characters")

    # ------------------------------------------------------------ sessions

    def ready(self, session_id, fields, max_data):
        address = f"127.0.0.1:{self.server.port}"
        fixed = {"Session": session_id, "Max-Data": max_data,
                 "Idle": 5 if self.bug("idle-too-small") else self.idle, "Module": "reference@1", "Node": address,
                 "Nodes": None if self.bug("ready-short") else address, "Version": 1}
        self.info("READY", {**fixed, **fields})
        self.decoder.max_data = max_data

    def take_over(self, session):
        """The newest connection has the session: the older one is fenced."""
        with session.lock:
            old, session.connection = session.connection, self
        if old is not None and old is not self and not self.bug("not-fenced"):
            try:
                old.supersede()
            except OSError:
                pass

    def session_fields(self, info):
        value = self.matching(info, "Session", wire.UUID, "a uuid")
        return value.lower() if value else None

    def named(self, info, verb, name, size=None):
        """The session that the command names, or None; refuses where it began as something else."""
        session_id = self.session_fields(info)
        with self.server.lock:
            session = self.server.sessions.get(session_id)
        if session is None or self.bug("other-name-resumed"):
            return session_id, session
        for label, began, now in (("verb", session.verb, verb), ("name", session.name, name)):
            if began != now:
                if self.bug("refused-kills-session"):
                    self.forget(session)
                raise Refused("bad-field", f"{label}: {now} (expected: {began}, with which the session began)")
        if verb == "PUT" and session.size != size:
            raise Refused("bad-field", f"Size: {size} (expected: {session.size}, with which the session began)")
        return session_id, session

    # ------------------------------------------------------------ GET

    def get(self, name, info):
        asked = self.number(info, "Offset") or 0
        window = self.number(info, "Window", 1)
        max_data = min(self.number(info, "Max-Data", 1) or MAX_DATA, MAX_DATA)
        if self.bug("max-data-ignored"):
            max_data = MAX_DATA
        consumer = self.choice(info, "Consumer", "rewindable", ("rewindable", "stream"))
        identity = None
        if asked > 0 or self.bug("identity-at-0"):
            identity = self.matching(info, "Identity", wire.IDENTITY, "1 to 128 visible ASCII characters, not none")
            if identity == "none":
                raise Refused("bad-field", "Identity: none (expected: an Identity)")
        session_id, session = self.named(info, "GET", name)
        live = name in self.server.live
        if live and consumer == "rewindable" and not self.bug("live-rewindable"):
            raise Refused("incompatible", f"{name} is a live stream (expected: Consumer: stream)")
        content = self.server.live[name] if live else self.found(name)[0]
        now = "-" if live else identity_of(content)
        changed = identity is not None and identity != now and not self.bug("restart-missing")
        if changed and consumer == "stream" and not self.bug("stream-restarted"):
            raise Refused("changed", f"Identity: {now} (expected: {identity})")
        size = len(content)
        if self.bug("beyond-size-clamped"):
            asked = min(asked, size)
        if asked > size and not changed:
            raise Refused("bad-offset", f"Offset: {asked} (expected: at most the size {size})")
        if live and asked:
            raise Refused("bad-offset", f"Offset: {asked} (expected: 0, where the stream stands)")
        if session is None:
            session_id = session_id or str(uuid.uuid4())
            session = Session(session_id, "GET", name)
            with self.server.lock:
                self.server.sessions[session_id] = session
        self.take_over(session)
        self.session = session
        if window is not None:
            window = min(window, 1 << 20)
        self.ready(session.id, {"Size": "unknown" if live else size, "Identity": now,
                                "Producer": "stream" if live else "rewindable", "Window": window}, max_data)
        try:
            if changed:
                self.info("RESTART", {"Identity": now, "Size": size})
                asked = 0
                if not self.bug("restart-eager"):
                    while True:
                        packet = self.in_session()
                        if packet.type == wire.OFFSET and packet.offset == 0:
                            break
            sending = Sending(self, name, content, asked, window, max_data, live)
            sending.run()
            self.info("COMPLETE", {"Size": size, "Identity": now, "SHA-256": sha256(content)})
            if self.bug("pipelined-dropped"):
                self.read(block=False)
                self.decoder.buffer.clear()
        finally:
            with session.lock:
                if session.connection is self:
                    self.forget(session)

    def in_session(self, block=True):
        """The next packet of a session that is not ALIVE."""
        while True:
            packet = self.read(block)
            if packet is None:
                return None
            if packet.type == wire.ERROR:
                if not self.bug("client-error-keeps-session"):
                    self.forget(self.session)
                raise Gone()
            if packet.type == wire.INFO:
                verb = packet.text.split("\n")[0].split(" ")[0]
                if verb == "ALIVE":
                    if self.bug("alive-answered"):
                        self.send(wire.info("COMPLETE"))
                    continue
                if verb == "END" and self.session.verb == "PUT":
                    return packet
                if self.bug("second-command-ignored"):
                    continue
                raise Refused("bad-packet", f"{verb[:40]!r} within a session (expected: END or ALIVE)")
            expected = wire.OFFSET if self.session.verb == "GET" else wire.DATA
            if packet.type != expected:
                raise Refused("bad-packet", f"{packet} in a {self.session.verb} (expected: another packet)")
            return packet

    # ------------------------------------------------------------ PUT

    def put(self, name, info):
        server = self.server
        size = self.number(info, "Size")
        asked = self.number(info, "Offset") or 0
        producer = self.choice(info, "Producer", "rewindable", ("rewindable", "stream"))
        expected = self.matching(info, "SHA-256", wire.SHA256, "64 hex digits")
        wanted = self.if_identity(info)
        session_id, session = self.named(info, "PUT", name, size)
        if name in server.live:
            raise Refused("denied", f"{name} is a live source (expected: the name of a file)")
        if self.bug("precondition-first") or session is None or session.complete is None:
            self.precondition(name, wanted)
            server.store.check_place(name)
        have = len(session.staged) if session else 0
        if asked > have and not self.bug("unknown-session-accepted"):
            raise Refused("unknown-session", f"Offset: {asked} (expected: at most the {have} bytes that are here)")
        if session is None:
            session_id = session_id or str(uuid.uuid4())
            session = Session(session_id, "PUT", name)
            session.size = size
            if self.bug("shared-staging"):
                session.staged = server.shared.setdefault(name, session.staged)
            with server.lock:
                server.sessions[session_id] = session
        self.take_over(session)
        self.session = session
        self.ready(session.id, {"Consumer": producer, "Window": WINDOW, "Keep": 3600}, MAX_DATA)
        quirky = server.options.quirky
        staged = session.staged
        if self.bug("resume-from-zero") and session.complete is None:
            staged.clear()
        acked = len(staged)
        self.send(wire.offset(acked))
        if session.complete is not None:
            self.send(wire.info("COMPLETE", session.complete))
            return
        while size is None or len(staged) < size:
            waits = (self.bug("ack-silence-only") or quirky) and acked < len(staged)
            packet = self.in_session(block=not waits)
            if packet is None:
                if select.select([self.socket, self.wake_reader], [], [], 0.02 if quirky else 0.5)[0]:
                    continue
                acked = len(staged)
                self.send(wire.offset(acked))
                continue
            with session.lock:
                if session.connection is not self and not self.bug("not-fenced"):
                    raise Refused("superseded", "a newer connection has this session (expected: one connection)")
                if packet.type == wire.INFO:
                    end = self.parse(packet.text)
                    said = self.number(end, "Size")
                    given = self.matching(end, "SHA-256", wire.SHA256, "64 hex digits")
                    if said is None:
                        raise Refused("bad-field", "END without Size (expected: Size)", True)
                    if said != len(staged) and not self.bug("end-ignored"):
                        raise Refused("bad-offset", f"END Size: {said} (expected: {len(staged)}, what came)", True)
                    if given and expected and given.lower() != expected.lower():
                        raise Refused("bad-field", f"SHA-256: {given} (expected: {expected}, the command's)", True)
                    expected = expected or given
                    break
                end = packet.end
                if packet.offset != len(staged) and not self.bug("gap-accepted") and not self.bug("shared-staging"):
                    raise Refused("bad-offset", f"DATA starts at {packet.offset} (expected: {len(staged)})")
                if size is not None and end > size:
                    raise Refused("bad-offset", f"DATA ends at {end} (expected: at most the size {size})")
                if end > acked + WINDOW:
                    raise Refused("bad-offset", f"DATA ends at {end} (expected: at most {acked + WINDOW})")
                staged += packet.data
                if self.bug("partial-visible"):
                    server.store.switch(name, bytes(staged))
                if self.bug("ack-silence-only") or quirky and len(staged) - acked < WINDOW // 2:
                    continue
                if self.bug("ack-at-half-only") and len(staged) - acked < WINDOW // 2:
                    continue
                if size is None or len(staged) < size:
                    acked = len(staged) + (1 if self.bug("ack-beyond") else 0)
                    self.send(wire.offset(acked))
        try:
            complete = self.commit(session, name, bytes(staged), expected, wanted)
        except Refused as e:
            if self.bug("failed-session-runs-pipelined"):
                following = self.read(block=False)
                if following and following.type == wire.INFO and following.text.startswith("DELETE "):
                    server.store.delete(following.text.split("\n")[0][7:])
            raise
        if acked < len(staged) and not self.bug("no-last-offset"):
            self.send(wire.offset(len(staged)))
        self.info("COMPLETE", complete)
        if self.bug("completed-forgotten"):
            self.forget(session)
        if self.bug("pipelined-dropped"):
            self.read(block=False)
            self.decoder.buffer.clear()

    def commit(self, session, name, content, expected, wanted):
        if expected and expected.lower() != sha256(content) and not self.bug("wrong-sha-ignored"):
            raise Refused("bad-field", f"SHA-256: {sha256(content)} (expected: {expected})", True)
        with self.server.store.lock:
            if not self.bug("if-identity-once"):
                self.precondition(name, wanted)
            self.server.store.switch(name, content)
            session.complete = {"Size": len(content), "Identity": identity_of(content), "SHA-256": sha256(content)}
        return session.complete

    def precondition(self, name, wanted):
        if wanted is None:
            return
        found = self.server.store.read(name)
        now = identity_of(found[0]) if found else "none"
        if wanted == now:
            return
        code = "exists" if wanted == "none" else "changed"
        raise Refused(code, f"Identity: {now} (expected: {wanted})", True)


class Sending:
    """A GET's DATA and what OFFSETs make of it."""

    def __init__(self, connection, name, content, start, window, max_data, live):
        self.connection, self.name, self.content, self.bug = connection, name, content, connection.bug
        self.last = self.sent = start
        self.window, self.max_data, self.live = window, max_data, live
        self.size = len(content)
        self.end_sent = False

    def one(self):
        room = self.max_data if self.window is None else min(self.max_data, self.last + self.window - self.sent)
        if self.bug("window-passed") and self.window:
            room = self.max_data
        content = self.content
        if self.bug("torn-in-place") and not self.live:
            content = self.connection.server.store.read(self.name)[0].ljust(self.size, b"\0")
        if self.connection.server.options.quirky and random.random() < 0.3:
            room = random.randint(1, room)
            self.connection.chat()
        piece = content[self.sent:self.sent + room]
        if piece:
            self.connection.send(wire.data(self.sent, piece))
            self.sent += len(piece)

    def run(self):
        asked = True
        while True:
            if self.live and self.sent == self.size and not self.end_sent:
                self.connection.info("END", {"Size": self.size})
                self.end_sent = True
            if self.last == self.size:
                return
            if self.window is None:
                if asked:
                    self.one()
                    if self.bug("double-data"):
                        self.one()
                    asked = False
                    continue
                packet = self.connection.in_session()
            else:
                room = self.sent < self.size and self.sent < self.last + self.window
                packet = self.connection.in_session(block=not room)
                if packet is None:
                    self.one()
                    continue
            asked = True
            self.on_offset(packet.offset)
            if self.connection.server.options.quirky and self.window and self.last < self.size \
                    and self.sent < min(self.size, self.last + self.window):
                self.one()  # it sends before it looks at the next OFFSET

    def on_offset(self, offset):
        if self.live and not self.last <= offset <= self.sent:
            if self.bug("live-seek"):
                return
            raise Refused("bad-offset", f"OFFSET({offset}) (expected: {self.last} to {self.sent}, it can't go back)")
        if offset > self.size:
            if not self.bug("beyond-size-clamped"):
                raise Refused("bad-offset", f"OFFSET({offset}) (expected: at most the size {self.size})")
            offset = self.size
        if offset == self.size and self.sent < self.size and self.bug("size-offset-needs-all-sent"):
            return
        if self.window is None:
            self.last = self.sent = offset
            return
        if offset == self.last:
            if self.bug("equal-offset-resends"):
                self.sent = offset
            return
        if offset < self.last and self.bug("seek-below-ignored"):
            return
        if offset > self.sent and self.bug("seek-beyond-clamped"):
            offset = self.sent
        if offset < self.last or offset > self.sent:
            self.sent = offset
        self.last = offset


class ServerDecoder(wire.Decoder):
    """The decoder with the framing bugs."""

    def __init__(self, max_data, bug):
        super().__init__(max_data)
        self.bug = bug

    def next(self):
        b = self.buffer
        if self.bug("backup-waits") and b and b[0] in (wire.BACKUPINFO, wire.BACKUPDATA) and len(b) < 21:
            return None
        if self.bug("length-unchecked") and len(b) >= 5 and b[0] in (wire.ERROR, wire.INFO, wire.DATA):
            if struct.unpack_from(">I", b, 1)[0] > wire.MAX_TEXT and len(b) < 1 << 20:
                return None
        if self.bug("not-utf8") and len(b) >= 5 and b[0] == wire.INFO:
            length = struct.unpack_from(">I", b, 1)[0]
            if length <= wire.MAX_TEXT and len(b) >= 5 + length:
                text = bytes(b[5:5 + length]).decode("utf-8", "replace")
                del b[:5 + length]
                return wire.Packet(wire.INFO, text=text)
        return super().next()


def rfc3339(nanos):
    moment = datetime.fromtimestamp(nanos / 1e9, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{nanos % 10**9:09d}Z"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--dir")
    parser.add_argument("--idle", type=int, default=10)
    parser.add_argument("--live", action="append", help="NAME=BYTES, a live stream of so many bytes")
    parser.add_argument("--quirky", action="store_true", help="does what the page allows and few would do")
    parser.add_argument("--bug", action="append", choices=sorted(BUGS))
    parser.add_argument("--list-bugs", action="store_true")
    options = parser.parse_args()
    if options.list_bugs:
        for name, text in BUGS.items():
            print(f"{name}: {text}")
        return 0
    if options.dir is None:
        options.dir = tempfile.mkdtemp(prefix="reference-")
    server = Server(options)
    print(f"port {server.port}", flush=True)
    try:
        server.serve()
    except KeyboardInterrupt:
        return 0
    finally:
        shutil.rmtree(server.store.staging, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
