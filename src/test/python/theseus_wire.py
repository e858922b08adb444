"""Packets and INFO text of the packet protocol, version 1, written from its page alone.

Nothing here knows the server under test. Encoders build bytes (also wrong ones, on request);
`Decoder` is fed bytes in any split and gives whole packets.
"""

import re
import struct
from dataclasses import dataclass, field

ERROR, INFO, DATA, OFFSET, BACKUPINFO, BACKUPDATA = 1, 2, 3, 4, 5, 6
MAX_TEXT = 64 * 1024
MIN_MAX_DATA, MAX_MAX_DATA = 4 * 1024, 16 * 1024 * 1024
LIMIT = 1 << 63

ERROR_CODES = (
    "bad-packet", "bad-field", "bad-name", "bad-offset", "not-found", "exists", "denied",
    "incompatible", "changed", "busy", "unknown-session", "superseded", "no-space", "timeout",
    "version", "internal",
)
RETRYABLE_CODES = ("busy", "unknown-session", "no-space", "timeout", "internal")

IDENTITY = re.compile(r"[\x21-\x7e]{1,128}\Z")
NUMBER = re.compile(r"[0-9]{1,19}\Z")
SHA256 = re.compile(r"[0-9a-fA-F]{64}\Z")
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
MODIFIED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)\Z")


class WireError(Exception):
    """What the peer sent is not a packet of the page; `code` is the error code that fits."""

    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code = code


# ---------------------------------------------------------------- INFO text


@dataclass
class Info:
    """An INFO text: `GET a b` has verb GET and rest "a b"; fields by lower-case name, trimmed."""

    verb: str
    rest: str = ""
    fields: dict = field(default_factory=dict)
    raw: dict = field(default_factory=dict)
    body: list = field(default_factory=list)
    text: str = ""

    def get(self, name, default=None):
        return self.fields.get(name.lower(), default)

    def has(self, name):
        return name.lower() in self.fields

    def number(self, name):
        value = self.get(name)
        if value is None or not NUMBER.match(value):
            raise WireError("bad-field", f"{name} of {self.verb}: {value!r} (expected: 1 to 19 digits)")
        return int(value)


def parse_info(text):
    """Parse an INFO text; the lines behind an empty line are its body (LIST)."""
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    if not lines:
        raise WireError("bad-packet", "INFO without a verb (expected: a verb in upper case)")
    verb, _, rest = lines[0].partition(" ")
    info = Info(verb=verb, rest=rest, text=text)
    for number, line in enumerate(lines[1:], 1):
        if line == "":
            info.body = lines[number + 1:]
            break
        name, colon, value = line.partition(":")
        if not colon:
            raise WireError("bad-field", f"line without a colon: {line!r} (expected: Field: value)")
        key = name.strip(" ").lower()
        if key in info.fields:
            raise WireError("bad-field", f"{name} is given twice (expected: once)")
        info.fields[key] = value.strip(" ")
        info.raw[key] = value[1:] if value.startswith(" ") else value
    return info


def info_text(first_line, fields=(), last_lf=True):
    """`info_text("GET a", {"Offset": 3})`; None values are left out, pairs keep their order."""
    pairs = fields.items() if isinstance(fields, dict) else fields
    lines = [first_line] + [f"{name}: {value}" for name, value in pairs if value is not None]
    return "\n".join(lines) + ("\n" if last_lf else "")


def bad_name_reason(name):
    """None for a good name, else what is wrong with it."""
    raw = name.encode("utf-8", "surrogatepass")
    if not 1 <= len(raw) <= 1024:
        return f"{len(raw)} bytes (expected: 1 to 1024)"
    reason = bad_characters(name)
    if reason:
        return reason
    for part in raw.split(b"/"):
        if not 1 <= len(part) <= 255:
            return f"component of {len(part)} bytes (expected: 1 to 255)"
        if part in (b".", b".."):
            return f"component {part.decode()} (expected: neither . nor ..)"
    return None


