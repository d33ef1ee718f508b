"""Request and response bodies as arrays, by content type: what sagemaker-inference-toolkit decodes and encodes by default."""
import io
import json

import numpy as np

CSV, JSON, JSON_LINES, NPY, NPZ = "text/csv", "application/json", "application/jsonlines", "application/x-npy", "application/x-npz"


class UnsupportedType(Exception):
    """415 for a request, 406 for an answer."""


def plain(content_type):
    """Without parameters, in small letters."""
    return (content_type or "").split(";")[0].strip().lower()


def _from_csv(body):
    text = body.decode("utf8")
    rows = np.genfromtxt(io.StringIO(text), dtype=np.float64, delimiter=",", ndmin=2)
    if np.isnan(rows).any() and not _says_nan(text):
        rows = np.genfromtxt(io.StringIO(text), dtype=str, delimiter=",", ndmin=2)
    return rows


def _says_nan(text):
    return "nan" in text.lower() or ",," in text or text.startswith(",") or ",\n" in text or text.rstrip("\n").endswith(",")


def _from_npz(body):
    """Of scipy.sparse.save_npz, which the SDK's SparseMatrixSerializer sends, the sparse matrix; else the first array."""
    with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
        if not {"format", "shape", "data"} <= set(arrays.files):
            return arrays[arrays.files[0]]
    try:
        from scipy import sparse
    except ImportError as error:
        raise UnsupportedType(f"a sparse matrix as {NPZ} needs scipy: name it in requirements.txt") from error
    return sparse.load_npz(io.BytesIO(body))


_decoders = {
    CSV: _from_csv,
    JSON: lambda body: np.array(json.loads(body)),
    JSON_LINES: lambda body: np.array([json.loads(line) for line in body.splitlines() if line.strip()]),
    NPY: lambda body: np.load(io.BytesIO(body), allow_pickle=False),
    NPZ: _from_npz,
}


def decode(body, content_type):
    """An array of the body; of CSV always with two dimensions. Raises UnsupportedType."""
    decoder = _decoders.get(plain(content_type))
    if decoder is None:
        raise UnsupportedType(f"content type {content_type or '(none)'} is not supported: {', '.join(_decoders)} are")
    return decoder(body)


def _plain_value(value):
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "detach"):
        return value.detach().cpu().numpy().tolist()
    raise TypeError(f"{type(value).__name__} cannot become JSON")


def _array(value):
    return value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)


def _to_csv(value):
    array = _array(value)
    rows = array.reshape(-1, 1) if array.ndim < 2 else array
    return "".join(",".join(map(str, row.tolist())) + "\n" for row in rows).encode()


def _to_npy(value):
    buffer = io.BytesIO()
    np.save(buffer, _array(value), allow_pickle=False)
    return buffer.getvalue()


def _to_json_lines(value):
    return "".join(json.dumps(row, default=_plain_value) + "\n" for row in value).encode()


_encoders = {
    JSON: lambda value: json.dumps(value, default=_plain_value).encode(),
    CSV: _to_csv,
    NPY: _to_npy,
    JSON_LINES: _to_json_lines,
}


def encode(value, accept):
    """Bytes in the accepted type. Raises UnsupportedType."""
    encoder = _encoders.get(plain(accept))
    if encoder is None:
        raise UnsupportedType(f"accept type {accept} is not supported: {', '.join(_encoders)} are")
    return encoder(value)
