"""A client's side of one connection: every read has a deadline, every refusal is looked at whole."""

import hashlib
import re
import select
import socket
import time

import theseus_wire as wire

TIMEOUT = 10.0
QUIET = 0.2
SKIPPED_VERBS = ("NOTICE", "ALIVE", "MODIFYING", "RESUMED")
KNOWN_VERBS = SKIPPED_VERBS + (
    "READY", "END", "MIGRATE", "RESTART", "COMPLETE", "STAT", "LIST", "DELETED")
ADDRESS = re.compile(r"(\[[0-9a-fA-F:.%]+\]|[^\s:,\[\]]+):([0-9]{1,5})\Z")


class Failed(AssertionError):
    """A check failed; the text says what came and what was expected."""


class EndOfStream(Failed):
    """The server closed."""


class Reset(EndOfStream):
    """The server reset the connection."""


class Late(Failed):
    """Nothing came within the deadline."""


def require(condition, text):
    if not condition:
        raise Failed(text)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class Conversation:
    """One connection to the node.

    `split` decides how what is sent is cut: None (as given), "bytes" (one at a time), or a number k
    (two pieces, cut behind the k-th byte that this connection sends).
    """

    def __init__(self, address, split=None, receive_buffer=None):
        self.socket = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(TIMEOUT)
        self.socket.connect(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.decoder = wire.Decoder()
        self.split = split
        self.sent = 0
        self.ended = None
        self.write_reset = False
        self.errors = []
        self.asked_max_data = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.socket.close()

    def half_close(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    # ------------------------------------------------------------ writing

    def send(self, *packets):
        """Sends packets (or any bytes); what the server sends meanwhile is read and kept."""
        raw = b"".join(packets)
        if self.split == "bytes":
            for i in range(len(raw)):
                self._write(raw[i:i + 1])
                self._pace(0.0003)
        elif isinstance(self.split, int) and self.sent < self.split < self.sent + len(raw):
            cut = self.split - self.sent
            self._write(raw[:cut])
            self._pace(0.003)
            self._write(raw[cut:])
        else:
            self._write(raw)

    def command(self, first_line, fields=(), **more):
        """Sends a command: `command("GET a", Offset=3, Max_Data=10)`."""
        pairs = list(fields.items() if isinstance(fields, dict) else fields)
        pairs += [(name.replace("_", "-"), value) for name, value in more.items()]
        self.asked_max_data = next((int(v) for n, v in pairs if n == "Max-Data" and str(v).isdigit()), None)
        self.send(wire.info(first_line, pairs))
        return self

    def _pace(self, seconds):
        """Lets the server see the piece on its own; what it sends meanwhile is kept."""
        if not self.ended and select.select([self.socket], [], [], seconds)[0]:
            self._receive()

    def _write(self, raw):
        view, deadline = memoryview(raw), time.monotonic() + TIMEOUT
        while view:
            reading = [] if self.ended else [self.socket]
            readable, writable, _ = select.select(
                reading, [self.socket], [], max(0.0, deadline - time.monotonic()))
            if readable:
                self._receive()
            if writable:
                try:
                    count = self.socket.send(view[:65536])
                except BlockingIOError:
                    continue
                except OSError as e:
                    self.write_reset = isinstance(e, ConnectionResetError)
                    return  # who fails to write reads what is there before it reports
                view = view[count:]
                self.sent += count
                deadline = time.monotonic() + TIMEOUT
            elif not readable and time.monotonic() >= deadline:
                raise Late(f"the server took no byte for {TIMEOUT:.0f} s (expected: it goes on reading)")

    # ------------------------------------------------------------ reading

    def _receive(self):
        try:
            chunk = self.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError as e:
            self.ended = Reset(f"reset by the server ({e.strerror})")
            return
        if chunk:
            self.decoder.feed(chunk)
        elif self.write_reset:  # the kernel reports a reset once, here to the writer
            self.ended = Reset("reset by the server while the client was sending")
        else:
            self.ended = EndOfStream("end of stream from the server")

    def any(self, timeout=TIMEOUT):
        """The next packet, whatever it is."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                packet = self.decoder.next()
            except wire.WireError as e:
                raise Failed(f"the server sent no packet of the page: {e}") from None
            if packet:
                if packet.type == wire.ERROR:
                    self.errors.append(packet.text)
                return packet
            if self.ended:
                if self.decoder.partial:
                    raise Failed(f"{self.ended} within a packet ({self.decoder.partial} bytes of it came)")
                raise self.ended
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not select.select([self.socket], [], [], remaining)[0]:
                raise Late(f"no packet within {timeout:g} s")
            self._receive()

    def packet(self, timeout=TIMEOUT):
        """The next packet that a client acts on: NOTICE, ALIVE, MODIFYING and unknown verbs are skipped."""
        deadline = time.monotonic() + timeout
        while True:
            packet = self.any(max(0.0, deadline - time.monotonic()))
            if packet.type == wire.INFO:
                verb = packet.text.split("\n")[0].split(" ")[0]
                if verb in SKIPPED_VERBS or verb not in KNOWN_VERBS:
                    continue
            return packet

    def quiet(self, what, seconds=QUIET):
        """Nothing may come for a moment."""
        try:
            packet = self.packet(seconds)
        except Late:
            return
        raise Failed(f"{packet} came (expected: nothing, {what})")

    def info(self, verb, timeout=TIMEOUT):
        """The next packet has to be this verb; gives its Info."""
        packet = self.packet(timeout)
        require(packet.type == wire.INFO, f"{packet} came (expected: {verb})")
        info = wire.parse_info(packet.text)
        require(info.verb == verb, f"{info.verb} came (expected: {verb}): {packet.text!r}")
        return info

    def ready(self, verb, timeout=TIMEOUT):
        """READY with all the fields that the page promises for a GET or a PUT."""
        ready = self.info("READY", timeout)
        for name in ("Session", "Max-Data", "Idle", "Module", "Node", "Nodes", "Version"):
            require(ready.get(name), f"READY without {name}: {ready.text!r}")
        require(wire.UUID.match(ready.get("Session")), f"Session: {ready.get('Session')} (expected: a uuid)")
        require("1" == ready.get("Version"), f"Version: {ready.get('Version')} (expected: 1)")
        require(ready.number("Idle") >= 10, f"Idle: {ready.get('Idle')} (expected: at least 10)")
        require(re.match(r"[^@\s]+@\S+\Z", ready.get("Module")),
                f"Module: {ready.get('Module')} (expected: name@version)")
        for address in [ready.get("Node")] + ready.get("Nodes").split(","):
            good = ADDRESS.match(address.strip())
            require(good and good.group(1) not in ("0.0.0.0", "[::]", "*"),
                    f"address {address!r} in READY (expected: host:port, never a wildcard)")
        max_data = ready.number("Max-Data")
        lowest = min(wire.MIN_MAX_DATA, self.asked_max_data or wire.MIN_MAX_DATA)
        highest = min(wire.MAX_MAX_DATA, self.asked_max_data or wire.MAX_MAX_DATA)
        require(lowest <= max_data <= highest, f"Max-Data: {max_data} (expected: {lowest} to {highest})")
        self.decoder.max_data = max_data
        if verb == "GET":
            require(ready.get("Size") == "unknown" or ready.number("Size") >= 0, "no Size in READY")
            require(ready.get("Identity"), f"READY without Identity: {ready.text!r}")
            require(ready.get("Producer") in ("rewindable", "stream"),
                    f"Producer: {ready.get('Producer')} (expected: rewindable or stream)")
        else:
            require(ready.get("Consumer") in ("rewindable", "stream"),
                    f"Consumer: {ready.get('Consumer')} (expected: rewindable or stream)")
            require(ready.number("Window") >= 1, f"Window: {ready.get('Window')} (expected: at least 1)")
            require(ready.number("Keep") >= 0, "no Keep in READY")
        return ready

    def data(self, at=None, timeout=TIMEOUT):
        packet = self.packet(timeout)
        require(packet.type == wire.DATA, f"{packet} came (expected: DATA at {at})")
        require(at is None or packet.offset == at, f"{packet} came (expected: DATA that starts at {at})")
        return packet

    def offset(self, value=None, timeout=TIMEOUT):
        packet = self.packet(timeout)
        require(packet.type == wire.OFFSET, f"{packet} came (expected: OFFSET({value}))")
        require(value is None or packet.offset == value, f"{packet} came (expected: OFFSET({value}))")
        return packet.offset

    def complete(self, content=None, timeout=TIMEOUT):
        """COMPLETE; where the content is known, its Size and SHA-256 have to fit."""
        complete = self.info("COMPLETE", timeout)
        require(complete.get("Identity"), f"COMPLETE without Identity: {complete.text!r}")
        if content is not None:
            require(complete.number("Size") == len(content),
                    f"Size of COMPLETE: {complete.get('Size')} (expected: {len(content)})")
            if complete.has("SHA-256"):
                require(complete.get("SHA-256").lower() == sha256(content),
                        f"SHA-256 of COMPLETE: {complete.get('SHA-256')} (expected: {sha256(content)})")
        return complete

    def refused(self, codes, *mentions, first=False, timeout=TIMEOUT, ends=True):
        """ERROR of one of these codes, of the shape `code: text`, naming these values, then the end.

        Without `first`, packets of a session that were under way may come before it.
        """
        codes = (codes,) if isinstance(codes, str) else codes
        deadline = time.monotonic() + timeout
        while True:
            try:
                packet = self.packet(max(0.01, deadline - time.monotonic()))
            except Late:
                raise Late(f"no ERROR within {timeout:g} s (expected: {' or '.join(codes)})") from None
            except EndOfStream as e:
                raise Failed(f"{e} (expected: ERROR {' or '.join(codes)} before it)") from None
            if packet.type == wire.ERROR:
                break
            verb = packet.text.split("\n")[0] if packet.type == wire.INFO else ""
            require(not first and verb not in ("COMPLETE", "STAT", "LIST", "DELETED"),
                    f"{packet} came (expected: ERROR {' or '.join(codes)})")
        code, colon, text = packet.text.partition(": ")
        require(colon and code in wire.ERROR_CODES and len(text.strip()) >= 3,
                f"{packet} (expected: the shape `code: what was wrong and what was expected`)")
        require(code in codes, f"{packet} (expected: code {' or '.join(codes)})")
        for mention in mentions:
            require(str(mention).lower() in text.lower(), f"{packet} (expected: it names {mention})")
        if ends:
            self.ends("after ERROR")
        return packet.text

    def ends(self, when, timeout=5.0):
        """The server ends its stream, without a reset, and sends nothing more."""
        try:
            packet = self.any(timeout)
        except Reset as e:
            raise Failed(f"{e} {when} (expected: end of stream, so that the text arrives)") from None
        except EndOfStream:
            return
        except Late:
            raise Failed(f"still open {timeout:g} s {when} (expected: end of stream)") from None
        raise Failed(f"{packet} came {when} (expected: end of stream, nothing more)")

    # ------------------------------------------------------------ whole conversations

    def push(self, ready, content, start=None, end=False, piece=None):
        """Sends a PUT's DATA within the window, from the first OFFSET on; gives COMPLETE.

        Every OFFSET has to be above or at the last and at most what was sent.
        """
        window, max_data = ready.number("Window"), ready.number("Max-Data")
        acked = sent = self.offset() if start is None else start
        ended = False
        while True:
            while sent < len(content) and sent < acked + window:
                stop = min(len(content), acked + window, sent + min(max_data, piece or max_data))
                self.send(wire.data(sent, content[sent:stop]))
                sent = stop
            if sent == len(content) and end and not ended:
                self.send(wire.info("END", {"Size": len(content)}))
                ended = True
            packet = self.packet()
            if packet.type == wire.OFFSET:
                require(acked <= packet.offset <= sent,
                        f"{packet} came (expected: {acked} to {sent}, the bytes that were sent)")
                acked = packet.offset
                continue
            require(packet.type == wire.INFO and packet.text.startswith("COMPLETE"),
                    f"{packet} came (expected: OFFSET or COMPLETE)")
            require(acked == len(content), f"COMPLETE behind OFFSET({acked}) (expected: OFFSET({len(content)}) first)")
            complete = wire.parse_info(packet.text)
            require(complete.number("Size") == len(content) and complete.get("Identity")
                    and complete.get("SHA-256", "").lower() == sha256(content),
                    f"{packet.text!r} (expected: Size {len(content)}, Identity, SHA-256 {sha256(content)})")
            return complete

    def pull(self, size, start=0, window=None, ends_by=None):
        """Reads a GET from `start` up to OFFSET(size), acknowledging every DATA; gives the bytes.

        With a window nothing may pass it; without one each OFFSET asks for one DATA.
        """
        got = bytearray()
        at = start
        while at < size:
            packet = self.data(at)
            require(window is None or packet.end <= at + window,
                    f"{packet} came (expected: at most {window} past OFFSET({at}))")
            require(packet.end <= size, f"{packet} came (expected: nothing beyond the size {size})")
            got += packet.data
            at = packet.end
            self.send(wire.offset(at), *([ends_by] if ends_by and at == size else []))
        return bytes(got)

    def fill(self, at, limit):
        """Reads the DATA from `at` on that come without a further OFFSET; gives the offset reached.

        None may end beyond `limit`, the last OFFSET and the window; what reaches it is followed by
        silence, a server that stops short of it gets a second to go on.
        """
        began = at
        while True:
            try:
                packet = self.data(at, QUIET if at >= limit else TIMEOUT if at == began else 1.0)
            except Late:
                require(at > began or at >= limit, "no DATA came (expected: up to the window)")
                return at
            require(packet.end <= limit, f"{packet} came (expected: nothing beyond {limit}, the last OFFSET and Window)")
            at = packet.end
