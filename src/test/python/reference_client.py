#!/usr/bin/env python3
"""A small client written from the page alone, to see the scripted server's scenarios played.

    python3 reference_client.py get|put --port N NAME FILE [--window BYTES] [--unknown-size] [--stream]

Exit code 0 when the file is whole, 1 with the reason on stderr. `--bug` breaks one rule on purpose.
"""

import argparse
import hashlib
import select
import socket
import sys
import time
import uuid

import theseus_wire as wire

BUGS = {
    "keeps-dropped-data": "DATA is appended wherever it starts",
    "answers-dropped-data": "DATA that is dropped is answered with OFFSET",
    "restart-ignored": "RESTART does not discard",
    "hash-not-looked-at": "SHA-256 of COMPLETE is not looked at",
    "end-ignored": "END does not fix the size",
    "new-session-at-resume": "a resume names no Session",
    "no-identity": "a resume names no Identity",
    "resumes-beyond": "a resume names an Offset beyond what it has",
    "max-data-ignored": "DATA of any length",
    "window-ignored": "DATA without regard to Window",
    "early-data": "DATA before the first OFFSET",
    "resumed-offset-ignored": "RESUMED's Offset is not looked at",
    "end-repeated": "END is sent again behind repeated DATA",
    "loss-accepted": "sends again what it was told is durable",
    "retries-final": "final errors are tried again",
    "gives-up-at-once": "retryable errors are final",
    "migrate-ignored": "goes back to the same node",
    "unknown-verb-refused": "stops at a verb that it does not know",
    "no-acknowledgement": "acknowledges only the end",
    "never-alive": "sends no ALIVE",
}


class Lost(Exception):
    """The connection ended; the session can be resumed."""


class GivenUp(Exception):
    """The transfer failed for good."""


class Link:
    """One connection."""

    def __init__(self, address, bug):
        self.bug = bug
        try:
            self.socket = socket.create_connection(address, timeout=5)
        except OSError as e:
            raise Lost(str(e)) from None
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.decoder = wire.Decoder()
        self.idle = 10.0
        self.heard = self.said = time.monotonic()

    def send(self, raw):
        try:
            self.socket.settimeout(5)
            self.socket.sendall(raw)
            self.said = time.monotonic()
        except OSError:
            pass  # reads what is there before it reports

    def read(self, wait=True):
        """The next packet, or None where there is none and `wait` is not set."""
        while True:
            try:
                packet = self.decoder.next()
            except wire.WireError as e:
                self.send(wire.error(str(e)))
                raise GivenUp(str(e)) from None
            if packet:
                self.heard = time.monotonic()
                return packet
            if not select.select([self.socket], [], [], 1.0 if wait else 0)[0]:
                if not wait:
                    return None
                now = time.monotonic()
                if now - self.heard > self.idle:
                    self.send(wire.error("timeout: silence of the server"))
                    raise Lost("silence")
                if now - self.said > self.idle / 3 and not self.bug("never-alive"):
                    self.send(wire.info("ALIVE"))
                continue
            try:
                chunk = self.socket.recv(1 << 16)
            except OSError as e:
                raise Lost(str(e)) from None
            if not chunk:
                raise Lost("end of stream")
            self.decoder.feed(chunk)


class Transfer:
    def __init__(self, options):
        self.options = options
        self.address = (options.host, options.port)
        self.session = str(uuid.uuid4())
        self.ready_seen = False
        self.first = True

    def bug(self, name):
        return self.options.bug == name

    def run(self):
        tries = 0
        while True:
            link = None
            try:
                link = Link(self.address, self.bug)
                self.attempt(link)
                return
            except Lost:
                pass
            finally:
                if link:
                    link.socket.close()
            tries += 1
            if tries > 12:
                raise GivenUp("tried 12 times")

    def named(self):
        if self.bug("new-session-at-resume") and not self.first:
            return str(uuid.uuid4())
        self.first = False
        return self.session

    def info(self, link, packet):
        """Handles what GET and PUT have in common; gives the Info otherwise."""
        if packet.type == wire.ERROR:
            code = packet.text.partition(": ")[0]
            if code in wire.RETRYABLE_CODES and not self.bug("gives-up-at-once") or self.bug("retries-final"):
                self.on_retryable(code)
                raise Lost(packet.text)
            raise GivenUp(packet.text)
        info = wire.parse_info(packet.text)
        if info.verb == "READY":
            self.session = info.get("Session")
            link.decoder.max_data = info.number("Max-Data")
            link.idle = info.number("Idle")
        elif info.verb == "MIGRATE":
            host, _, port = info.get("Node").rpartition(":")
            if not self.bug("migrate-ignored"):
                self.address = (host, int(port))
            raise Lost("MIGRATE")
        elif self.bug("unknown-verb-refused") and info.verb not in (
                "MODIFYING", "RESUMED", "NOTICE", "ALIVE", "END", "RESTART", "COMPLETE"):
            raise GivenUp(f"unknown verb {info.verb}")
        return info

    def on_retryable(self, code):
        pass

    def compare(self, complete, content):
        wanted = complete.get("SHA-256")
        if self.bug("hash-not-looked-at"):
            return
        if int(complete.get("Size")) != len(content):
            raise GivenUp(f"Size of COMPLETE: {complete.get('Size')} (expected: {len(content)})")
        if wanted and wanted.lower() != hashlib.sha256(content).hexdigest():
            raise GivenUp(f"SHA-256 of COMPLETE: {wanted} (expected: {hashlib.sha256(content).hexdigest()})")


