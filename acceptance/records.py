"""The wire formats of SageMaker's built-in algorithms, written here a second time so that the tests share no code with Salvia."""
import io
import struct

import numpy as np


def varint(value):
    out = b""
    while True:
        byte = value & 0x7F
        value >>= 7
        out += bytes([byte | (0x80 if value else 0)])
        if not value:
            return out


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def entry(number, value):
    return field(number, field(1, b"values") + field(2, value))


def frame(record):
    return struct.pack("<II", 0xCED7230A, len(record)) + record + b"\0" * (-len(record) % 4)


def dense_tensor(rows, labels=None):
    """recordio-protobuf, with labels when given, as write_numpy_to_dense_tensor makes it."""
    out = io.BytesIO()
    for at, row in enumerate(rows):
        record = entry(1, field(2, field(1, row.astype("<f4").tobytes())))
        if labels is not None:
            record += entry(2, field(7, field(1, varint(int(labels[at])))))
        out.write(frame(record))
    return out.getvalue()


def sparse_tensor(rows):
    """recordio-protobuf with keys, values and shape, as write_spmatrix_to_sparse_tensor makes it."""
    out = io.BytesIO()
    for row in rows:
        keys = np.flatnonzero(row)
        values = field(1, row[keys].astype("<f4").tobytes())
        values += field(2, b"".join(varint(int(key)) for key in keys)) + field(3, varint(len(row)))
        out.write(frame(entry(1, field(2, values))))
    return out.getvalue()


def csv_lines(rows):
    return "\n".join(",".join("%g" % value for value in row) for row in rows) + "\n"


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at


def fields_of(message):
    """(number, payload) of every length-delimited field."""
    at = 0
    while at < len(message):
        tag, at = read_varint(message, at)
        assert tag & 7 == 2, f"field {tag >> 3} has wire type {tag & 7}"
        length, at = read_varint(message, at)
        yield tag >> 3, message[at : at + length]
        at += length


def labels_of(body):
    """The label maps of recordio-protobuf records: a list of {key: float32 values}."""
    records, at = [], 0
    while at < len(body):
        magic, length = struct.unpack_from("<II", body, at)
        assert magic == 0xCED7230A, hex(magic)
        labels = {}
        for number, pair in fields_of(body[at + 8 : at + 8 + length]):
            assert number == 2, f"a prediction has the field {number}"
            parts = dict(fields_of(pair))
            tensor = dict(fields_of(parts[2]))[2]
            labels[parts[1].decode()] = np.frombuffer(dict(fields_of(tensor))[1], dtype="<f4")
        records.append(labels)
        at += 8 + length + (-length % 4)
    return records


def read_ndarray(data):
    """The arrays of an MXNet NDArray file (mx.nd.load): a list of float32 arrays."""
    magic, _, count = struct.unpack_from("<QQQ", data, 0)
    assert magic == 0x112, hex(magic)
    arrays, at = [], 24
    for _ in range(count):
        array_magic, storage, dimensions = struct.unpack_from("<IiI", data, at)
        assert array_magic == 0xF993FAC9 and storage == 0, (hex(array_magic), storage)
        shape = struct.unpack_from(f"<{dimensions}q", data, at + 12)
        at += 12 + 8 * dimensions
        *_, kind = struct.unpack_from("<iii", data, at)
        assert kind == 0, f"type {kind}"
        size = int(np.prod(shape))
        arrays.append(np.frombuffer(data, dtype="<f4", count=size, offset=at + 12).reshape(shape))
        at += 12 + 4 * size
    return arrays


def write_ndarray(array):
    """An MXNet NDArray file with one array, as mx.nd.save makes it."""
    out = struct.pack("<QQQIiI", 0x112, 0, 1, 0xF993FAC9, 0, array.ndim) + struct.pack(f"<{array.ndim}q", *array.shape)
    return out + struct.pack("<iii", 1, 0, 0) + array.astype("<f4").tobytes() + struct.pack("<Q", 0)


def records_of(text):
    """The payloads of a RecordIO stream, which the reader has kept as Latin-1."""
    data, at, found = text.encode("latin1"), 0, []
    while at < len(data):
        assert data[at : at + 4] == b"\x0a\x23\xd7\xce", (at, data[at : at + 20])
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        found.append(data[at + 8 : at + 8 + length].decode())
        at += 8 + (length + 3) // 4 * 4
    return found