def bad_prefix_reason(prefix):
    """None where `prefix` is any leading part of a good name (may be empty, may end in `/`)."""
    raw = prefix.encode("utf-8", "surrogatepass")
    if len(raw) > 1024:
        return f"{len(raw)} bytes (expected: 0 to 1024)"
    reason = bad_characters(prefix)
    if reason:
        return reason
    parts = raw.split(b"/")
    for part in parts[:-1]:
        if not 1 <= len(part) <= 255 or part in (b".", b".."):
            return f"component {part!r} (expected: 1 to 255 bytes, neither . nor ..)"
    if len(parts[-1]) > 255:
        return f"component of {len(parts[-1])} bytes (expected: up to 255)"
    return None


def bad_characters(name):
    for character in name:
        code = ord(character)
        if character == "\\" or code < 0x20 or 0x7F <= code <= 0x9F:
            return f"U+{code:04X} (expected: no backslash, no control character)"
    return None


# ---------------------------------------------------------------- packets


@dataclass
class Packet:
    """One packet; `text` for ERROR and INFO, `offset` for DATA and OFFSET, `data` for DATA."""

    type: int
    text: str = ""
    offset: int = 0
    data: bytes = b""

    @property
    def end(self):
        return self.offset + len(self.data)

    def __str__(self):
        if self.type == ERROR:
            return f"ERROR {self.text!r}"
        if self.type == INFO:
            return f"INFO {self.text!r}"
        if self.type == DATA:
            return f"DATA [{self.offset}, {self.end})"
        return f"OFFSET({self.offset})"


def error(text):
    return _text(ERROR, text)


def info(first_line, fields=(), last_lf=True):
    return _text(INFO, info_text(first_line, fields, last_lf))


def info_raw(text):
    """An INFO of exactly these bytes or this text."""
    return _text(INFO, text)


def _text(kind, text):
    raw = text if isinstance(text, bytes) else text.encode("utf-8")
    return struct.pack(">BI", kind, len(raw)) + raw


def data(offset, content):
    return struct.pack(">BIQ", DATA, len(content), offset) + bytes(content)


def offset(value):
    return struct.pack(">BQ", OFFSET, value)


class Decoder:
    """Takes bytes in any split, gives whole packets; refuses what the page forbids at the header.

    `max_data` is the Max-Data in force, the largest that any READY may name until one came.
    """

    def __init__(self, max_data=MAX_MAX_DATA):
        self.max_data = max_data
        self.buffer = bytearray()

    def feed(self, chunk):
        self.buffer += chunk

    @property
    def partial(self):
        return len(self.buffer)

    def next(self):
        """The next whole packet or None."""
        b = self.buffer
        if not b:
            return None
        kind = b[0]
        if kind in (BACKUPINFO, BACKUPDATA) or not ERROR <= kind <= BACKUPDATA:
            raise WireError("bad-packet", f"type: {kind:#04x} (expected: 0x01 to 0x04)")
        if kind == OFFSET:
            if len(b) < 9:
                return None
            value = struct.unpack_from(">Q", b, 1)[0]
            if value >= LIMIT:
                raise WireError("bad-packet", f"offset: {value} (expected: below 2^63)")
            del b[:9]
            return Packet(OFFSET, offset=value)
        if len(b) < 5:
            return None
        length = struct.unpack_from(">I", b, 1)[0]
        if kind == DATA:
            if not 1 <= length <= self.max_data:
                raise WireError("bad-packet", f"DATA length: {length} (expected: 1 to {self.max_data})")
            if len(b) >= 13:
                start = struct.unpack_from(">Q", b, 5)[0]
                if start >= LIMIT or start + length > LIMIT:
                    raise WireError("bad-packet", f"DATA offset: {start} (expected: below 2^63)")
            if len(b) < 13 + length:
                return None
            content = bytes(memoryview(b)[13:13 + length])
            del b[:13 + length]
            return Packet(DATA, offset=start, data=content)
        if length > MAX_TEXT:
            raise WireError("bad-packet", f"text length: {length} (expected: at most {MAX_TEXT})")
        if len(b) < 5 + length:
            return None
        raw = bytes(memoryview(b)[5:5 + length])
        del b[:5 + length]
        try:
            return Packet(kind, text=raw.decode("utf-8"))
        except UnicodeDecodeError as e:
            raise WireError("bad-packet", f"text is not UTF-8 at byte {e.start}") from None