class Getting(Transfer):
    def __init__(self, options):
        super().__init__(options)
        self.got = bytearray()
        self.identity = None

    def attempt(self, link):
        at = len(self.got) + (5 if self.bug("resumes-beyond") and self.got else 0)
        link.send(wire.info(f"GET {self.options.name}", {
            "Offset": at or None, "Window": self.options.window or None, "Session": self.named(),
            "Identity": self.identity if at and not self.bug("no-identity") else None,
            "Consumer": "stream" if self.options.stream else None}))
        size = None
        while True:
            packet = link.read()
            if packet.type == wire.DATA:
                at = len(self.got)
                if not packet.offset <= at < packet.end and not self.bug("keeps-dropped-data"):
                    if self.bug("answers-dropped-data"):
                        link.send(wire.offset(packet.end))
                    continue
                self.got += packet.data if self.bug("keeps-dropped-data") else packet.data[at - packet.offset:]
                if not self.bug("no-acknowledgement") or len(self.got) == size:
                    link.send(wire.offset(len(self.got)))
                continue
            info = self.info(link, packet)
            if info.verb == "READY":
                self.identity = info.get("Identity") if not self.got else self.identity
                size = None if info.get("Size") == "unknown" else info.number("Size")
            elif info.verb == "RESTART":
                if not self.bug("restart-ignored"):
                    self.got.clear()
                    self.identity = info.get("Identity")
                link.send(wire.offset(0))
                size = info.number("Size")
            elif info.verb == "END":
                size = info.number("Size")
            elif info.verb == "COMPLETE":
                if size is None and not self.bug("end-ignored"):
                    raise GivenUp("COMPLETE without a size")
                self.compare(info, bytes(self.got))
                with open(self.options.file, "wb") as f:
                    f.write(self.got)
                return
            if self.bug("end-ignored") and info.verb == "END":
                raise GivenUp("END is not known")


class Putting(Transfer):
    def __init__(self, options):
        super().__init__(options)
        with open(options.file, "rb") as f:
            self.content = f.read()
        self.acked = 0

    def on_retryable(self, code):
        if code == "unknown-session":  # what was sent is gone: it begins anew
            self.session, self.acked = str(uuid.uuid4()), 0

    def attempt(self, link):
        content, size = self.content, len(self.content)
        link.send(wire.info(f"PUT {self.options.name}", {
            "Size": None if self.options.unknown_size else size, "Session": self.named(),
            "Offset": (self.acked + (5 if self.bug("resumes-beyond") else 0)) or None}))
        sent, ended, window, max_data, told = None, not self.options.unknown_size, 0, 0, self.acked
        while True:
            while sent is not None and sent < size and (sent < told + window or self.bug("window-ignored")):
                room = size if self.bug("window-ignored") else told + window
                stop = min(size, room, sent + (size if self.bug("max-data-ignored") else min(max_data, window)))
                link.send(wire.data(sent, content[sent:stop]))
                sent = stop
                packet = link.read(wait=False)
                if packet:
                    break
            else:
                if sent == size and not ended:
                    link.send(wire.info("END", {"Size": size, "SHA-256": hashlib.sha256(content).hexdigest()}))
                    ended = True
                packet = link.read()
            if packet.type == wire.OFFSET:
                if packet.offset < self.acked and not self.bug("loss-accepted"):
                    link.send(wire.error("internal: the node lost acknowledged bytes"))
                    raise GivenUp(f"bytes are lost: asked for {packet.offset} though {self.acked} are durable")
                if sent is None or packet.offset > sent:
                    sent = packet.offset
                if self.bug("loss-accepted") and packet.offset < self.acked:
                    sent = packet.offset
                self.acked = told = packet.offset
                continue
            info = self.info(link, packet)
            if info.verb == "READY":
                window, max_data = info.number("Window"), info.number("Max-Data")
                if self.bug("early-data") and size:
                    link.send(wire.data(self.acked, content[self.acked:self.acked + min(max_data, window)]))
            elif info.verb == "RESUMED" and info.has("Offset") and sent is not None:
                again = info.number("Offset")
                if self.bug("resumed-offset-ignored"):
                    continue
                if again < self.acked and not self.bug("loss-accepted"):
                    raise GivenUp(f"bytes are lost: asked for {again} though {self.acked} are durable")
                sent = again
                if self.bug("end-repeated") and self.options.unknown_size:
                    ended = False
            elif info.verb == "COMPLETE":
                self.compare(info, content)
                return


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("verb", choices=("get", "put"))
    parser.add_argument("name")
    parser.add_argument("file")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--window", type=int, default=1 << 16, help="0: stop-and-wait")
    parser.add_argument("--unknown-size", action="store_true")
    parser.add_argument("--stream", action="store_true")
    parser.add_argument("--bug", choices=sorted(BUGS))
    options = parser.parse_args()
    try:
        (Getting if options.verb == "get" else Putting)(options).run()
    except GivenUp as e:
        print(f"failed: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
