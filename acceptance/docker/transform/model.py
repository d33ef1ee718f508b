"""Serves what MODE says and answers with what it was given: the container contract of batch transform, by hand."""
import hashlib
import http.server
import json
import os
import signal
import struct
import threading

mode = os.environ.get("MODE", "lines")
wishes = os.environ.get("EXECUTION_PARAMETERS")
together = int(os.environ.get("TOGETHER", "1"))


class Refused(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


def recordio(body):
    """Each record's payload; one that was split in parts is joined by the magic that was cut out of it."""
    records, parts, at = [], [], 0
    while at < len(body):
        magic, word = struct.unpack_from("<II", body, at)
        flag, length = word >> 29, word & ((1 << 29) - 1)
        if magic != 0xCED7230A or at + 8 + length > len(body):
            raise Refused(500, f"no whole records: {len(body)} bytes, at {at}")
        parts.append(body[at + 8 : at + 8 + length])
        at += 8 + (length + 3) // 4 * 4
        if flag in (0, 3):
            records.append(struct.pack("<I", 0xCED7230A).join(parts))
            parts = []
    if at != len(body) or parts:
        raise Refused(500, "a record is torn apart")
    return records


def tfrecord(body):
    records, at = [], 0
    while at < len(body):
        (length,) = struct.unpack_from("<Q", body, at)
        if at + 16 + length > len(body):
            raise Refused(500, f"no whole records: {len(body)} bytes, at {at}")
        records.append(body[at + 12 : at + 12 + length])
        at += 16 + length
    return records


def told(records):
    """One line for a request, so that the output tells how the records were batched."""
    return json.dumps([[len(record), hashlib.md5(record).hexdigest()] for record in records])


class Group:
    """Lets requests go only `together` at a time, the last one first."""

    def __init__(self):
        self.lock = threading.Condition()
        self.arrived = 0
        self.answered = set()

    def pass_through(self):
        with self.lock:
            number = self.arrived
            self.arrived += 1
            self.lock.notify_all()
            whole = (number // together + 1) * together
            if not self.lock.wait_for(lambda: self.arrived >= whole, timeout=60):
                raise Refused(500, f"only {self.arrived} requests came at the same time")
            last = number == whole - 1
            if not last and not self.lock.wait_for(lambda: number + 1 in self.answered, timeout=60):
                raise Refused(500, "the next request was not answered")
            self.answered.add(number)
            self.lock.notify_all()


group = Group()
seen = {}


def csv_line(line):
    return str(sum(float(field) for field in line.split(",")))


def json_line(line):
    value = json.loads(line)
    return json.dumps({"kind": type(value).__name__, "seen": value})


def answer_to(body, headers):
    text = body.decode("utf-8", "replace")
    if "refuse-4" in text:
        raise Refused(400, "this record is none of mine")
    if "refuse-5" in text:
        raise Refused(500, "out of order")
    if mode == "recordio":
        return told(recordio(body))
    if mode == "tfrecord":
        return told(tfrecord(body))
    if mode == "whole":
        return told([body])
    if mode == "together":
        group.pass_through()
        return text.strip()
    if mode == "environment":
        return json.dumps({name: value for name, value in os.environ.items() if name.startswith(("SAGEMAKER_", "TRANSFORM_"))})
    if mode == "headers":
        return json.dumps({name.lower(): value for name, value in headers.items()})
    if mode == "flaky":
        seen[text] = seen.get(text, 0) + 1
        if seen[text] < 3:
            raise Refused(503, "not yet")
        return text.strip()
    if mode == "csv":
        return "\n".join(map(csv_line, text.splitlines()))
    if mode == "json":
        return "\n".join(map(json_line, text.splitlines()))
    if mode == "silent":
        threading.Event().wait(30)
    return json.dumps(text.splitlines())


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/ping":
            self.answer(200, "")
        elif self.path == "/execution-parameters" and wishes is not None:
            self.answer(200, wishes)
        else:
            self.answer(404, "no such route")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            self.answer(200, answer_to(body, self.headers))
        except Refused as refused:
            self.answer(refused.status, str(refused))

    def log_message(self, *_):
        pass


# A container's first process has no default action for it.
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
http.server.ThreadingHTTPServer(("", int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))), Handler).serve_forever()
