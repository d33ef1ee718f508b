"""RecordIO-protobuf as SageMaker's algorithms exchange it: frames with a magic number around `aialgs.data.Record` messages."""
import struct

import numpy as np

MAGIC = 0xCED7230A
_tensor_types = {2: np.dtype("<f4"), 3: np.dtype("<f8"), 7: np.dtype("<i4")}


def _varint(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _fields(data):
    """(number, value) of a message: bytes of what has a length, else a number."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, at = _varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value, at = data[at:at + size], at + size
        elif kind == 2:
            size, at = _varint(data, at)
            value, at = data[at:at + size], at + size
            if len(value) < size:
                raise ValueError("a record ends too early")
        else:
            raise ValueError(f"a record has a field of the unknown kind {kind}")
        yield number, value


def _integers(value):
    if isinstance(value, int):
        return [value]
    found, at = [], 0
    while at < len(value):
        number, at = _varint(value, at)
        found.append(number)
    return found


def _tensor(message):
    """(values, keys or None, length of the whole)."""
    values, keys, shape = [], [], []
    kind, tensor = next(_fields(message), (2, b""))
    if kind not in _tensor_types:
        raise ValueError("a record's value is no tensor of numbers")
    for number, value in _fields(tensor):
        if number == 1 and kind == 7:
            values.append(np.array(_integers(value), dtype=np.uint64).astype(np.uint32).astype(np.int32))
        elif number == 1:
            values.append(np.frombuffer(value, _tensor_types[kind]))
        elif number == 2:
            keys.extend(_integers(value))
        elif number == 3:
            shape.extend(_integers(value))
    joined = np.concatenate(values) if values else np.empty(0)
    return joined, np.array(keys, dtype=np.int64) if keys else None, int(np.prod(shape)) if shape else 0


def _of_map(data, field):
    """The first entry of a map<string, Value>."""
    for number, entry in _fields(data):
        if number == field:
            for part, value in _fields(entry):
                if part == 2:
                    return _tensor(value)
    return None


def records_of(file):
    """(values, keys or None for dense, length, label or None) of each record. Raises ValueError for what is no RecordIO."""
    while True:
        head = file.read(8)
        if not head:
            return
        if len(head) < 8 or struct.unpack("<I", head[:4])[0] != MAGIC:
            raise ValueError("there is no RecordIO frame where one should begin")
        size = struct.unpack("<I", head[4:])[0]
        if size >> 29:
            raise ValueError("a record in several parts is not supported")
        data = file.read(size)
        file.read(-size % 4)
        if len(data) < size:
            raise ValueError("a record ends too early")
        try:
            features, label = _of_map(data, 1), _of_map(data, 2)
        except IndexError as error:
            raise ValueError("a record ends too early") from error
        if features is None:
            raise ValueError("a record has no features")
        yield (*features, float(label[0][0]) if label is not None and len(label[0]) > 0 else None)


def _delimited(number, data):
    size, head = len(data), bytearray([number << 3 | 2])
    while size > 0x7F:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    head.append(size)
    return bytes(head) + data


def record_of(labels):
    """One framed record without features, whose labels are these arrays as float32 tensors."""
    entries = (
        _delimited(1, name.encode()) + _delimited(2, _delimited(2, _delimited(1, np.asarray(values, "<f4").tobytes())))
        for name, values in labels.items()
    )
    data = b"".join(_delimited(2, entry) for entry in entries)
    return struct.pack("<II", MAGIC, len(data)) + data + b"\0" * (-len(data) % 4)
