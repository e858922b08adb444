#!/usr/bin/env python3
"""An independent client that holds a running node against the page of the packet protocol.

    python3 client_conformance.py --host 127.0.0.1 --port N [--root DIR] [--seed S] [--only NAME]

Each check is a small conversation that can be read as an example of the page. `--root` is the
directory that the node serves: files are then also planted there by hand and looked at.
"""

import argparse
import atexit
import itertools
import os
import random
import select
import shutil
import signal
import socket
import stat
import sys
import tempfile
import threading
import time
import traceback
import uuid

import theseus_wire as wire
from conversation import (
    Conversation, EndOfStream, Failed, Late, Reset, TIMEOUT, require, sha256)

CHECKS = []
KIB = 1024


class Skipped(Exception):
    """The check can't be made against this node; the text says why."""


def check(function=None, *, root=False, live=False, slow=False, soak=False):
    """Registers a check; `slow` ones wait for Idle and run beside the others."""

    def register(f):
        f.check_name = f.__name__.replace("_", "-")
        f.needs_root, f.needs_live, f.is_slow, f.is_soak = root, live, slow, soak
        CHECKS.append(f)
        return f

    return register(function) if function else register


class Node:
    """The node under test and what a check needs around it."""

    def __init__(self, options, seed):
        self.options = options
        self.address = (options.host, options.port)
        self.root = options.root
        self.random = random.Random(seed)
        self.folder = f"conf-{os.getpid()}-{random.SystemRandom().randrange(1 << 32):08x}"
        self.numbers = itertools.count(1)

    def sibling(self, salt):
        """The same node with a random generator of its own, for a thread."""
        return Node(self.options, f"{self.options.seed}/{salt}")

    def connect(self, **how):
        return Conversation(self.address, **how)

    def name(self, label="f"):
        return f"{self.folder}/{label}-{next(self.numbers)}"

    def bytes(self, count):
        return self.random.randbytes(count)

    def outside(self):
        """A folder that the node must never reach; removed when the run ends."""
        folder = tempfile.mkdtemp(prefix="theseus-outside-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def path(self, name):
        return os.path.join(os.fsencode(self.root), name.encode())

    def put(self, name, content, **fields):
        """Stores content by a PUT with Size; gives COMPLETE."""
        with self.connect() as c:
            c.command(f"PUT {name}", Size=len(content), **fields)
            return c.push(c.ready("PUT"), content)

    def place(self, name, content):
        """A file by hand where the node's directory is known, by PUT otherwise."""
        if not self.root:
            self.put(name, content)
            return
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with tempfile.NamedTemporaryFile(delete=False, dir=os.path.dirname(path), prefix=b".place-") as f:
            f.write(content)
        os.chmod(f.name, 0o644)
        os.replace(f.name, path)

    def file(self, size, label="f"):
        """A new file of random bytes; gives its name and content."""
        name, content = self.name(label), self.bytes(size)
        self.place(name, content)
        return name, content

    def get(self, name, window=None, **fields):
        """Downloads the whole file; gives its bytes and COMPLETE."""
        with self.connect() as c:
            c.command(f"GET {name}", Window=window, **fields)
            ready = c.ready("GET")
            content = c.pull(ready.number("Size"), window=window)
            return content, c.complete(content)

    def stat(self, name):
        """STAT's Info, or None where there is no such file."""
        with self.connect() as c:
            c.command(f"STAT {name}")
            packet = c.packet()
            if packet.type == wire.ERROR and packet.text.startswith("not-found: "):
                return None
            require(packet.type == wire.INFO, f"{packet} came (expected: STAT)")
            return wire.parse_info(packet.text)

    def list(self, prefix, **fields):
        """All pages' entries as (size, modified, identity, name)."""
        entries, after = [], None
        with self.connect() as c:
            while True:
                c.command(f"LIST {prefix}", After=after, **fields)
                answer = c.info("LIST")
                page = list_entries(answer)
                entries += page
                if answer.get("More") == "no":
                    return entries
                require(page, "More: yes without a name (expected: a page that goes on)")
                after = page[-1][3]

    def absent(self, name):
        """Nothing of the file may be visible under its name."""
        require(self.stat(name) is None, f"STAT {name} finds it (expected: not-found)")
        require(not [e for e in self.list(name) if e[3] == name], f"LIST shows {name} (expected: nothing)")
        if self.root:
            require(not os.path.lexists(self.path(name)), f"{name} lies in the directory (expected: nothing)")

    def holds(self, name, content):
        """The name shows exactly this content."""
        got, _ = self.get(name, window=1 << 20)
        require(got == content, f"{name} has {len(got)} bytes with SHA-256 {sha256(got)} "
                                f"(expected: {len(content)} with {sha256(content)})")
        if self.root:
            with open(self.path(name), "rb") as f:
                require(f.read() == content, f"{name} in the directory differs from what GET gives")


def list_entries(answer):
    require(answer.get("More") in ("yes", "no"), f"More: {answer.get('More')} (expected: yes or no)")
    entries = []
    for line in answer.body:
        parts = line.split(" ", 3)
        require(len(parts) == 4, f"line {line!r} of LIST (expected: size modified identity name)")
        size, modified, identity, name = parts
        if identity == "-":
            require((size, modified) == ("unknown", "-"), f"{line!r} (expected: unknown - - name)")
        else:
            require(wire.NUMBER.match(size), f"size {size!r} in LIST (expected: digits)")
            require(wire.MODIFIED.match(modified), f"modified {modified!r} (expected: RFC 3339 with T)")
            require(wire.IDENTITY.match(identity) and identity != "none", f"identity {identity!r} in LIST")
        require(wire.bad_name_reason(name) is None, f"name {name!r} in LIST: {wire.bad_name_reason(name)}")
        entries.append((size, modified, identity, name))
    names = [e[3].encode() for e in entries]
    require(names == sorted(set(names)), f"names of LIST {names} (expected: byte order, each once)")
    return entries


def new_session():
    return str(uuid.UUID(int=random.SystemRandom().getrandbits(128), version=4))


def refuse(node, first_line, codes, *mentions, fields=(), **more):
    """A command that has to be refused before anything else comes."""
    with node.connect() as c:
        c.command(first_line, fields, **more)
        return c.refused(codes, *mentions, first=True)


def refuse_bytes(node, raw, codes, *mentions):
    """Bytes at the beginning of a connection that have to be refused."""
    with node.connect() as c:
        c.send(raw)
        return c.refused(codes, *mentions, first=True)


def all_named(failures):
    require(not failures, "; ".join(failures[:6]) + (f"; and {len(failures) - 6} more" if len(failures) > 6 else ""))


class Collected:
    """Collects the failures of many small cases of one check."""

    def __init__(self):
        self.failures = []

    def case(self, label):
        return _Case(self, label)

    def done(self):
        all_named(self.failures)


class _Case:
    def __init__(self, owner, label):
        self.owner, self.label = owner, label

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        if kind and issubclass(kind, Failed):
            self.owner.failures.append(f"[{self.label}] {error}")
            return True
        return False


# ================================================================ commands, answers, fields


@check
def put_then_get_gives_the_same_bytes(node):
    for size in (1, 2, 4095, 4096, 4097, 100_000):
        name, content = node.name(), node.bytes(size)
        complete = node.put(name, content)
        got, got_complete = node.get(name)
        require(got == content, f"{size} bytes came back different")
        require(got_complete.get("Identity") == complete.get("Identity"),
                f"Identity of the GET: {got_complete.get('Identity')} (expected: {complete.get('Identity')})")
        node.holds(name, content)


@check
def ready_of_get_names_size_identity_and_window(node):
    name, content = node.file(5000)
    identity = node.stat(name).get("Identity")
    with node.connect() as c:
        ready = c.command(f"GET {name}").ready("GET")
        require(ready.get("Size") == "5000", f"Size: {ready.get('Size')} (expected: 5000)")
        require(ready.get("Identity") == identity, f"Identity: {ready.get('Identity')} (expected: {identity})")
        require(ready.get("Producer") == "rewindable", f"Producer: {ready.get('Producer')} (expected: rewindable)")
        require(not ready.has("Window"), "Window in READY where none was asked")
    with node.connect() as c:
        ready = c.command(f"GET {name}", Window=3000, Session=new_session()).ready("GET")
        require(1 <= ready.number("Window") <= 3000, f"Window: {ready.get('Window')} (expected: 1 to 3000)")
    session = new_session()
    with node.connect() as c:
        ready = c.command(f"GET {name}", Session=session).ready("GET")
        require(ready.get("Session").lower() == session, f"Session: {ready.get('Session')} (expected: {session})")


@check
def ready_of_put_names_consumer_window_and_keep(node):
    for producer in (None, "rewindable", "stream"):
        session = new_session()
        with node.connect() as c:
            c.command(f"PUT {node.name()}", Size=3, Producer=producer, Session=session)
            ready = c.ready("PUT")
            require(ready.get("Consumer") == (producer or "rewindable"),
                    f"Consumer: {ready.get('Consumer')} (expected: the client's kind, {producer or 'rewindable'})")
            require(ready.get("Session").lower() == session, f"Session: {ready.get('Session')} (expected: {session})")
            c.push(ready, b"abc")


@check
def stat_names_size_identity_and_modified(node):
    name, content = node.file(777)
    info = node.stat(name)
    require(info.get("Size") == "777", f"Size: {info.get('Size')} (expected: 777)")
    require(wire.IDENTITY.match(info.get("Identity", "")) and info.get("Identity") != "none",
            f"Identity: {info.get('Identity')} (expected: 1 to 128 visible ASCII characters)")
    require(wire.MODIFIED.match(info.get("Modified", "")), f"Modified: {info.get('Modified')} (expected: RFC 3339)")
    if info.has("SHA-256"):
        require(info.get("SHA-256").lower() == sha256(content), f"SHA-256: {info.get('SHA-256')}")
    put = node.name()
    complete = node.put(put, content)
    info = node.stat(put)
    require(info.get("Identity") == complete.get("Identity"),
            f"Identity of STAT: {info.get('Identity')} (expected: COMPLETE's {complete.get('Identity')})")


@check
def equal_identity_means_equal_bytes(node):
    name, seen = node.name(), {}
    for _ in range(6):
        content = node.bytes(10)  # equal length, within one second
        node.place(name, content)
        identity = node.stat(name).get("Identity")
        require(seen.setdefault(identity, content) == content, f"Identity {identity} names two contents")
    for _ in range(4):
        content = node.bytes(10)
        identity = node.put(name, content).get("Identity")
        require(seen.setdefault(identity, content) == content, f"Identity {identity} names two contents")


@check
def missing_files_are_not_found(node):
    name = node.name("missing")
    cases = Collected()
    for verb in ("GET", "STAT", "DELETE"):
        with cases.case(verb):
            refuse(node, f"{verb} {name}", "not-found")
    with cases.case("folder"):
        deep, _ = node.name("folder") + "/deep", None
        node.place(deep, b"x")
        refuse(node, f"GET {os.path.dirname(deep)}", ("not-found", "exists", "denied"))
        refuse(node, f"GET {deep}/below", ("not-found", "exists", "denied"))
    cases.done()


@check
def delete_removes_and_names_the_identity(node):
    name, content = node.file(100)
    identity = node.stat(name).get("Identity")
    with node.connect() as c:
        deleted = c.command(f"DELETE {name}").info("DELETED")
        require(deleted.get("Identity") == identity, f"Identity: {deleted.get('Identity')} (expected: {identity})")
        c.command(f"STAT {name}").refused("not-found", first=True)
    node.absent(name)
    node.put(name, b"again")
    node.holds(name, b"again")


@check
def delete_looks_at_if_identity(node):
    name, content = node.file(100)
    identity = node.stat(name).get("Identity")
    refuse(node, f"DELETE {name}", "changed", If_Identity="other-" + identity[:40])
    refuse(node, f"DELETE {name}", "bad-field", "If-Identity", If_Identity="none")
    node.holds(name, content)
    with node.connect() as c:
        c.command(f"DELETE {name}", If_Identity=identity).info("DELETED")
    refuse(node, f"DELETE {name}", ("not-found", "changed"), If_Identity=identity)


@check
def a_running_get_survives_delete_or_gets_changed(node):
    name, content = node.file(20_000)
    with node.connect() as c:
        c.command(f"GET {name}", Max_Data=1000).ready("GET")
        first = c.data(0)
        with node.connect() as other:
            other.command(f"DELETE {name}").info("DELETED")
        c.send(wire.offset(first.end))
        try:
            got = first.data + c.pull(len(content), first.end)
            require(got == content, "the running GET gave other bytes behind the DELETE")
            c.complete(content)
        except Failed as e:
            if not c.errors or not c.errors[-1].startswith("changed: ") or "ERROR" not in str(e):
                raise


@check
def sessions_that_the_server_names_are_all_different(node):
    name, _ = node.file(10)
    seen = set()
    for i in range(10):
        with node.connect() as c:
            c.command(f"GET {name}" if i % 2 else f"PUT {node.name()}", Size=None if i % 2 else 3)
            session = c.ready("GET" if i % 2 else "PUT").get("Session").lower()
            require(session not in seen, f"Session {session} is given twice")
            seen.add(session)


@check
def a_migrate_port_is_taken(node):
    name, content = node.file(10)
    with node.connect() as c:
        c.command(f"GET {name}", Migrate_Port=65535).ready("GET")
        require(c.pull(10) == content, "other bytes")
        c.complete(content)
        c.command(f"PUT {name}", Migrate_Port=1, Size=1)
        c.push(c.ready("PUT"), b"x")


# ================================================================ INFO text


@check
def field_names_are_case_insensitive(node):
    name, content = node.file(300)
    for label in ("offset", "OFFSET", "oFfSeT"):
        with node.connect() as c:
            c.command(f"GET {name}", {label: 290}).ready("GET")
            c.data(290)


@check
def values_are_trimmed_of_spaces(node):
    name, content = node.file(300)
    for line in ("Offset:290", "Offset:   290", "Offset: 290   ", "Offset:  290 "):
        with node.connect() as c:
            c.send(wire.info_raw(f"GET {name}\n{line}\n"))
            c.ready("GET")
            c.data(290)


@check
def unknown_fields_are_ignored(node):
    name, content = node.file(300)
    with node.connect() as c:
        c.command(f"GET {name}", [("X-Other", "1"), ("Offset", 290), ("X-Other", "2"), ("X-Empty", ""),
                                  ("X-Text", "größe: 1:2")])
        c.ready("GET")
        c.data(290)
    for command in (f"STAT {name}", f"LIST {name}"):
        with node.connect() as c:
            c.command(command, {"X-Other": "1"}).info(command.split()[0])
    node.put(node.name(), b"abc", X_Other=1)
    with node.connect() as c:
        c.command(f"DELETE {name}", {"X-Other": "1"}).info("DELETED")


@check
def a_known_field_given_twice_is_refused(node):
    name, _ = node.file(30)
    cases = Collected()
    for command, field, value in (
            (f"GET {name}", "Offset", 3), (f"GET {name}", "Window", 3), (f"GET {name}", "Session", new_session()),
            (f"PUT {node.name()}", "Size", 3), (f"PUT {node.name()}", "If-Identity", "none"),
            (f"STAT {name}", "Version", 1), (f"LIST {name}", "After", "a"), (f"DELETE {name}", "If-Identity", "x")):
        for second in (field, field.upper()):
            with cases.case(f"{command.split()[0]} {second}"):
                refuse(node, command, "bad-field", field, fields=[(field, value), (second, value)])
    cases.done()
    require(node.stat(name), "the refused DELETE took the file away")


@check
def a_line_without_a_colon_is_refused(node):
    name, _ = node.file(30)
    cases = Collected()
    for verb in ("GET", "STAT", "LIST", "DELETE", "PUT"):
        with cases.case(verb):
            refuse_bytes(node, wire.info_raw(f"{verb} {name}\nOffset 3\n"), "bad-field", "Offset 3")
    cases.done()
    require(node.stat(name), "the refused DELETE took the file away")


@check
def the_last_line_feed_may_be_missing(node):
    name, content = node.file(300)
    with node.connect() as c:
        c.send(wire.info_raw(f"STAT {name}"))
        c.info("STAT")
        c.send(wire.info_raw(f"GET {name}\nOffset: 299"))
        c.ready("GET")
        c.data(299)
        c.send(wire.offset(300))
        c.complete(content)
        c.send(wire.info_raw(f"LIST {name}"))
        require(len(list_entries(c.info("LIST"))) == 1, "LIST gives not the one name")
        put = node.name()
        c.send(wire.info_raw(f"PUT {put}"))
        c.ready("PUT")
        c.offset(0)
        c.send(wire.data(0, b"abc"), wire.info_raw("END\nSize: 3"))
        while c.offset() < 3:
            pass
        c.complete(b"abc")
        c.send(wire.info_raw(f"DELETE {name}"))
        c.info("DELETED")


@check
def info_of_64_kib_is_taken_and_one_byte_more_refused(node):
    name, content = node.file(30)
    text = f"GET {name}\nX-Long: "
    full = text + "x" * (wire.MAX_TEXT - len(text))
    with node.connect() as c:
        c.send(wire.info_raw(full))
        c.ready("GET")
        c.data(0)
    refuse_bytes(node, wire.info_raw(full + "x"), "bad-packet", wire.MAX_TEXT + 1)


BAD_NUMBERS = ("", "-1", "+1", "1.5", "0x10", "1 2", "1e3", "ten", "1_000", "\u0663", "00000000000000000001",
               "18446744073709551616")


@check
def bad_values_are_refused_and_named(node):
    name, _ = node.file(30)
    cases = Collected()

    def bad(verb, target, field, value, codes="bad-field", **more):
        with cases.case(f"{verb} {field}: {value}"):
            refuse(node, f"{verb} {target}", codes, field, fields={field: value, **more})

    for value in BAD_NUMBERS:
        bad("GET", name, "Offset", value)
        bad("PUT", node.name(), "Size", value)
    for field in ("Window", "Max-Data"):
        for value in ("0",) + BAD_NUMBERS[:4]:
            bad("GET", name, field, value)
    for verb in ("GET", "PUT"):
        bad(verb, name, "Session", "no-uuid")
        bad(verb, name, "Session", "")
        bad(verb, name, "Migrate-Port", "port")
    bad("PUT", node.name(), "Offset", "-1", Session=new_session())
    bad("GET", name, "Consumer", "tape")
    bad("PUT", node.name(), "Producer", "tape")
    for value in ("", "abc", "0" * 63, "0" * 65, "g" * 64):
        bad("PUT", node.name(), "SHA-256", value)
    for value in ("", "x" * 129, "a b", "ä"):
        bad("PUT", node.name(), "If-Identity", value)
        bad("GET", name, "Identity", value, Offset=3, Session=new_session())
    bad("GET", name, "Identity", "none", Offset=3, Session=new_session())
    for verb in ("GET", "PUT", "STAT", "LIST", "DELETE"):
        bad(verb, name, "Version", "one")
    # 19 digits, but not below 2^63
    with cases.case("2^63"):
        refuse(node, f"GET {name}", ("bad-field", "bad-offset"), str(1 << 63), Offset=1 << 63)
        refuse(node, f"PUT {node.name()}", "bad-field", str(1 << 63), Size=1 << 63)
    cases.done()
    require(node.stat(name), f"a refused command took {name} away")


@check
def the_largest_numbers_are_numbers(node):
    name, content = node.file(30)
    with node.connect() as c:
        c.command(f"GET {name}", Window=(1 << 63) - 1, Max_Data=(1 << 63) - 1, Offset="0000000000000000007")
        require(c.ready("GET").number("Window") >= 1, "no window")
        require(c.data(7).data, "no data")
    refuse(node, f"GET {name}", "bad-offset", (1 << 63) - 1, 30, Offset=(1 << 63) - 1)
    with node.connect() as c:  # room for so much need not be there, but it is a number
        c.command(f"PUT {node.name()}", Size=(1 << 63) - 1)
        packet = c.packet()
        require(packet.type == wire.INFO or packet.text.startswith(("no-space: ", "denied: ")),
                f"{packet} (expected: READY, no-space or denied)")


@check
def a_version_other_than_1_is_refused_naming_1(node):
    name, content = node.file(30)
    cases = Collected()
    for verb in ("GET", "PUT", "STAT", "LIST", "DELETE"):
        for version in (0, 2, 99):
            with cases.case(f"{verb} {version}"):
                text = refuse(node, f"{verb} {name}", "version", Version=version)
                require("1" in text, f"{text!r} (expected: it names version 1)")
    cases.done()
    with node.connect() as c:
        c.command(f"STAT {name}", Version=1).info("STAT")
        c.command(f"LIST {name}", Version=1).info("LIST")
        c.command(f"GET {name}", Version=1).ready("GET")
        c.send(wire.offset(c.data(0).end))
        c.complete(content)
        c.command(f"PUT {name}", Version=1, Size=1)
        c.push(c.ready("PUT"), b"x")
        c.command(f"DELETE {name}", Version=1).info("DELETED")


# ================================================================ framing


@check
def unknown_packet_types_are_refused_on_the_type_byte(node):
    cases = Collected()
    for kind in (0x00, 0x05, 0x06, 0x07, 0x08, 0x16, 0x47, 0x7F, 0x80, 0xFF):
        with cases.case(f"first byte {kind:#04x}"):
            refuse_bytes(node, bytes([kind]), "bad-packet")
    name, _ = node.file(5000)
    for kind in (0x05, 0x06, 0x09):
        with cases.case(f"in a GET {kind:#04x}"), node.connect() as c:
            c.command(f"GET {name}").ready("GET")
            c.send(bytes([kind]))
            c.refused("bad-packet")
        with cases.case(f"in a PUT {kind:#04x}"), node.connect() as c:
            c.command(f"PUT {node.name()}", Size=10).ready("PUT")
            c.send(bytes([kind]))
            c.refused("bad-packet")
    cases.done()


@check
def bad_lengths_are_refused_at_the_header(node):
    cases = Collected()
    lengths = (wire.MAX_TEXT + 1, 1 << 24, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)
    for kind in (wire.ERROR, wire.INFO):
        for length in lengths:
            with cases.case(f"type {kind} length {length}"):
                refuse_bytes(node, bytes([kind]) + length.to_bytes(4, "big"), "bad-packet", length)
    with cases.case("INFO length 0"):
        refuse_bytes(node, wire.info_raw(""), "bad-packet")
    for length in (0, None, 1 << 31, (1 << 32) - 1):
        with cases.case(f"DATA length {length}"), node.connect() as c:
            ready = c.command(f"PUT {node.name()}").ready("PUT")
            c.offset(0)
            value = ready.number("Max-Data") + 1 if length is None else length
            c.send(bytes([wire.DATA]) + value.to_bytes(4, "big") + bytes(8))
            c.refused("bad-packet", value)
    cases.done()


@check
def text_that_is_not_utf_8_is_refused(node):
    cases = Collected()
    for raw in (b"\xff", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\x80b", b"\xe2\x82"):
        with cases.case(repr(raw)):
            refuse_bytes(node, wire.info_raw(b"STAT " + raw + b"\n"), ("bad-packet", "bad-name"))
            refuse_bytes(node, wire.info_raw(b"STAT a\nX-Y: " + raw + b"\n"), "bad-packet")
    cases.done()


@check
def offsets_from_2_63_on_are_refused(node):
    name, _ = node.file(500)
    cases = Collected()
    for value in (1 << 63, (1 << 64) - 1):
        with cases.case(f"OFFSET({value})"), node.connect() as c:
            c.command(f"GET {name}").ready("GET")
            c.data(0)
            c.send(wire.offset(value))
            c.refused(("bad-packet", "bad-offset"))
        with cases.case(f"DATA at {value}"), node.connect() as c:
            c.command(f"PUT {node.name()}", Size=500).ready("PUT")
            c.offset(0)
            c.send(wire.data(value, b"abc"))
            c.refused(("bad-packet", "bad-offset"))
    cases.done()


@check
def unknown_verbs_and_packets_out_of_place_are_bad_packet(node):
    cases = Collected()
    for text in ("FETCH a", "get a", "Get a", "READY", "COMPLETE", "RESTART", "GETa", " GET a", "\nGET a", "MIGRATE"):
        with cases.case(text):
            refuse_bytes(node, wire.info_raw(text + "\n"), ("bad-packet", "bad-field"))
    with cases.case("DATA between sessions"), node.connect() as c:
        c.command("LIST").info("LIST")
        c.send(wire.data(0, b"abc"))
        c.refused("bad-packet", first=True)
    name, _ = node.file(5000)
    with cases.case("DATA in a GET"), node.connect() as c:
        c.command(f"GET {name}").ready("GET")
        c.send(wire.data(0, b"abc"))
        c.refused("bad-packet")
    with cases.case("OFFSET in a PUT"), node.connect() as c:
        c.command(f"PUT {node.name()}", Size=5).ready("PUT")
        c.offset(0)
        c.send(wire.offset(0))
        c.refused("bad-packet")
    with cases.case("END in a GET"), node.connect() as c:
        c.command(f"GET {name}").ready("GET")
        c.send(wire.info("END", {"Size": 5000}))
        c.refused(("bad-packet", "bad-offset"))
    with cases.case("unknown verb in a GET"), node.connect() as c:
        c.command(f"GET {name}").ready("GET")
        c.send(wire.info("HELLO"))
        c.refused("bad-packet")
    cases.done()


@check
def a_second_command_within_a_session_is_refused(node):
    name, content = node.file(5000)
    cases = Collected()
    for command in (f"STAT {name}", f"GET {name}", f"PUT {node.name()}", "LIST", f"DELETE {name}"):
        with cases.case(f"{command} in a GET"), node.connect() as c:
            c.command(f"GET {name}", Max_Data=100).ready("GET")
            c.data(0)
            c.command(command)
            c.refused("bad-packet")
        with cases.case(f"{command} in a windowed GET"), node.connect() as c:
            c.command(f"GET {name}", Max_Data=100, Window=1000).ready("GET")
            c.data(0)
            c.command(command)
            c.refused("bad-packet")
        with cases.case(f"{command} in a PUT"), node.connect() as c:
            c.command(f"PUT {node.name()}", Size=10).ready("PUT")
            c.offset(0)
            c.send(wire.data(0, b"abc"))
            c.command(command)
            c.refused("bad-packet")
    cases.done()
    node.holds(name, content)


@check
def after_error_the_text_arrives_while_the_client_keeps_sending(node):
    name, _ = node.file(50)
    flood = wire.data(0, bytes(4000)) * 50
    cases = Collected()
    for label, first, codes in (
            ("before READY", wire.info(f"GET {name}", {"Offset": "x"}), "bad-field"),
            ("unknown type", b"\x77", "bad-packet"),
            ("not found", wire.info(f"GET {node.name('missing')}"), "not-found"),
            ("in a session", wire.info(f"GET {name}") + wire.offset(51), "bad-offset")):
        with cases.case(label), node.connect() as c:
            c.send(first)
            for _ in range(20):
                c.send(flood)
                if c.ended:
                    break
            c.refused(codes)
    cases.done()


@check
def error_before_ready_leaves_the_session_untouched(node):
    name, content, session = node.name(), node.bytes(3000), new_session()
    with node.connect() as c:
        c.command(f"PUT {name}", Size=3000, Session=session).ready("PUT")
        c.offset(0)
        c.send(wire.data(0, content[:1000]))
        while c.offset() < 1000:
            pass
        cases = Collected()
        for label, line, fields, codes in (
                ("name", f"PUT {node.name()}", {"Size": 3000}, "bad-field"),
                ("verb", f"GET {name}", {}, "bad-field"),
                ("size", f"PUT {name}", {"Size": 2999}, "bad-field"),
                ("value", f"PUT {name}", {"Size": 3000, "Producer": "tape"}, "bad-field"),
                ("version", f"PUT {name}", {"Size": 3000, "Version": 7}, "version"),
                ("offset", f"PUT {name}", {"Size": 3000, "Offset": 2000}, "unknown-session")):
            with cases.case(label):
                refuse(node, line, codes, fields={**fields, "Session": session})
        cases.done()
        c.send(wire.data(1000, content[1000:]))  # this connection still has the session
        while c.offset() < 3000:
            pass
        c.complete(content)
    node.holds(name, content)


# ================================================================ GET, stop-and-wait


@check
def stop_and_wait_asks_for_one_data_each(node):
    name, content = node.file(10_000)
    with node.connect() as c:
        c.command(f"GET {name}", Max_Data=999).ready("GET")
        packet = c.data(0)
        c.quiet("one DATA until OFFSET asks for the next")
        got = packet.data
        for _ in range(3):
            c.send(wire.offset(len(got)))
            got += c.data(len(got)).data
            c.quiet("one DATA until OFFSET asks for the next")
        c.send(wire.offset(len(got)))
        got += c.pull(len(content), len(got))
        require(got == content, "the bytes differ")
        c.complete(content)
        c.quiet("nothing unsolicited comes after COMPLETE")


@check
def stop_and_wait_starts_at_any_offset(node):
    name, content = node.file(10_000)
    with node.connect() as c:
        c.command(f"GET {name}", Max_Data=500).ready("GET")
        c.data(0)
        for at in (0, 1, 0, 7777, 9999, 3, 3, 3, 5000, 4999, 9998, 250):
            c.send(wire.offset(at))
            packet = c.data(at)
            require(packet.data == content[at:packet.end] and len(packet.data) <= 500,
                    f"{packet} has other bytes or more than Max-Data 500")
        c.quiet("every OFFSET asked for exactly one DATA")
        offsets = [10, 9000, 0, 9999, 10, 10]  # asked all at once
        c.send(*(wire.offset(at) for at in offsets))
        for at in offsets:
            packet = c.data(at)
            require(packet.data == content[at:packet.end], f"{packet} has other bytes")
        c.quiet("six OFFSETs asked for six DATA")
        c.send(wire.offset(10_000))
        c.complete(content)


@check
def stop_and_wait_may_end_without_having_read_all(node):
    name, content = node.file(10_000)
    with node.connect() as c:
        c.command(f"GET {name}", Max_Data=500).ready("GET")
        c.data(0)
        c.send(wire.offset(10_000))
        c.complete(content)
        c.command(f"STAT {name}").info("STAT")


@check
def get_from_an_offset(node):
    name, content = node.file(9000)
    for at in (1, 4096, 8999):
        for window in (None, 3000):
            with node.connect() as c:
                c.command(f"GET {name}", Offset=at, Window=window, Max_Data=1000)
                ready = c.ready("GET")
                require(ready.number("Size") == 9000, f"Size: {ready.get('Size')} (expected: the whole file's 9000)")
                require(c.pull(9000, at, window) == content[at:], f"other bytes from {at} on")
                c.complete(content)


@check
def offset_equal_to_the_size_completes_at_once(node):
    name, content = node.file(900)
    for window in (None, 100):
        with node.connect() as c:
            c.command(f"GET {name}", Offset=900, Window=window).ready("GET")
            c.complete(content)
            c.command(f"STAT {name}").info("STAT")


@check
def an_empty_file_completes_at_once(node):
    name, _ = node.file(0)
    for window in (None, 100):
        with node.connect() as c:
            ready = c.command(f"GET {name}", Window=window).ready("GET")
            require(ready.get("Size") == "0", f"Size: {ready.get('Size')} (expected: 0)")
            c.complete(b"")
            c.command(f"STAT {name}")
            require(c.info("STAT").get("Size") == "0", "Size of STAT (expected: 0)")


@check
def an_offset_beyond_the_size_is_refused_naming_both(node):
    name, _ = node.file(900)
    cases = Collected()
    for window in (None, 100):
        with cases.case(f"Offset, window {window}"), node.connect() as c:
            c.command(f"GET {name}", Offset=901, Window=window)
            c.refused("bad-offset", 901, 900)
        with cases.case(f"OFFSET, window {window}"), node.connect() as c:
            c.command(f"GET {name}", Window=window).ready("GET")
            c.send(wire.offset(901))
            c.refused("bad-offset", 901, 900)
        with cases.case(f"OFFSET after DATA, window {window}"), node.connect() as c:
            c.command(f"GET {name}", Window=window, Max_Data=100).ready("GET")
            c.data(0)
            c.send(wire.offset((1 << 63) - 1))
            c.refused("bad-offset", (1 << 63) - 1, 900)
    empty, _ = node.file(0)
    with cases.case("empty file"), node.connect() as c:
        c.command(f"GET {empty}", Offset=1)
        c.refused("bad-offset", 1, 0)
    cases.done()


@check
def max_data_lowers_only(node):
    name, content = node.file(40_000)
    with node.connect() as c:
        own = c.command(f"GET {name}").ready("GET").number("Max-Data")
    cases = Collected()
    for asked in (1, 7, 4095, 4096, own, own + 1, 1 << 40):
        with cases.case(f"Max-Data: {asked}"), node.connect() as c:
            c.command(f"GET {name}", Max_Data=asked, Offset=39_980)
            ready = c.ready("GET")
            require(ready.number("Max-Data") == min(asked, own),
                    f"Max-Data: {ready.get('Max-Data')} (expected: {min(asked, own)})")
            require(c.pull(40_000, 39_980) == content[39_980:], "other bytes")
            c.complete(content)
    cases.done()
    with node.connect() as c:  # it lowers it for this session, not for the next on the connection
        c.command(f"GET {name}", Max_Data=1, Offset=39_999).ready("GET")
        c.pull(40_000, 39_999)
        c.complete(content)
        require(c.command(f"GET {name}").ready("GET").number("Max-Data") == own, "Max-Data stayed lowered")


# ================================================================ GET with a window


@check
def the_window_is_never_passed(node):
    name, content = node.file(50_000)
    cases = Collected()
    for window, max_data in ((1, 1000), (999, 100), (1000, 1000), (1000, 4096), (4000, 1000), (12_345, 4096)):
        with cases.case(f"window {window}, Max-Data {max_data}"), node.connect() as c:
            ready = c.command(f"GET {name}", Window=window, Max_Data=max_data).ready("GET")
            inforce = ready.number("Window")
            require(inforce <= window, f"Window: {inforce} (expected: at most {window})")
            at = c.fill(0, inforce)
            require(2 * at >= inforce,
                    f"{at} in flight (expected: at least half of {inforce}, where a client acknowledges)")
            c.send(wire.offset(at))
            last, at = at, c.fill(at, at + inforce)
            if at - last > 1:
                middle = last + (at - last) // 2  # acknowledges a part of what is in flight
                c.send(wire.offset(middle))
                c.fill(at, middle + inforce)
    cases.done()


@check
def a_windowed_get_gives_all_bytes_in_order(node):
    name, content = node.file(300_000)
    for window in (1 << 10, 1 << 16, 1 << 30):
        with node.connect() as c:
            inforce = c.command(f"GET {name}", Window=window).ready("GET").number("Window")
            require(c.pull(300_000, 0, inforce) == content, "the bytes differ")
            c.complete(content)
            c.quiet("nothing comes after COMPLETE")
    with node.connect() as c:  # acknowledging only at half of the window
        inforce = c.command(f"GET {name}", Window=8192, Max_Data=1024).ready("GET").number("Window")
        at = last = 0
        while at < 300_000:
            packet = c.data(at)
            require(packet.end <= last + inforce, f"{packet} came (expected: at most {inforce} past OFFSET({last}))")
            require(packet.data == content[at:packet.end], "other bytes")
            at = packet.end
            if 2 * (at - last) >= inforce or at == 300_000:
                last = at
                c.send(wire.offset(at))
        c.complete(content)


def windowed(node, size=30_000, window=4000, **fields):
    """A windowed GET that has filled its window: conversation, content, window, offset reached."""
    name, content = node.file(size)
    c = node.connect()
    inforce = c.command(f"GET {name}", Window=window, Max_Data=1000, **fields).ready("GET").number("Window")
    start = int(fields.get("Offset", 0))
    return c, content, inforce, c.fill(start, min(size, start + inforce))


def seek(c, content, to, window, at, *through):
    """Seeks to `to` when all up to `at` has come: DATA starts exactly there, the window counts from there.

    OFFSETs that go `through` another place first may let DATA at `at` come before.
    """
    c.send(*(wire.offset(o) for o in through), wire.offset(to))
    packet = c.data()
    while through and packet.offset == at and at != to:
        require(packet.end <= max(through) + window, f"{packet} came (expected: at most {window} past {through})")
        at = packet.end
        packet = c.data()
    require(packet.offset == to, f"{packet} came (expected: DATA that starts at {to}, where it was sought)")
    require(packet.data == content[to:packet.end], f"{packet} has other bytes")
    limit = min(len(content), to + window)
    require(packet.end <= limit, f"{packet} came (expected: nothing beyond {limit})")
    return c.fill(packet.end, limit)


@check
def an_offset_equal_to_the_last_changes_nothing(node):
    c, content, window, at = windowed(node)
    with c:
        c.send(wire.offset(0))
        c.quiet("OFFSET(0) is the last one: nothing changes")
        c.send(wire.offset(1000))
        at = c.fill(at, 1000 + window)
        c.send(wire.offset(1000))
        c.quiet("OFFSET(1000) again is the last one")
        c.send(wire.offset(at))
        require(c.pull(len(content), at) == content[at:], "other bytes")
        c.complete(content)


@check
def seeks_below_the_last_offset(node):
    c, content, window, at = windowed(node)
    with c:
        c.send(wire.offset(at))
        at = c.fill(at, at + window)
        for to in (1, 0):
            at = seek(c, content, to, window, at)
        c.send(wire.offset(at))
        require(c.pull(len(content), at, None) == content[at:], "other bytes")
        c.complete(content)


@check
def seeks_beyond_what_was_sent(node):
    c, content, window, at = windowed(node)
    with c:
        for to in (at + 1, 20_000, 29_999):
            at = seek(c, content, to, window, at)
        at = seek(c, content, 25_000, window, at)
        c.send(wire.offset(at))
        require(c.pull(len(content), at) == content[at:], "other bytes")
        c.complete(content)


@check
def seeks_back_to_what_was_not_acknowledged(node):
    c, content, window, at = windowed(node)
    with c:
        for to in (0, 500, 999, 1000):
            at = seek(c, content, to, window, at, to + 1)  # OFFSET(o + 1), then OFFSET(o)
        c.send(wire.offset(at))
        require(c.pull(len(content), at) == content[at:], "other bytes")
        c.complete(content)


@check
def before_the_first_offset_the_last_is_the_offset_asked(node):
    for first, kind in ((10_000, "equal"), (9_999, "below"), (0, "below"), (20_000, "beyond"), (10_500, "ack")):
        c, content, window, at = windowed(node, Offset=10_000)
        with c:
            if kind == "equal":
                c.send(wire.offset(first))
                c.quiet("OFFSET equal to the Offset asked changes nothing")
            elif kind == "ack":
                c.send(wire.offset(first))
                at = c.fill(at, first + window)
            else:
                at = seek(c, content, first, window, at)
            c.send(wire.offset(at))
            require(c.pull(len(content), at) == content[at:], "other bytes")
            c.complete(content)


@check
def what_was_sent_exactly_is_an_acknowledgement(node):
    c, content, window, at = windowed(node)
    with c:
        c.send(wire.offset(at))  # not beyond what was sent: goes on there, repeats nothing
        require(c.pull(len(content), at) == content[at:], "other bytes")
        c.complete(content)


@check
def offset_of_the_size_ends_a_windowed_get_at_any_time(node):
    c, content, window, at = windowed(node)
    with c:
        c.send(wire.offset(len(content)))
        c.complete(content)
        c.quiet("nothing comes after COMPLETE")
        c.command("LIST nothing-like-this").info("LIST")


@check
def a_beyond_size_seek_in_a_windowed_get_is_refused(node):
    c, content, window, at = windowed(node)
    with c:
        c.send(wire.offset(len(content) + 1))
        c.refused("bad-offset", len(content) + 1, len(content))


@check
def seeks_at_random_with_data_in_flight(node):
    """What was in flight before a seek may still come; then DATA starts exactly where it was sought."""
    for _ in range(8):
        name, content = node.file(60_000)
        window = node.random.choice((700, 5000, 20_000))
        with node.connect() as c:
            window = c.command(f"GET {name}", Window=window, Max_Data=node.random.choice((100, 1000, 4096))
                               ).ready("GET").number("Window")
            high = last = at = 0
            for _ in range(30):
                for _ in range(node.random.randrange(4)):
                    try:
                        packet = c.data(at, 0.05)
                    except Late:
                        break
                    require(packet.data == content[at:packet.end], f"{packet} has other bytes")
                    at = packet.end
                # a place that is a seek whatever the server has sent by now: below the last OFFSET,
                # or further than the window reaches
                high = last + window
                places = ([node.random.randrange(last)] if last else []) + (
                    [node.random.randrange(high + 1, 60_000)] if high + 1 < 60_000 else [])
                to = node.random.choice(places)
                c.send(wire.offset(to))
                while True:
                    packet = c.data()
                    if packet.offset == to and packet.data == content[to:packet.end]:
                        break
                    require(packet.offset == at, f"{packet} came (expected: it starts at {at} or, sought, at {to})")
                    at = packet.end
                    require(at <= high, f"{packet} came (expected: at most {window} past OFFSET({last}))")
                last, at = to, packet.end
            c.send(wire.offset(60_000))
            while True:
                packet = c.packet()
                if packet.type == wire.INFO:
                    break
            require(packet.text.startswith("COMPLETE"), f"{packet} came (expected: COMPLETE)")


# ================================================================ pipelining, late packets


@check
def a_command_behind_the_last_offset_of_a_get_is_taken_up(node):
    name, content = node.file(3000)
    other, more = node.file(2000)
    for window in (None, 1500):
        with node.connect() as c:
            c.command(f"GET {name}", Window=window, Max_Data=1000).ready("GET")
            c.pull(3000, ends_by=wire.info(f"GET {other}", {"Max-Data": 700}))
            c.complete(content)
            c.asked_max_data = 700
            c.ready("GET")
            require(c.pull(2000, ends_by=wire.info(f"STAT {name}")) == more, "the second file's bytes differ")
            c.complete(more)
            require(c.info("STAT").get("Size") == "3000", "STAT of another file")
            c.command(f"LIST {name}").info("LIST")


@check
def a_command_behind_the_last_data_or_end_of_a_put_is_taken_up(node):
    with node.connect() as c:
        names = [node.name() for _ in range(4)]
        c.command(f"PUT {names[0]}", Size=5)
        for i, name in enumerate(names):
            sized = i % 2 == 0
            c.ready("PUT")
            c.offset(0)
            following = (wire.info(f"PUT {names[i + 1]}", {"Size": None if sized else 5})
                         if i + 1 < len(names) else wire.info(f"GET {names[0]}"))
            end = b"" if sized else wire.info("END", {"Size": 5, "SHA-256": sha256(b"abcd%d" % i)})
            c.send(wire.data(0, b"abcd%d" % i), end, following)
            acked = 0
            while acked < 5:
                acked = c.offset()
            c.complete(b"abcd%d" % i)
        c.ready("GET")
        require(c.pull(5) == b"abcd0", "the file that was put on this connection reads differently")
        c.complete(b"abcd0")
    for i, name in enumerate(names):
        node.holds(name, b"abcd%d" % i)


@check
def a_pipelined_command_behind_a_failed_session_counts_as_not_sent(node):
    victim, content = node.file(50)
    name = node.name()
    with node.connect() as c:
        c.command(f"PUT {name}", Size=3, SHA_256="0" * 64).ready("PUT")
        c.offset(0)
        c.send(wire.data(0, b"abc"), wire.info(f"DELETE {victim}"))
        c.refused("bad-field")
    with node.connect() as c:
        c.command(f"PUT {name}").ready("PUT")
        c.offset(0)
        c.send(wire.data(0, b"abc"), wire.info("END", {"Size": 4}), wire.info(f"DELETE {victim}"))
        c.refused("bad-offset")
    node.absent(name)
    node.holds(victim, content)


@check
def late_packets_between_sessions_are_dropped(node):
    name, content = node.file(3000)
    late = (wire.offset(3000), wire.info("ALIVE"), wire.info("END", {"Size": 3000}), wire.offset(5), wire.info("ALIVE"))
    with node.connect() as c:
        c.command(f"GET {name}", Max_Data=1000).ready("GET")
        c.pull(3000)
        c.complete(content)
        c.send(*late)
        c.quiet("late packets are dropped")
        c.command(f"STAT {name}").info("STAT")
        c.send(*late, wire.info(f"LIST {name}"))
        c.info("LIST")
        put = node.name()
        c.send(*late, wire.info(f"PUT {put}", {"Size": 4}))
        c.push(c.ready("PUT"), b"late")
        c.send(*late, wire.info(f"DELETE {put}"))
        c.info("DELETED")
        c.send(*late, wire.info(f"GET {name}"))
        c.ready("GET")
        c.data(0)


@check
def alive_is_never_answered(node):
    name, content = node.file(3000)
    with node.connect() as c:
        c.command(f"GET {name}", Max_Data=1000).ready("GET")
        c.data(0)
        c.send(wire.info("ALIVE"), wire.info("ALIVE"))
        c.quiet("ALIVE is not answered")
        c.send(wire.offset(1000))
        end = c.data(1000).end
        c.send(wire.info("ALIVE"), wire.offset(end))
        c.data(end)
    with node.connect() as c:
        put = node.name()
        c.command(f"PUT {put}", Size=6).ready("PUT")
        c.offset(0)
        c.send(wire.info("ALIVE"), wire.data(0, b"abc"), wire.info("ALIVE"), wire.data(3, b"def"), wire.info("ALIVE"))
        while c.offset() < 6:
            pass
        c.complete(b"abcdef")


@check
def many_sessions_on_one_connection(node):
    with node.connect() as c:
        for i in range(60):
            name, content = node.name(), node.bytes(node.random.choice((0, 1, 100)))
            c.command(f"PUT {name}", Size=len(content) if i % 3 else None)
            c.push(c.ready("PUT"), content, end=not i % 3)
            c.command(f"GET {name}", Window=None if i % 2 else 50).ready("GET")
            require(c.pull(len(content)) == content, "other bytes")
            c.complete(content)
            c.command(f"DELETE {name}").info("DELETED")


# ================================================================ the stream split at every byte


def split_stat_list_delete(node, how):
    name = node.name("s")
    node.put(name, b"abc")
    with node.connect(split=how) as c:
        c.command(f"STAT {name}").info("STAT")
        c.command(f"LIST {name}", After="a").info("LIST")
        c.command(f"DELETE {name}").info("DELETED")
        return c.sent


def split_get(node, how):
    name, content = node.split_file
    with node.connect(split=how) as c:
        c.command(f"GET {name}", Max_Data=40).ready("GET")
        require(c.pull(100, ends_by=wire.info(f"STAT {name}")) == content, "other bytes")
        c.complete(content)
        c.info("STAT")
        return c.sent


def split_windowed_get(node, how):
    name, content = node.split_file
    with node.connect(split=how) as c:
        c.command(f"GET {name}", Max_Data=10, Window=30).ready("GET")
        c.send(wire.info("ALIVE"))
        require(c.pull(100, 0, 30) == content, "other bytes")
        c.complete(content)
        c.send(wire.offset(100), wire.info(f"STAT {name}"))
        c.info("STAT")
        return c.sent


def split_put(node, how):
    name = node.name("s")
    with node.connect(split=how) as c:
        c.command(f"PUT {name}", Size=9).ready("PUT")
        c.offset(0)
        c.send(wire.data(0, b"abc"), wire.info("ALIVE"), wire.data(3, b"defghi"), wire.info(f"STAT {name}"))
        while c.offset() < 9:
            pass
        c.complete(b"abcdefghi")
        require(c.info("STAT").get("Size") == "9", "STAT of another file")
        return c.sent


def split_put_of_unknown_size(node, how):
    name = node.name("s")
    with node.connect(split=how) as c:
        c.command(f"PUT {name}").ready("PUT")
        c.offset(0)
        c.send(wire.data(0, b"ab"), wire.data(2, b"cd"), wire.info("END", {"Size": 4}, last_lf=False),
               wire.info(f"GET {name}"))
        while c.offset() < 4:
            pass
        c.complete(b"abcd")
        c.ready("GET")
        require(c.pull(4) == b"abcd", "other bytes")
        c.complete(b"abcd")
        return c.sent


def split_everywhere(node, conversation):
    node.split_file = node.file(100)
    total = conversation(node, None)
    conversation(node, "bytes")
    cases = Collected()
    for at in range(1, total):
        with cases.case(f"split behind byte {at} of {total}"):
            conversation(node, at)
    cases.done()


@check
def split_at_every_byte_stat_list_delete(node):
    split_everywhere(node, split_stat_list_delete)


@check
def split_at_every_byte_get(node):
    split_everywhere(node, split_get)


@check
def split_at_every_byte_windowed_get(node):
    split_everywhere(node, split_windowed_get)


@check
def split_at_every_byte_put(node):
    split_everywhere(node, split_put)


@check
def split_at_every_byte_put_of_unknown_size(node):
    split_everywhere(node, split_put_of_unknown_size)


@check
def a_close_within_a_packet_is_no_harm(node):
    """Truncated packets at every byte: the node goes on, nothing becomes visible."""
    name = node.name("cut")
    raw = wire.info(f"PUT {name}", {"Size": 6}) + wire.data(0, b"abcdef")
    for at in range(1, len(raw)):
        with node.connect() as c:
            c.send(raw[:at])
            (c.reset if at % 2 else c.close)()
    node.absent(name)
    node.put(name, b"whole")
    node.holds(name, b"whole")


# ================================================================ PUT


@check
def put_in_pieces_with_and_without_size(node):
    for size in (0, 1, 5000, 200_000):
        for sized in (True, False):
            for piece in (1 << 30, 1777):
                name, content = node.name(), node.bytes(size)
                with node.connect() as c:
                    c.command(f"PUT {name}", Size=size if sized else None)
                    c.push(c.ready("PUT"), content, end=not sized, piece=piece)
                    c.quiet("nothing comes after COMPLETE")
                node.holds(name, content)


@check
def put_of_size_0_has_one_offset(node):
    name = node.name()
    with node.connect() as c:
        c.command(f"PUT {name}", Size=0).ready("PUT")
        c.offset(0)
        c.complete(b"")
        c.command(f"STAT {name}")
        require(c.info("STAT").get("Size") == "0", "Size of STAT (expected: 0)")
    node.holds(name, b"")


@check
def the_first_offset_of_a_new_put_is_0(node):
    for size in (10, None):
        with node.connect() as c:
            c.command(f"PUT {node.name()}", Size=size).ready("PUT")
            c.offset(0)
            c.quiet("nothing comes until DATA does")


@check
def put_acknowledges_soon_without_further_data(node):
    name, content = node.name(), node.bytes(5000)
    with node.connect() as c:
        c.command(f"PUT {name}", Size=5000).ready("PUT")
        c.offset(0)
        for start, stop in ((0, 1), (1, 1000), (1000, 4999)):
            c.send(wire.data(start, content[start:stop]))
            began = time.monotonic()
            while c.offset(timeout=2) < stop:
                pass
            took = time.monotonic() - began
            require(took <= 1.5, f"OFFSET({stop}) came after {took:.2f} s (expected: 1 s at most)")
        c.send(wire.data(4999, content[4999:]))
        c.offset(5000)
        c.complete(content)


@check
def put_acknowledges_at_half_a_window(node):
    with node.connect() as c:
        ready = c.command(f"PUT {node.name()}").ready("PUT")
        c.offset(0)
        window, max_data = ready.number("Window"), ready.number("Max-Data")
        if window > 64 << 20 or window < 64:
            raise Skipped(f"Window {window} is too large or too small")
        half = (window + 1) // 2
        for at in range(0, half, max_data):
            c.send(wire.data(at, bytes(min(max_data, half - at))))
        began, at = time.monotonic(), half
        while True:  # DATA keeps coming, so only the half window makes the acknowledgement due
            try:
                require(c.offset(timeout=0.1) <= at, "OFFSET beyond what was sent")
                return
            except Late:
                require(time.monotonic() - began < 3, f"no OFFSET with {at} of Window {window} unacknowledged")
                c.send(wire.data(at, b"x"))
                at += 1


@check
def a_put_of_many_windows(node):
    with node.connect() as c:
        window = c.command(f"PUT {node.name()}", Size=1).ready("PUT").number("Window")
    if window > 16 << 20:
        raise Skipped(f"Window {window} is too large")
    name, content = node.name(), node.bytes(3 * window + 17)
    node.put(name, content)
    got, _ = node.get(name, window=1 << 20)
    require(got == content, "the bytes differ")


def failing_put(node, codes, *mentions, size=10, sends=(), keeps, **fields):
    """A PUT that ends with ERROR; nothing becomes visible; the session is kept or ended."""
    name, session = node.name("bad"), new_session()
    with node.connect() as c:
        c.command(f"PUT {name}", Size=size, Session=session, **fields).ready("PUT")
        c.offset(0)
        c.send(*sends)
        c.refused(codes, *mentions)
    node.absent(name)
    if keeps is None:
        return
    with node.connect() as c:
        c.command(f"PUT {name}", Size=size, Session=session, Offset=0, **fields).ready("PUT")
        at = c.offset()
        if not keeps:
            require(at == 0, f"OFFSET({at}) of a session that was ended (expected: it starts anew at 0)")
    node.absent(name)


@check
def put_gap_overlap_and_beyond_size_are_refused(node):
    d = wire.data
    cases = Collected()
    for label, sends, mentions in (
            ("gap", (d(0, b"abc"), d(4, b"e")), ()),
            ("gap at the beginning", (d(1, b"abc"),), ()),
            ("overlap", (d(0, b"abc"), d(2, b"cd")), ()),
            ("again", (d(0, b"abc"), d(0, b"abc")), ()),
            ("beyond Size at once", (d(0, b"12345678901"),), (11, 10)),
            ("beyond Size at the end", (d(0, b"123456789"), d(9, b"01")), (11, 10))):
        with cases.case(label):
            failing_put(node, "bad-offset", *mentions, sends=sends, keeps=True)
    cases.done()


@check
def put_data_behind_the_size_is_refused_or_late(node):
    name = node.name()
    with node.connect() as c:
        c.command(f"PUT {name}", Size=3).ready("PUT")
        c.offset(0)
        c.send(wire.data(0, b"abc"), wire.data(3, b"d"))
        try:  # read within the session it is beyond Size, behind COMPLETE it is out of place
            c.offset(3)
            c.complete(b"abc")
            c.refused("bad-packet", first=True)
        except Failed:
            require(c.errors and c.errors[-1].startswith(("bad-offset: ", "bad-packet: ")), "no ERROR came")
    got = node.stat(name)
    require(got is None or got.get("Size") == "3", "something else than the three bytes became visible")


@check
def put_beyond_the_window_is_refused_or_taken_whole(node):
    name = node.name()
    with node.connect() as c:
        ready = c.command(f"PUT {name}").ready("PUT")
        c.offset(0)
        window, max_data = ready.number("Window"), ready.number("Max-Data")
        if window > 32 << 20:
            raise Skipped(f"Window {window} is too large")
        # the first DATA passes the window at once where Max-Data allows it
        at = 0
        while at <= 2 * window:
            count = min(max_data, 2 * window + 1 - at)
            c.send(wire.data(at, bytes(count)))
            at += count
        while True:
            packet = c.packet()
            if packet.type == wire.ERROR:
                require(packet.text.startswith("bad-offset: "), f"{packet} (expected: bad-offset)")
                break
            require(packet.type == wire.OFFSET and packet.offset <= at, f"{packet} (expected: OFFSET)")
            if packet.offset == at:
                break  # it was quicker than the client
    node.absent(name)


@check
def put_data_before_the_first_offset_is_refused_or_taken(node):
    name = node.name()
    with node.connect() as c:
        c.send(wire.info(f"PUT {name}", {"Size": 3}), wire.data(0, b"abc"))
        try:
            ready = c.ready("PUT")
            while c.offset() < 3:
                pass
            c.complete(b"abc")
        except Failed:
            require(c.errors and c.errors[-1].startswith(("bad-offset: ", "bad-packet: ")),
                    f"no ERROR and no COMPLETE came: {c.errors}")
            node.absent(name)
            return
    node.holds(name, b"abc")


@check
def put_end_that_does_not_fit_is_refused_and_ends_the_session(node):
    d, end = wire.data, lambda size, **more: wire.info("END", {"Size": size, **more})
    cases = Collected()
    for label, sends in (
            ("END beyond", (d(0, b"abc"), end(4))),
            ("END below", (d(0, b"abc"), end(2))),
            ("END 0", (d(0, b"abc"), end(0))),
            ("END without DATA", (end(3),))):
        with cases.case(label):
            failing_put(node, "bad-offset", size=None, sends=sends, keeps=False)
    with cases.case("END without Size"):
        failing_put(node, ("bad-field", "bad-packet"), size=None, sends=(d(0, b"abc"), wire.info("END")), keeps=None)
    with cases.case("bad Size"):
        failing_put(node, "bad-field", "Size", size=None, sends=(d(0, b"abc"), end("three")), keeps=None)
    with cases.case("DATA behind END"):
        name = node.name()
        with node.connect() as c:
            c.command(f"PUT {name}").ready("PUT")
            c.offset(0)
            c.send(d(0, b"abc"), end(3), d(3, b"d"))
            try:
                while c.offset() < 3:
                    pass
                c.complete(b"abc")
                c.refused("bad-packet", first=True)
            except Failed:
                require(c.errors and c.errors[-1].startswith(("bad-offset: ", "bad-packet: ")), "no ERROR came")
        found = node.stat(name)
        require(found is None or found.get("Size") == "3", "something else than the three bytes became visible")
    cases.done()


@check
def put_of_unknown_size_0(node):
    name = node.name()
    with node.connect() as c:
        c.command(f"PUT {name}").ready("PUT")
        c.offset(0)
        c.send(wire.info("END", {"Size": 0}))
        packet = c.packet()
        if packet.type == wire.OFFSET:
            require(packet.offset == 0, f"{packet} (expected: OFFSET(0) or COMPLETE)")
            packet = c.packet()
        require(packet.type == wire.INFO and packet.text.startswith("COMPLETE"), f"{packet} (expected: COMPLETE)")
    node.holds(name, b"")


@check
def put_sha_256_is_looked_at(node):
    d, good, wrong = wire.data, sha256(b"abc"), sha256(b"abd")
    cases = Collected()
    for value in (good, good.upper()):
        with cases.case(f"right {value[:8]}"):
            name = node.name()
            node.put(name, b"abc", SHA_256=value)
            node.holds(name, b"abc")
            with node.connect() as c:
                c.command(f"PUT {name}", SHA_256=value).ready("PUT")
                c.offset(0)
                c.send(d(0, b"abc"), wire.info("END", {"Size": 3, "SHA-256": value.swapcase()}))
                while c.offset() < 3:
                    pass
                c.complete(b"abc")
    end = lambda value: wire.info("END", {"Size": 3, "SHA-256": value})
    with cases.case("wrong in the command"):
        failing_put(node, "bad-field", size=3, SHA_256=wrong, sends=(d(0, b"abc"),), keeps=False)
    with cases.case("wrong in the command, unknown size"):
        failing_put(node, "bad-field", size=None, SHA_256=wrong,
                    sends=(d(0, b"abc"), wire.info("END", {"Size": 3})), keeps=False)
    with cases.case("wrong in END"):
        failing_put(node, "bad-field", size=None, sends=(d(0, b"abc"), end(wrong)), keeps=False)
    with cases.case("END differs from the command"):
        failing_put(node, "bad-field", size=None, SHA_256=good, sends=(d(0, b"abc"), end(wrong)), keeps=None)
    with cases.case("no hash in END"):
        failing_put(node, "bad-field", size=None, sends=(d(0, b"abc"), end("xyz")), keeps=None)
    cases.done()


@check
def a_wrong_sha_256_leaves_the_old_content_and_ends_the_session(node):
    name, content = node.file(100)
    session = new_session()
    with node.connect() as c:
        c.command(f"PUT {name}", Size=3, Session=session, SHA_256="1" * 64).ready("PUT")
        c.offset(0)
        c.send(wire.data(0, b"abc"))
        c.refused("bad-field")
    node.holds(name, content)
    refuse(node, f"PUT {name}", "unknown-session", fields={"Size": 3, "Session": session, "Offset": 3})


@check
def put_is_not_visible_before_complete(node):
    fresh, (old, content) = node.name(), node.file(100)
    identity = node.stat(old).get("Identity")
    for name in (fresh, old):
        with node.connect() as c:
            c.command(f"PUT {name}").ready("PUT")
            c.offset(0)
            c.send(wire.data(0, b"partial"))
            while c.offset() < 7:
                pass
            if name == fresh:
                node.absent(name)
            else:
                node.holds(name, content)
                require(node.stat(name).get("Identity") == identity, "the Identity changed before COMPLETE")
    names = [e[3] for e in node.list(f"{node.folder}/")]
    require(all(wire.bad_name_reason(n) is None for n in names), "LIST shows a name that is none")
    require(fresh not in names, "LIST shows the unfinished name")


@check
def put_if_identity_in_all_forms(node):
    name = node.name()
    one = node.put(name, b"one", If_Identity="none").get("Identity")
    cases = Collected()
    with cases.case("none, but it exists"):
        refuse(node, f"PUT {name}", "exists", Size=3, If_Identity="none")
    with cases.case("another one"):
        refuse(node, f"PUT {name}", "changed", Size=3, If_Identity=one + "x" if len(one) < 128 else "x")
    with cases.case("of a missing file"):
        refuse(node, f"PUT {node.name()}", "changed", Size=3, If_Identity=one)
    cases.done()
    node.holds(name, b"one")
    two = node.put(name, b"two", If_Identity=one).get("Identity")
    node.holds(name, b"two")
    refuse(node, f"PUT {name}", "changed", Size=3, If_Identity=one)
    node.put(name, b"three", If_Identity=two)
    node.holds(name, b"three")


@check
def put_if_identity_is_looked_at_again_at_the_switch(node):
    cases = Collected()
    for label, first, condition, code in (("none", None, None, "exists"), ("identity", b"old", "old", "changed")):
        with cases.case(label):
            name, session = node.name(), new_session()
            if first:
                condition = node.put(name, first).get("Identity")
            with node.connect() as c:
                c.command(f"PUT {name}", Size=6, If_Identity=condition or "none", Session=session).ready("PUT")
                c.offset(0)
                c.send(wire.data(0, b"mine"))
                while c.offset() < 4:
                    pass
                node.put(name, b"theirs!")
                c.send(wire.data(4, b"!!"))
                c.refused(code)
            node.holds(name, b"theirs!")
            with node.connect() as c:  # it ended the session too; the precondition or the Offset is refused
                c.command(f"PUT {name}", Size=6, Session=session, Offset=4, If_Identity=condition or "none")
                c.refused((code, "unknown-session"), first=True)
    with cases.case("deleted meanwhile"):
        name = node.name()
        identity = node.put(name, b"old").get("Identity")
        with node.connect() as c:
            c.command(f"PUT {name}", Size=4, If_Identity=identity).ready("PUT")
            c.offset(0)
            with node.connect() as other:
                other.command(f"DELETE {name}").info("DELETED")
            c.send(wire.data(0, b"mine"))
            c.refused("changed")
        node.absent(name)
    cases.done()


@check
def a_name_that_is_a_folder_or_goes_through_a_file_exists(node):
    top = node.name("folder")
    node.put(f"{top}/inner", b"x")
    refuse(node, f"PUT {top}", "exists", Size=3)
    refuse(node, f"PUT {top}/inner/below", "exists", Size=3)
    refuse(node, f"PUT {top}/inner/below/more", "exists", Size=3)
    node.holds(f"{top}/inner", b"x")
    with node.connect() as c:
        c.command(f"DELETE {top}/inner").info("DELETED")


@check
def two_puts_of_one_name_one_wins_whole(node):
    name = node.name("race")
    contents = [bytes([65 + i]) * 50_000 for i in range(6)]
    failures = []

    def put(content):
        try:
            with node.connect() as c:
                c.command(f"PUT {name}", Size=len(content))
                try:
                    c.push(c.ready("PUT"), content, piece=5000)
                except Failed:
                    if not c.errors or not c.errors[-1].startswith(("changed: ", "exists: ", "busy: ")):
                        raise
        except Exception as e:  # reported by the check's own thread
            failures.append(str(e))

    threads = [threading.Thread(target=put, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    seen = set()
    while any(thread.is_alive() for thread in threads):
        if node.stat(name):
            try:
                got, _ = node.get(name, window=1 << 20)
                seen.add(got)
            except Failed as e:
                if "RESTART" not in str(e):
                    raise
    for thread in threads:
        thread.join()
    require(not failures, f"{failures}")
    got, _ = node.get(name)
    for content in seen | {got}:
        require(content in contents, f"{len(content)} bytes that are no PUT's whole content were visible")
    node.put(name, b"later")
    node.holds(name, b"later")


@check
def interleaved_puts_the_later_switch_wins(node):
    name = node.name()
    with node.connect() as a, node.connect() as b:
        for c in (a, b):
            c.command(f"PUT {name}", Size=6).ready("PUT")
            c.offset(0)
            c.send(wire.data(0, b"aaa" if c is a else b"bbb"))
        a.send(wire.data(3, b"AAA"))
        while a.offset() < 6:
            pass
        a.complete(b"aaaAAA")
        got, _ = node.get(name)
        require(got == b"aaaAAA", f"{got} behind the COMPLETE of aaaAAA")
        b.send(wire.data(3, b"BBB"))
        while True:
            packet = b.packet()
            if packet.type != wire.OFFSET:
                break
    got, _ = node.get(name)
    require(got in (b"aaaAAA", b"bbbBBB"), f"{got} (expected: one of them whole)")


@check
def a_running_get_keeps_its_content_or_is_restarted_by_a_put(node):
    for window in (None, 3000):
        name, old = node.file(20_000)
        new = node.bytes(15_000)
        with node.connect() as c:
            c.command(f"GET {name}", Max_Data=1000, Window=window).ready("GET")
            first = c.data(0)
            node.put(name, new)
            c.send(wire.offset(first.end))
            got, size, content = bytearray(first.data), 20_000, old
            while True:
                packet = c.packet()
                if packet.type == wire.DATA and packet.offset == len(got):
                    got += packet.data
                    c.send(wire.offset(len(got)))
                    continue
                require(packet.type == wire.INFO, f"{packet} came (expected: DATA, RESTART or COMPLETE)")
                if packet.text.startswith("RESTART"):
                    got, content = bytearray(), new
                    c.send(wire.offset(0))
                    continue
                require(packet.text.startswith("COMPLETE"), f"{packet} came (expected: COMPLETE)")
                break
            require(bytes(got) == content, "the content is a mixture or a torn one")


@check
def a_client_that_half_closes_still_gets_offset_and_complete(node):
    for sized in (True, False):
        name = node.name()
        with node.connect() as c:
            c.command(f"PUT {name}", Size=6 if sized else None).ready("PUT")
            c.offset(0)
            c.send(wire.data(0, b"abcdef"), b"" if sized else wire.info("END", {"Size": 6}))
            c.half_close()
            while c.offset() < 6:
                pass
            c.complete(b"abcdef")
            c.ends("after COMPLETE to a client that has closed its side")
        node.holds(name, b"abcdef")


# ================================================================ resume


def half_put(node, size=3000, upto=1000, known=True, **fields):
    """A PUT that stands at `upto` acknowledged bytes and lost its connection."""
    name, content, session = node.name("half"), node.bytes(size), new_session()
    with node.connect() as c:
        c.command(f"PUT {name}", Size=size if known else None, Session=session, **fields).ready("PUT")
        c.offset(0)
        c.send(wire.data(0, content[:upto]))
        while c.offset() < upto:
            pass
    return name, content, session


@check
def a_put_is_resumed_from_what_was_acknowledged(node):
    for known in (True, False):
        for sends in (1000, 500, None):
            name, content, session = half_put(node, known=known)
            node.absent(name)
            with node.connect() as c:
                c.command(f"PUT {name}", Size=3000 if known else None, Session=session, Offset=sends)
                ready = c.ready("PUT")
                require(ready.get("Session").lower() == session, "another Session in READY")
                at = c.offset()
                require(at == 1000, f"OFFSET({at}) (expected: the 1000 bytes that were acknowledged)")
                c.push(ready, content, start=at, end=not known)
            node.holds(name, content)


@check
def a_put_is_resumed_after_what_was_not_acknowledged(node):
    for _ in range(10):
        name, content, session = node.name(), node.bytes(50_000), new_session()
        acked = at = 0
        with node.connect() as c:
            c.command(f"PUT {name}", Session=session).ready("PUT")
            acked = c.offset(0)
            while at < node.random.randrange(1, 40_000):
                stop = at + node.random.randrange(1, 8000)
                c.send(wire.data(at, content[at:stop]))
                at = min(stop, 50_000)
            if node.random.random() < 0.5:
                acked = c.offset()
            (c.reset if node.random.random() < 0.5 else c.close)()
        with node.connect() as c:
            ready = c.command(f"PUT {name}", Session=session, Offset=acked).ready("PUT")
            start = c.offset()
            require(acked <= start <= at, f"OFFSET({start}) (expected: {acked} to {at}: acknowledged to sent)")
            c.push(ready, content, start=start, end=True)
        node.holds(name, content)


@check
def a_put_interrupted_many_times_is_whole(node):
    name, content, session = node.name(), node.bytes(30_000), new_session()
    acked = 0
    while acked < 29_000:
        with node.connect() as c:
            c.command(f"PUT {name}", Size=30_000, Session=session, Offset=acked).ready("PUT")
            at = c.offset()
            require(at >= acked, f"OFFSET({at}) (expected: not below the Offset {acked} sent)")
            c.send(wire.data(at, content[at:at + 1500]))
            acked = c.offset()
    with node.connect() as c:
        ready = c.command(f"PUT {name}", Size=30_000, Session=session, Offset=acked).ready("PUT")
        c.push(ready, content)
    node.holds(name, content)


@check
def resume_with_another_name_verb_or_size_is_bad_field(node):
    name, content, session = half_put(node)
    cases = Collected()
    with cases.case("name"):
        refuse(node, f"PUT {node.name()}", "bad-field", Size=3000, Session=session, Offset=1000)
    with cases.case("verb"):
        refuse(node, f"GET {name}", "bad-field", Session=session)
    with cases.case("size"):
        refuse(node, f"PUT {name}", "bad-field", Size=3001, Session=session, Offset=1000)
    existing, _ = node.file(5000)
    with cases.case("GET, then PUT"), node.connect() as c:
        other = new_session()
        c.command(f"GET {existing}", Session=other).ready("GET")
        c.data(0)
        refuse(node, f"PUT {node.name()}", "bad-field", Size=3, Session=other)
        refuse(node, f"GET {node.file(10)[0]}", "bad-field", Session=other)
        c.send(wire.offset(5000))  # its own connection still has it
        c.complete()
    with cases.case("Offset without Session"):
        refuse(node, f"PUT {node.name()}", ("unknown-session", "bad-field", "bad-offset"), Size=30, Offset=10)
    cases.done()
    with node.connect() as c:  # the refusals left it untouched
        ready = c.command(f"PUT {name}", Size=3000, Session=session, Offset=1000).ready("PUT")
        c.push(ready, content, start=c.offset(1000))
    node.holds(name, content)


@check
def an_unknown_session_with_an_offset_is_refused(node):
    refuse(node, f"PUT {node.name()}", "unknown-session", Size=3000, Session=new_session(), Offset=1000)
    refuse(node, f"PUT {node.name()}", "unknown-session", Session=new_session(), Offset=1)
    name, content, session = half_put(node)
    refuse(node, f"PUT {name}", "unknown-session", 1001, 1000, Size=3000, Session=session, Offset=1001)
    with node.connect() as c:
        ready = c.command(f"PUT {name}", Size=3000, Session=session, Offset=1000).ready("PUT")
        c.push(ready, content)
    fresh = new_session()
    with node.connect() as c:  # with Offset 0 it begins under that id
        ready = c.command(f"PUT {name}", Size=3, Session=fresh, Offset=0).ready("PUT")
        require(ready.get("Session").lower() == fresh, f"Session: {ready.get('Session')} (expected: {fresh})")
        c.push(ready, b"new", start=c.offset(0))


@check
def a_completed_put_is_resumed_to_complete(node):
    name, content, session = node.name(), node.bytes(500), new_session()
    complete = node.put(name, content, Session=session, If_Identity="none")

    def again(offset, **fields):
        with node.connect() as c:
            c.command(f"PUT {name}", Size=500, Session=session, Offset=offset, **fields).ready("PUT")
            c.offset(500)
            second = c.complete(content)
            require(second.get("Identity") == complete.get("Identity"),
                    f"Identity: {second.get('Identity')} (expected: {complete.get('Identity')})")
            c.command("LIST nothing-like-this").info("LIST")

    cases = Collected()
    for offset in (0, 200, 500):
        with cases.case(f"Offset {offset}"):
            again(offset)
    with cases.case("the precondition is not looked at"):
        again(500, If_Identity="none")
    node.put(name, b"replaced")
    with cases.case("replaced"):
        again(0)
        again(500, If_Identity="none")
        node.holds(name, b"replaced")
    with node.connect() as c:
        c.command(f"DELETE {name}").info("DELETED")
    with cases.case("deleted"):
        again(500)
        node.absent(name)
    with cases.case("another size"):
        refuse(node, f"PUT {name}", "bad-field", Size=501, Session=session, Offset=0)
    with cases.case("another name"):
        refuse(node, f"PUT {node.name()}", "bad-field", Size=500, Session=session, Offset=0)
    with cases.case("beyond"):
        refuse(node, f"PUT {name}", ("unknown-session", "bad-offset"), Size=500, Session=session, Offset=501)
    unsized = new_session()
    other = node.name()
    with node.connect() as c:
        c.command(f"PUT {other}", Session=unsized)
        c.push(c.ready("PUT"), content, end=True)
    with cases.case("unknown size"), node.connect() as c:
        c.command(f"PUT {other}", Session=unsized, Offset=500).ready("PUT")
        c.offset(500)
        c.complete(content)
        c.send(wire.info("END", {"Size": 500}))  # late
        c.command("LIST nothing-like-this").info("LIST")
    cases.done()


@check
def a_put_that_lost_its_connection_at_the_end_completes_on_resume(node):
    for known in (True, False):
        name, content, session = node.name(), node.bytes(700), new_session()
        with node.connect() as c:
            c.command(f"PUT {name}", Size=700 if known else None, Session=session).ready("PUT")
            c.offset(0)
            c.send(wire.data(0, content), b"" if known else wire.info("END", {"Size": 700}))
            c.reset()
        with node.connect() as c:
            ready = c.command(f"PUT {name}", Size=700 if known else None, Session=session, Offset=0).ready("PUT")
            at = c.offset()
            require(at in (0, 700), f"OFFSET({at}) (expected: 0 or 700, one DATA was sent)")
            if at < 700:
                c.send(wire.data(at, content[at:]))
            if not known:
                c.send(wire.info("END", {"Size": 700}))
            while at < 700:
                at = c.offset()
            packet = c.packet()
            while packet.type == wire.OFFSET and packet.offset == 700:
                packet = c.packet()
            require(packet.type == wire.INFO and packet.text.startswith("COMPLETE"), f"{packet} (expected: COMPLETE)")
        node.holds(name, content)


@check
def the_newest_connection_has_the_put(node):
    name, content, session = node.name(), node.bytes(3000), new_session()
    with node.connect() as old, node.connect() as new:
        old.command(f"PUT {name}", Size=3000, Session=session).ready("PUT")
        old.offset(0)
        old.send(wire.data(0, content[:1000]))
        while old.offset() < 1000:
            pass
        ready = new.command(f"PUT {name}", Size=3000, Session=session, Offset=1000).ready("PUT")
        at = new.offset(1000)
        old.send(wire.data(1000, bytes(2000)))  # must neither be stored nor acknowledged
        old.refused("superseded", first=True)
        new.push(ready, content, start=at)
    node.holds(name, content)


@check
def the_newest_connection_has_the_get(node):
    name, content = node.file(30_000)
    for window in (None, 4000):
        session = new_session()
        with node.connect() as old, node.connect() as new:
            old.command(f"GET {name}", Max_Data=1000, Session=session, Window=window).ready("GET")
            old.data(0)
            identity = node.stat(name).get("Identity")
            new.command(f"GET {name}", Max_Data=1000, Session=session, Window=window, Offset=500,
                        Identity=identity).ready("GET")
            old.refused("superseded")
            require(new.pull(30_000, 500, window) == content[500:], "other bytes")
            new.complete(content)


@check
def a_get_is_resumed(node):
    name, content = node.file(30_000)
    for window in (None, 4000):
        session = new_session()
        with node.connect() as c:
            identity = c.command(f"GET {name}", Max_Data=1000, Session=session, Window=window
                                 ).ready("GET").get("Identity")
            first = c.data(0)
            c.send(wire.offset(first.end))
        with node.connect() as c:
            ready = c.command(f"GET {name}", Offset=first.end, Session=session, Identity=identity, Window=window
                              ).ready("GET")
            require(ready.get("Identity") == identity, "another Identity of an unchanged file")
            require(c.pull(30_000, first.end, window) == content[first.end:], "other bytes")
            c.complete(content)
    with node.connect() as c:  # an unknown Session is taken as given
        session = new_session()
        ready = c.command(f"GET {name}", Offset=29_999, Session=session, Identity=identity).ready("GET")
        require(ready.get("Session").lower() == session, f"Session: {ready.get('Session')} (expected: {session})")
        c.data(29_999)


@check
def a_client_error_ends_the_session(node):
    name, content, session = node.name(), node.bytes(3000), new_session()
    with node.connect() as c:
        c.command(f"PUT {name}", Size=3000, Session=session).ready("PUT")
        c.offset(0)
        c.send(wire.data(0, content[:1000]))
        while c.offset() < 1000:
            pass
        c.send(wire.error("internal: the client gives up"))
        c.half_close()
        try:
            while c.any().type != wire.ERROR:
                pass
        except EndOfStream:
            pass
    refuse(node, f"PUT {name}", "unknown-session", Size=3000, Session=session, Offset=1000)
    node.absent(name)


# ================================================================ RESTART


def started_get(node, size=20_000, **fields):
    name, content = node.file(size)
    session = new_session()
    with node.connect() as c:
        identity = c.command(f"GET {name}", Max_Data=1000, Session=session, **fields).ready("GET").get("Identity")
        c.data(0)
    return name, identity, session


@check
def a_changed_file_is_restarted_at_resume(node):
    cases = Collected()
    for window in (None, 4000):
        for size, offset in ((25_000, 1000), (300, 1000), (1000, 1000), (0, 1000)):
            with cases.case(f"window {window}, new size {size}"):
                name, identity, session = started_get(node, Window=window)
                new = node.bytes(size)
                node.put(name, new)
                now = node.stat(name).get("Identity")
                with node.connect() as c:
                    ready = c.command(f"GET {name}", Max_Data=1000, Session=session, Offset=offset,
                                      Identity=identity, Window=window).ready("GET")
                    restart = c.info("RESTART")
                    for info in (ready, restart):
                        require(info.get("Identity") == now and info.get("Size") == str(size),
                                f"{info.verb} names {info.get('Identity')}, {info.get('Size')} (expected: {now}, {size})")
                    c.send(wire.offset(1000), wire.offset(1), wire.offset(20_000), wire.info("ALIVE"))
                    c.quiet("no DATA and every OFFSET dropped until OFFSET(0)")
                    c.send(wire.offset(0))
                    require(c.pull(size, 0, window) == new, "other bytes than the new content's")
                    c.complete(new)
                    c.command(f"STAT {name}").info("STAT")
    cases.done()


@check(root=True)
def a_file_changed_by_hand_is_restarted_at_resume(node):
    name, identity, session = started_get(node)
    new = node.bytes(7000)
    node.place(name, new)
    with node.connect() as c:
        c.command(f"GET {name}", Session=session, Offset=1000, Identity=identity).ready("GET")
        restart = c.info("RESTART")
        require(restart.get("Identity") != identity, "RESTART names the old Identity")
        c.send(wire.offset(0))
        require(c.pull(7000) == new, "other bytes than the new content's")
        c.complete(new)


@check(root=True)
def a_file_changed_in_place_is_never_a_mixture(node):
    for window in (None, 4000):
        name, old = node.file(200_000)
        new = node.bytes(150_000)
        with node.connect() as c:
            c.command(f"GET {name}", Max_Data=4096, Window=window).ready("GET")
            got = bytearray(c.data(0).data)
            with open(node.path(name), "r+b") as f:  # same inode, other bytes, other size
                f.write(new)
                f.truncate()
            c.send(wire.offset(len(got)))
            content = old
            try:
                while True:
                    packet = c.packet()
                    if packet.type == wire.ERROR:
                        require(packet.text.startswith("changed: "), f"{packet} (expected: RESTART or changed)")
                        break
                    if packet.type == wire.DATA:
                        if packet.offset == len(got):
                            got += packet.data
                            c.send(wire.offset(len(got)))
                    elif packet.text.startswith("RESTART"):
                        got, content = bytearray(), new
                        c.send(wire.offset(0))
                    elif packet.text.startswith("COMPLETE"):
                        require(bytes(got) == content, "COMPLETE behind a mixture of old and new bytes")
                        break
            except EndOfStream as e:
                raise Failed(f"{e} (expected: RESTART, changed or the old content)") from None


@check
def a_changed_file_is_an_error_for_a_stream_consumer(node):
    name, identity, session = started_get(node, Consumer="stream")
    node.put(name, b"new content")
    with node.connect() as c:
        c.command(f"GET {name}", Session=session, Offset=1000, Identity=identity, Consumer="stream")
        c.refused("changed")


@check
def identity_is_ignored_at_offset_0(node):
    name, content = node.file(2000)
    with node.connect() as c:
        c.command(f"GET {name}", Offset=0, Identity="something-else").ready("GET")
        require(c.pull(2000) == content, "other bytes")
        c.complete(content)
    with node.connect() as c:
        c.command(f"GET {name}", Identity="something-else", Consumer="stream").ready("GET")
        c.data(0)


@check
def a_stream_consumer_gets_a_file(node):
    name, content = node.file(20_000)
    for window in (None, 3000):
        with node.connect() as c:
            c.command(f"GET {name}", Consumer="stream", Max_Data=1000, Window=window).ready("GET")
            require(c.pull(20_000, 0, window) == content, "other bytes")
            c.complete(content)


# ================================================================ LIST


@check
def list_gives_names_by_prefix_in_byte_order(node):
    base = node.name("list")
    names = ["a", "a ", "a b", " a", "a!", "b/c", "b/c d", "b-", "b0", "B", "z", "\u00e4", "\u00e9", "e\u0301",
             "\u4e2d\u6587", "\U0001f600", "\ufffd", "\u202egnp.exe", "%2e%2e", "a:b", "x=y;z", "..x", "..."]
    for name in names:
        node.put(f"{base}/{name}", name.encode())
    full = sorted(f"{base}/{name}".encode() for name in names)
    cases = Collected()
    for prefix in ("", "/", "/a", "/a ", "/b", "/b/", "/b/c", "/\u00e4", "/e", "/.", "/..", "/nothing", "/%2e", "/a b",
                   "/B", "/\U0001f600"):
        with cases.case(f"prefix {prefix!r}"):
            got = [e[3].encode() for e in node.list(base + prefix)]
            wanted = [n for n in full if n.startswith((base + prefix).encode())]
            require(got == wanted, f"{got} (expected: {wanted})")
    with cases.case("After, untrimmed"):
        for name in names:
            with node.connect() as c:
                c.command(f"LIST {base}/", After=f"{base}/{name}")
                got = [e[3].encode() for e in list_entries(c.info("LIST"))]
                wanted = [n for n in full if n > f"{base}/{name}".encode()]
                require(got == wanted, f"after {name!r}: {got} (expected: {wanted})")
    with cases.case("After that is no file"), node.connect() as c:
        c.command(f"LIST {base}/", After=f"{base}/az")
        got = [e[3].encode() for e in list_entries(c.info("LIST"))]
        wanted = [n for n in full if n > f"{base}/az".encode()]
        require(got == wanted, f"{got} (expected: {wanted})")
    with cases.case("LIST and STAT agree"):
        for size, modified, identity, name in node.list(base + "/"):
            info = node.stat(name)
            require((size, modified, identity) == (info.get("Size"), info.get("Modified"), info.get("Identity")),
                    f"{name}: LIST {size} {modified} {identity}, STAT {info.text!r}")
    cases.done()


@check
def list_of_everything_with_and_without_the_space(node):
    name, _ = node.file(10)
    for line in ("LIST", "LIST "):
        found, after = False, None
        with node.connect() as c:
            while not found:
                answer = c.command(line, After=after).info("LIST")
                entries = list_entries(answer)
                found = any(e[3] == name for e in entries)
                require(found or (answer.get("More") == "yes" and entries), f"{line!r} does not show {name}")
                after = entries[-1][3]


@check
def list_goes_on_in_pages(node):
    base = node.name("pages")
    long = "/".join("x" * 230 for _ in range(3))
    names = [f"{base}/{long}/{i:04d}" for i in range(130)]
    with node.connect() as c:
        for i, name in enumerate(names):
            if node.root:
                node.place(name, b"%d" % i)
            else:
                c.command(f"PUT {name}", Size=4)
                c.push(c.ready("PUT"), b"page")
    with node.connect() as c:
        answer = c.command(f"LIST {base}/").info("LIST")
        require(answer.get("More") == "yes", "More: no with more names than fit into 64 KiB")
        require(len(answer.text.encode()) <= wire.MAX_TEXT, "a LIST over 64 KiB")
    got = [e[3] for e in node.list(f"{base}/")]
    require(got == names, f"{len(got)} names over all pages (expected: {len(names)}, each once)")


@check
def list_prefixes_and_after_that_are_no_names_are_refused(node):
    cases = Collected()
    for prefix in ("/", "/a", "a//b", "../", "./", "a/../b", "a/./", "a\\b", "a\tb", "a\x7f", "x" * 256, "a\u0085"):
        with cases.case(f"prefix {prefix[:20]!r}"):
            refuse(node, f"LIST {prefix}", "bad-name")
    for after in ("../x", "/a", "a//b", "a\\b", "x" * 300):
        with cases.case(f"After {after[:20]!r}"):
            refuse(node, "LIST a", ("bad-name", "bad-field"), fields={"After": after})
    cases.done()


# ================================================================ names


BAD_NAMES = ("", ".", "..", "../x", "a/..", "a/../b", "a/./b", "./a", "/", "/etc/passwd", "a/", "/a", "a//b", "//",
             "a\\b", "..\\x", "a\x00b", "a\x00", "a\rb", "a\tb", "a\x1bb", "a\x7fb", "a\u0080b", "a\u009fb", "\u0085",
             "x" * 256, "a/" + "\u00e4" * 128, "/".join(["y" * 200] * 6), "z/" * 512 + "z" * 2, "y" * 4096,
             "/".join(["w" * 99] * 41))


@check
def bad_names_are_refused_by_every_verb(node):
    cases = Collected()
    for name in BAD_NAMES:
        for verb in ("GET", "PUT", "STAT", "DELETE"):
            with cases.case(f"{verb} {name[:24]!r}"):
                refuse(node, f"{verb} {name}", "bad-name" if name else ("bad-name", "bad-packet"))
    for verb in ("GET", "PUT", "STAT", "DELETE"):
        with cases.case(f"{verb} without a name"):
            refuse(node, verb, ("bad-name", "bad-packet"))
    cases.done()


GOOD_NAMES = ("x" * 255, "\u00e4" * 127, "%2e%2e", "%2e%2e%2fetc%2fpasswd", "..%2f", "\u202etxt.exe", "\u2066a\u2069",
              "a b", " leading", "trailing ", "  ", "...", "..a", ".hidden", "-rf", "~", "a:b", "$(x)", "<b>&amp;",
              "\u00e9", "e\u0301", "\u00a0", "\ufeffbom", "NUL", "con.txt", "a*?b", '"quoted"', "'", "\U0001f980")


@check
def good_names_are_taken_byte_for_byte(node):
    base = node.name("good")
    names = [f"{base}/{name}" for name in GOOD_NAMES]
    room = 1024 - len(base.encode()) - 1
    names.append(base + "/" + "/".join(["d" * 200] * ((room - 100) // 201)))
    longest = names[-1]
    filler = 1024 - len(longest.encode()) - 1
    names.append(longest + "-" * 0 + "x" + "/" + "e" * (filler - 1))
    require(len(names[-1].encode()) == 1024, "the longest name has not 1024 bytes")
    cases = Collected()
    for name in names:
        with cases.case(repr(name[len(base):][:30])):
            content = name.encode()
            node.put(name, content)
    for name in names:
        with cases.case(f"GET {name[len(base):][:30]!r}"):
            got, _ = node.get(name)
            require(got == name.encode(), "other bytes: two names are taken for one")
            require(node.stat(name).get("Size") == str(len(name.encode())), "other Size of STAT")
            if node.root:
                with open(node.path(name), "rb") as f:
                    require(f.read() == name.encode(), "other bytes in the directory")
    with cases.case("LIST"):
        got = [e[3] for e in node.list(base + "/")]
        require(got == sorted(names, key=str.encode), "LIST shows other names")
    for name in names:
        with cases.case(f"DELETE {name[len(base):][:30]!r}"), node.connect() as c:
            c.command(f"DELETE {name}").info("DELETED")
    cases.done()


@check(root=True)
def links_pipes_and_devices_are_not_served(node):
    base = node.name("planted")
    node.place(f"{base}/file", b"file")
    outside = node.outside()
    secret = os.path.join(outside, "secret")
    with open(secret, "wb") as f:
        f.write(b"secret")
    here = node.path(base)
    plant = {
        "link-out": lambda p: os.symlink(secret, p),
        "link-relative": lambda p: os.symlink(os.path.relpath(secret, os.fsdecode(here)), p),
        "link-folder": lambda p: os.symlink(outside, p),
        "link-in": lambda p: os.symlink("file", p),
        "link-loop": lambda p: os.symlink("link-loop", p),
        "link-dangling": lambda p: os.symlink(os.path.join(outside, "new"), p),
        "link-proc": lambda p: os.symlink("/proc/self/environ", p),
        "pipe": os.mkfifo,
        "device": lambda p: os.mknod(p, 0o600 | stat.S_IFCHR, os.makedev(1, 3)),
    }
    cases = Collected()
    targets = []
    for label, make in plant.items():
        try:
            make(os.path.join(os.fsdecode(here), label))
            targets.append(label)
        except PermissionError:
            pass
    listener = socket.socket(socket.AF_UNIX)
    try:
        cwd = os.getcwd()
        os.chdir(here)
        try:
            listener.bind("socket")
            targets.append("socket")
        finally:
            os.chdir(cwd)
        targets += ["link-folder/secret", "link-proc/x", "pipe/x"]
        refusals = ("not-found", "denied", "exists", "bad-name", "incompatible")
        for label in targets:
            for verb in ("GET", "STAT"):
                with cases.case(f"{verb} {label}"):
                    refuse(node, f"{verb} {base}/{label}", refusals)
        with cases.case("LIST"):
            shown = [e[3] for e in node.list(base + "/")]
            require(shown == [f"{base}/file"], f"LIST shows {shown} (expected: the regular file alone)")
        for label in targets:
            with cases.case(f"PUT {label}"), node.connect() as c:
                c.command(f"PUT {base}/{label}", Size=4)
                try:
                    c.push(c.ready("PUT"), b"over")
                except Failed:
                    if not c.errors:
                        raise
        with cases.case("nothing was written through a link"):
            with open(secret, "rb") as f:
                require(f.read() == b"secret", "the file that a link points to was changed")
            require(os.listdir(outside) == ["secret"], f"a link was followed: {os.listdir(outside)}")
        for label in targets:
            with cases.case(f"DELETE {label}"), node.connect() as c:
                c.command(f"DELETE {base}/{label}")
                packet = c.packet()
                require(packet.type == wire.ERROR or packet.text.startswith("DELETED"), f"{packet} came")
        with cases.case("nothing was deleted through a link"):
            require(os.listdir(outside) == ["secret"], "DELETE followed a link")
            node.holds(f"{base}/file", b"file")
    finally:
        listener.close()
    cases.done()


@check(root=True)
def a_link_swapped_in_during_open_is_not_followed(node):
    name = node.name("swap")
    node.place(name, b"public")
    path = os.fsdecode(node.path(name))
    outside = node.outside()
    secret = os.path.join(outside, "secret")
    with open(secret, "wb") as f:
        f.write(b"secret")
    done = threading.Event()

    def swap():
        side = 0
        while not done.is_set():
            temporary = f"{path}.swap"
            if side:
                os.symlink(secret, temporary)
            else:
                with open(temporary, "wb") as f:
                    f.write(b"public")
            os.replace(temporary, path)
            side = not side

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        for _ in range(300):
            with node.connect() as c:
                c.command(f"GET {name}")
                packet = c.packet()
                if packet.type == wire.INFO and packet.text.startswith("READY"):
                    packet = c.packet()
                require(b"secret" not in packet.data, "the link was followed out of the directory")
    finally:
        done.set()
        thread.join()


@check(root=True)
def a_hand_placed_tree_is_served(node):
    base = node.name("tree")
    contents = {f"{base}/d{i}/e{j}/f{k}": b"%d%d%d" % (i, j, k) for i in range(3) for j in range(3) for k in range(3)}
    for name, content in contents.items():
        node.place(name, content)
    require([e[3] for e in node.list(base + "/")] == sorted(contents), "LIST of the tree")
    for name, content in contents.items():
        node.holds(name, content)


@check(root=True)
def unfinished_puts_leave_nothing_in_the_directory_under_a_name(node):
    name, content, session = half_put(node)
    require(not os.path.lexists(node.path(name)), f"{name} lies in the directory (expected: nothing)")
    folder = os.path.dirname(node.path(name))
    shown = {e[3].encode() for e in node.list(node.folder + "/")}
    if os.path.isdir(folder):
        for entry in os.listdir(folder):
            full = os.path.join(folder, entry)
            require(not os.path.isfile(full) or open(full, "rb").read() != content[:1000]
                    or (node.folder.encode() + b"/" + entry) not in shown, f"the partial content shows as {entry}")


# ================================================================ life


def idle_of(node):
    name, _ = node.file(10)
    with node.connect() as c:
        idle = c.command(f"GET {name}").ready("GET").number("Idle")
    if idle > node.options.max_idle:
        raise Skipped(f"Idle is {idle} s (can be tested up to {node.options.max_idle} s)")
    return idle


def wait_for_end(c, idle, began, timeouts):
    """Within Idle (and a little) the server closes; `timeouts` says whether ERROR timeout comes before."""
    while True:
        try:
            packet = c.packet(idle + 10 - (time.monotonic() - began))
        except Reset as e:
            raise Failed(f"{e} (expected: ERROR timeout or a clean close)") from None
        except EndOfStream:
            require(timeouts is not True, "end of stream (expected: ERROR timeout before it)")
            break
        except Late:
            raise Failed(f"still open {idle + 10} s after the last packet (expected: closed after {idle} s)") from None
        if packet.type == wire.ERROR:
            require(timeouts is not False, f"{packet} (expected: a close alone, between sessions)")
            require(packet.text.startswith("timeout: "), f"{packet} (expected: timeout)")
            c.ends("after ERROR timeout")
            break
    took = time.monotonic() - began
    require(idle - 1.5 <= took, f"closed after {took:.1f} s (expected: not before {idle} s)")


@check(slow=True)
def silence_between_sessions_is_a_close(node):
    idle = idle_of(node)
    with node.connect() as c:
        began = time.monotonic()
        c.command("LIST nothing-like-this").info("LIST")
        wait_for_end(c, idle, began, False)


@check(slow=True)
def late_packets_do_not_restart_the_idle_clock(node):
    idle = idle_of(node)
    with node.connect() as c:
        c.command("LIST nothing-like-this").info("LIST")
        began = time.monotonic()
        while time.monotonic() - began < idle + 8:
            try:
                packet = c.packet(1.0)
                raise Failed(f"{packet} came (expected: a close)")
            except EndOfStream:
                require(time.monotonic() - began > idle - 1.5, "closed too early")
                return
            except Late:
                c.send(wire.offset(5), wire.info("ALIVE"), wire.info("END", {"Size": 5}))
        raise Failed(f"still open after {idle + 8} s of late packets (expected: closed after {idle} s)")


@check(slow=True)
def silence_within_a_get_is_timeout(node):
    idle = idle_of(node)
    name, _ = node.file(5000)
    with node.connect() as c:
        c.command(f"GET {name}", Max_Data=1000).ready("GET")
        began = time.monotonic()
        wait_for_end(c, idle, began, True)


@check(slow=True)
def silence_within_a_put_is_timeout_and_the_put_is_kept(node):
    idle = idle_of(node)
    name, content, session = node.name(), node.bytes(3000), new_session()
    with node.connect() as c:
        c.command(f"PUT {name}", Size=3000, Session=session).ready("PUT")
        c.offset(0)
        began = time.monotonic()
        c.send(wire.data(0, content[:1000]))
        wait_for_end(c, idle, began, True)
    with node.connect() as c:
        ready = c.command(f"PUT {name}", Size=3000, Session=session, Offset=1000).ready("PUT")
        c.push(ready, content, start=c.offset(1000))
    node.holds(name, content)


@check(slow=True)
def a_packet_that_stalls_is_timeout(node):
    idle = idle_of(node)
    with node.connect() as c:
        c.command(f"PUT {node.name()}", Size=3000).ready("PUT")
        c.offset(0)
        began = time.monotonic()
        c.send(wire.data(0, bytes(3000))[:1500])
        wait_for_end(c, idle, began, True)


@check(slow=True)
def a_command_that_stalls_is_closed(node):
    idle = idle_of(node)
    with node.connect() as c:
        began = time.monotonic()
        c.send(wire.info(f"STAT {node.name()}")[:10])
        wait_for_end(c, idle, began, None)


@check(slow=True)
def one_byte_a_second_is_timeout(node):
    idle = idle_of(node)
    raw = wire.info_raw("STAT a\nX-Long: " + "x" * 60_000)
    with node.connect() as c:
        began = time.monotonic()
        for i in range(len(raw)):
            c.send(raw[i:i + 1])
            try:
                packet = c.packet(1.0)
            except EndOfStream:
                break
            except Late:
                require(time.monotonic() - began < 2 * idle + 5,
                        f"one byte a second is taken for {2 * idle + 5} s (expected: {idle} s)")
                continue
            require(packet.type == wire.ERROR and packet.text.startswith("timeout: "), f"{packet} (expected: timeout)")
            break
        require(time.monotonic() - began > idle - 1.5, "closed too early")


@check(slow=True)
def a_slow_packet_of_1_kib_a_second_is_no_silence(node):
    idle = idle_of(node)
    name, content = node.name(), node.bytes(4096 * max(1, (idle * 3) // 2 * 1536 // 4096))
    with node.connect() as c:
        ready = c.command(f"PUT {name}", Size=len(content)).ready("PUT")
        if ready.number("Max-Data") < len(content) or ready.number("Window") < len(content):
            raise Skipped(f"Max-Data {ready.get('Max-Data')} is too small for a packet longer than Idle")
        c.offset(0)
        raw, began, at = wire.data(0, content), time.monotonic(), 0
        while at < len(raw):  # 1.5 KiB/s in pieces of 384 bytes
            c.send(raw[at:at + 384])
            at += 384
            due = began + at / 1536
            if at < len(raw) and due > time.monotonic():
                try:
                    raise Failed(f"{c.packet(due - time.monotonic())} came within a slow packet (expected: nothing)")
                except Late:
                    pass
        while c.offset() < len(content):
            pass
        c.complete(content)
    node.holds(name, content)


@check(slow=True)
def alive_excuses_silence_and_not_acknowledging(node):
    idle = idle_of(node)
    name, content = node.file(20_000)
    put = node.name()
    with node.connect() as a, node.connect() as b, node.connect() as d:
        a.command(f"GET {name}", Max_Data=1000, Window=4000).ready("GET")
        b.command(f"GET {name}", Max_Data=1000).ready("GET")
        d.command(f"PUT {put}", Size=3).ready("PUT")
        d.offset(0)
        at = a.fill(0, 4000)
        b.data(0)
        began = time.monotonic()
        while time.monotonic() - began < 1.6 * idle:
            for c in (a, b, d):
                c.send(wire.info("ALIVE"))
                c.quiet("ALIVE excuses silence", idle / 9)
        a.send(wire.offset(at))
        b.send(wire.offset(1000))
        d.send(wire.data(0, b"abc"))
        a.data(at)
        b.data(1000)
        while d.offset() < 3:
            pass
        d.complete(b"abc")


@check(slow=True)
def a_client_that_never_reads_is_cut_off(node):
    """ALIVE does not excuse not reading: with something to send for Idle, timeout or a reset."""
    idle = idle_of(node)
    name, content = node.file(1 << 20)
    with node.connect(receive_buffer=8192) as c:
        c.command(f"GET {name}")
        # asks for much more than any socket buffer takes, then goes on with ALIVE
        waiting = b"".join(wire.offset(0) for _ in range(65_536))
        began = spoke = time.monotonic()
        while time.monotonic() - began < 2 * idle + 10:
            if socket_hung_up(c.socket):
                return
            now = time.monotonic()
            if not waiting and now - spoke >= 2:
                waiting, spoke = wire.info("ALIVE"), now
            try:
                if select.select([], [c.socket] if waiting else [], [], 0.5)[1]:
                    waiting = waiting[c.socket.send(waiting[:65_536]):]
            except OSError:
                return  # a reset
        # it may have closed in order: then all that is left in the buffers ends
        taken = 0
        try:
            while True:
                packet = c.any(5)
                if packet.type == wire.ERROR:
                    require(packet.text.startswith("timeout: "), f"{packet} (expected: timeout)")
                    return
                taken += len(packet.data)
                require(taken < 40 << 20, "the node kept on sending (expected: timeout or a reset)")
        except EndOfStream:
            return
        except Failed as e:
            if "within a packet" in str(e):
                return
            raise


def socket_hung_up(s):
    poll = select.poll()
    poll.register(s, select.POLLERR | select.POLLHUP | select.POLLRDHUP)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


@check
def half_open_and_reset_clients_harm_nobody(node):
    name, content = node.file(50_000)
    for i in range(30):
        with node.connect() as c:
            c.command(f"GET {name}", Window=10_000, Max_Data=1000)
            if i % 3:
                c.ready("GET")
                c.data(0)
            (c.reset if i % 2 else c.close)()
    node.holds(name, content)


# ================================================================ live sources


def live_get(node, **fields):
    c = node.connect()
    ready = c.command(f"GET {node.options.live}", Consumer="stream", **fields).ready("GET")
    require(ready.get("Producer") == "stream", f"Producer: {ready.get('Producer')} (expected: stream)")
    require(ready.get("Size") == "unknown", f"Size: {ready.get('Size')} (expected: unknown)")
    return c, ready


@check(live=True)
def a_live_source_refuses_a_rewindable_consumer(node):
    refuse(node, f"GET {node.options.live}", "incompatible")
    refuse(node, f"GET {node.options.live}", "incompatible", Consumer="rewindable")


@check(live=True)
def a_live_source_has_no_identity_in_stat_and_list(node):
    info = node.stat(node.options.live)
    require(info is not None, "STAT does not find the live source")
    require((info.get("Size"), info.get("Modified"), info.get("Identity")) == ("unknown", "-", "-"),
            f"{info.text!r} (expected: Size unknown, Modified -, Identity -)")
    entries = [e for e in node.list(node.options.live) if e[3] == node.options.live]
    require(entries and entries[0][:3] == ("unknown", "-", "-"), f"LIST shows {entries} (expected: unknown - -)")


@check(live=True)
def a_live_source_streams_to_its_end(node):
    for window in (None, 1 << 20):
        c, ready = live_get(node, Window=window)
        with c:
            window = ready.number("Window") if window else None
            got, ended = bytearray(), None
            while True:
                packet = c.packet(60)
                if packet.type == wire.DATA:
                    require(packet.offset == len(got), f"{packet} came (expected: DATA that starts at {len(got)})")
                    require(window is None or packet.end <= len(got) + window, "more than the window")
                    got += packet.data
                    c.send(wire.offset(len(got)))
                    continue
                require(packet.type == wire.INFO, f"{packet} came (expected: DATA, END or COMPLETE)")
                info = wire.parse_info(packet.text)
                if info.verb == "END":
                    require(ended is None, "a second END")
                    ended = info.number("Size")
                    continue
                require(info.verb == "COMPLETE" and ended == len(got),
                        f"{packet} behind END {ended} and {len(got)} bytes (expected: COMPLETE when both are equal)")
                break
            require(info.number("Size") == len(got), f"Size of COMPLETE: {info.get('Size')} (expected: {len(got)})")
            if info.has("SHA-256"):
                require(info.get("SHA-256").lower() == sha256(got), "another SHA-256 than the bytes that came")
            options = node.options
            if options.live_size is not None:
                require(len(got) == options.live_size, f"{len(got)} bytes (expected: {options.live_size})")
            if options.live_sha256:
                require(sha256(got) == options.live_sha256.lower(), f"SHA-256 {sha256(got)} of the live source")
            if options.live_pattern:
                with open(options.live_pattern, "rb") as f:
                    pattern = f.read()
                require(bytes(got) == (pattern * (len(got) // len(pattern) + 1))[:len(got)], "other bytes than the pattern")
            c.command("LIST nothing-like-this").info("LIST")


def data_or_end_first(c, at):
    """DATA that starts at an offset; END may come before it, once the source has said its size."""
    packet = c.packet()
    if packet.type == wire.INFO and packet.text.startswith("END"):
        return c.data(at)
    require(packet.type == wire.DATA and packet.offset == at, f"{packet} came (expected: DATA at {at})")
    return packet


@check(live=True)
def a_seek_on_a_live_source_is_refused(node):
    for window in (None, 100):
        c, _ = live_get(node, Max_Data=10, Window=window)
        with c:
            first = data_or_end_first(c, 0)
            c.send(wire.offset(first.end))
            data_or_end_first(c, first.end)
            c.send(wire.offset(0))
            c.refused(("bad-offset", "incompatible"))


# ================================================================ soak


@check(soak=True)
def random_conversations(node):
    """Random GETs and PUTs with seeks, losses and resumes against a model of what has to be there."""
    until = time.monotonic() + (node.options.soak_seconds if node.options.soak else 3)
    model = {}
    while time.monotonic() < until:
        r = node.random
        name = r.choice(list(model)) if model and r.random() < 0.5 else node.name("soak")
        if r.random() < 0.5 or name not in model:
            content, session, acked = node.bytes(r.choice((0, 1, 100, 5000, 70_000))), new_session(), 0
            known = r.random() < 0.5
            while True:
                with node.connect() as c:
                    ready = c.command(f"PUT {name}", Size=len(content) if known else None, Session=session,
                                      Offset=acked).ready("PUT")
                    at = c.offset()
                    require(at >= acked, f"OFFSET({at}) below the Offset {acked}")
                    if content and r.random() < 0.3:
                        c.send(wire.data(at, content[at:at + 777])) if at < len(content) else None
                        acked = at
                        (c.reset if r.random() < 0.5 else c.close)()
                        continue
                    if len(content) == at and known or at == len(content) and not content and known:
                        c.complete(content)
                    else:
                        c.push(ready, content, start=at, end=not known, piece=r.choice((100, 5000, 1 << 30)))
                    break
            model[name] = content
        elif r.random() < 0.2:
            with node.connect() as c:
                c.command(f"DELETE {name}").info("DELETED")
            del model[name]
            require(node.stat(name) is None, f"{name} is still there")
        else:
            content, start = model[name], 0
            if content:
                start = r.randrange(len(content) + 1)
            window = r.choice((None, 100, 10_000, 1 << 20))
            with node.connect() as c:
                ready = c.command(f"GET {name}", Offset=start, Window=window,
                                  Max_Data=r.choice((50, 1000, 1 << 20)) if len(content) < 10_000 else None).ready("GET")
                require(c.pull(len(content), start, window) == content[start:], f"{name} reads differently")
                c.complete(content)


# ================================================================ running


def run_check(function, node, report):
    began = time.monotonic()
    try:
        if function.needs_root and not node.root:
            raise Skipped("needs --root")
        if function.needs_live and not node.options.live:
            raise Skipped("needs --live")
        function(node)
        report("ok", function.check_name, "", began)
    except Skipped as e:
        report("skip", function.check_name, str(e), began)
    except Failed as e:
        line = next((f.lineno for f in reversed(traceback.extract_tb(e.__traceback__))
                     if f.name == function.__name__), 0)
        report("FAIL", function.check_name, f"{e} [line {line}]", began)
    except Exception as e:  # a bug of the check or of the node: either way the check did not pass
        if os.environ.get("CONFORMANCE_TRACE"):
            traceback.print_exc()
        report("FAIL", function.check_name, f"{type(e).__name__}: {e}", began)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int)
    parser.add_argument("--root", help="the directory that the node serves")
    parser.add_argument("--seed", default=None)
    parser.add_argument("--only", action="append", help="checks whose name contains this; may be repeated")
    parser.add_argument("--list", action="store_true", help="names the checks")
    parser.add_argument("--soak", action="store_true", help="random conversations for longer")
    parser.add_argument("--soak-seconds", type=float, default=60)
    parser.add_argument("--no-slow", action="store_true", help="leave out the checks that wait for Idle")
    parser.add_argument("--max-idle", type=int, default=15, help="the longest Idle that is waited for")
    parser.add_argument("--live", help="name of a configured live stream")
    parser.add_argument("--live-sha256")
    parser.add_argument("--live-size", type=int)
    parser.add_argument("--live-pattern", help="file whose content, repeated, is the live stream's")
    options = parser.parse_args(arguments)
    chosen = [f for f in CHECKS if not options.only or any(o in f.check_name for o in options.only)]
    if options.no_slow:
        chosen = [f for f in chosen if not f.is_slow]
    if options.list:
        print("\n".join(f.check_name for f in chosen))
        return 0
    if options.port is None:
        parser.error("--port is needed")
    if options.seed is None:
        options.seed = str(random.SystemRandom().randrange(1 << 32))
    print(f"seed {options.seed}", flush=True)
    counts, lock = {"ok": 0, "FAIL": 0, "skip": 0}, threading.Lock()

    def report(outcome, name, reason, began):
        reason = reason.encode("unicode_escape").decode()
        with lock:
            counts[outcome] += 1
            print(f"{outcome} {name}" + (f": {reason}" if reason else ""), flush=True)
            if os.environ.get("CONFORMANCE_TIMES"):
                print(f"   {time.monotonic() - began:.2f} s", flush=True)

    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    base = Node(options, options.seed)
    slow = [threading.Thread(target=run_check, args=(f, base.sibling(f.check_name), report), daemon=True)
            for f in chosen if f.is_slow]
    for thread in slow:
        thread.start()
    for function in chosen:
        if not function.is_slow:
            run_check(function, base.sibling(function.check_name), report)
    for thread in slow:
        thread.join()
    print(f"{counts['ok']} passed, {counts['FAIL']} failed, {counts['skip']} skipped", flush=True)
    return 1 if counts["FAIL"] or not counts["ok"] else 0


if __name__ == "__main__":
    sys.exit(main())
