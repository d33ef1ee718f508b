"""Rows for XGBoost: a channel's files, or a request's body, as a DMatrix. CSV has no header; its label is the first column."""
import io
import os

import numpy as np
import xgboost

from salvia.content import plain
from salvia.environment import base
from salvia.errors import UserError
from salvia.libsvm import rows_of
from salvia.recordio import records_of

CSV, LIBSVM, RECORDIO, PARQUET = "csv", "libsvm", "recordio-protobuf", "parquet"

_types = {
    "text/csv": CSV, "csv": CSV,
    "text/libsvm": LIBSVM, "text/x-libsvm": LIBSVM, "libsvm": LIBSVM,
    "application/x-recordio-protobuf": RECORDIO, "recordio-protobuf": RECORDIO,
    "application/x-parquet": PARQUET, "parquet": PARQUET,
}


def format_of(content_type, default=LIBSVM):
    """One of the formats above. Raises UserError for a type that XGBoost does not read."""
    if not content_type:
        return default
    parameters = [part.strip() for part in content_type.lower().split(";")[1:]]
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "label_size" and value.strip() != "1":
            raise UserError(f"ClientError: {content_type} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1")
    found = _types.get(plain(content_type))
    if found is None:
        raise UserError(f"ClientError: {content_type} is not an accepted ContentType: {', '.join(sorted(_types))} are")
    return found


def _files_of(channel, is_pipe):
    """Every file of a channel in the order of its names; of a pipe its first epoch."""
    if is_pipe:
        return [base("input", "data", f"{channel}_0")]
    found = []
    for folder, folders, names in os.walk(base("input", "data", channel)):
        folders.sort()
        paths = (os.path.join(folder, name) for name in sorted(names) if not name.startswith((".", "_")))
        found.extend(path for path in paths if os.path.getsize(path) > 0)
    return found


def _csv_rows(file, name):
    import pandas

    try:
        return pandas.read_csv(file, header=None, dtype=np.float32, skipinitialspace=True).to_numpy()
    except pandas.errors.EmptyDataError:
        return np.empty((0, 0), dtype=np.float32)
    except (ValueError, pandas.errors.ParserError) as error:
        raise UserError(f"ClientError: {name} is no CSV of numbers without a header: {error}") from error


def _stacked(blocks, what):
    widths = sorted({block.shape[1] for block in blocks})
    if len(widths) > 1:
        raise UserError(f"ClientError: the files of {what} have rows of different lengths: {', '.join(map(str, widths))}")
    return np.concatenate(blocks) if len(blocks) > 1 else blocks[0]


def _from_csv(files, channel, has_weights):
    blocks = [_csv_rows(file, os.path.basename(file)) for file in files]
    blocks = [block for block in blocks if block.size > 0]
    if not blocks:
        return None
    rows = _stacked(blocks, channel)
    first = 2 if has_weights else 1
    if rows.shape[1] <= first:
        raise UserError(f"ClientError: the rows of {channel} have {rows.shape[1]} columns: a label and features are needed")
    return xgboost.DMatrix(rows[:, first:], label=rows[:, 0], weight=rows[:, 1] if has_weights else None)


def _from_libsvm(files, channel):
    from scipy.sparse import vstack

    blocks, labels, weights = [], [], []
    for file in files:
        with open(file, "rb") as opened:
            try:
                rows, own_labels, own_weights = rows_of(opened.read(), labelled=True)
            except ValueError as error:
                raise UserError(f"ClientError: {os.path.basename(file)} is no libsvm: {error}") from error
        blocks.append(rows)
        labels.extend(own_labels)
        weights.extend(own_weights)
    width = max(block.shape[1] for block in blocks)
    for block in blocks:
        block.resize((block.shape[0], width))
    matrix = vstack(blocks, format="csr")
    if matrix.shape[0] == 0:
        return None
    has_weights = any(weight is not None for weight in weights)
    return xgboost.DMatrix(matrix, label=labels, weight=[1 if weight is None else weight for weight in weights] if has_weights else None)


def _from_recordio(files, channel):
    def all_of():
        for file in files:
            with open(file, "rb") as opened:
                yield from records_of(opened)

    try:
        rows, labels = _matrix_of(all_of())
    except ValueError as error:
        raise UserError(f"ClientError: the records of {channel} cannot be read: {error}") from error
    return None if rows.shape[0] == 0 else xgboost.DMatrix(rows, label=labels)


def _matrix_of(records):
    """Sparse, so that dense and sparse records may be mixed; labels are None where a record has none."""
    from scipy.sparse import csr_matrix

    data, indices, starts, labels, width = [], [], [0], [], 0
    for values, keys, length, label in records:
        keys = np.arange(len(values)) if keys is None else keys
        data.append(values)
        indices.append(keys)
        starts.append(starts[-1] + len(values))
        labels.append(label)
        width = max(width, length, int(keys.max()) + 1 if len(keys) > 0 else 0)
    joined = [np.concatenate(parts) if parts else np.empty(0) for parts in (data, indices)]
    matrix = csr_matrix((joined[0].astype(np.float32), joined[1].astype(np.int64), starts), shape=(len(labels), width))
    return matrix, None if any(label is None for label in labels) else labels


def _from_parquet(files, channel):
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise UserError("ClientError: application/x-parquet is not implemented: use text/csv") from error
    blocks = [pyarrow.parquet.read_table(file).to_pandas().to_numpy(dtype=np.float32) for file in files]
    rows = _stacked(blocks, channel)
    return xgboost.DMatrix(rows[:, 1:], label=rows[:, 0])


def matrix_of_channel(channel, form, is_pipe=False, has_weights=False):
    """A DMatrix with labels; None where the channel has no rows."""
    files = _files_of(channel, is_pipe)
    if not files:
        return None
    if form == CSV:
        return _from_csv(files, channel, has_weights)
    return {LIBSVM: _from_libsvm, RECORDIO: _from_recordio, PARQUET: _from_parquet}[form](files, channel)


def matrix_of_body(body, form):
    """Of a request: without labels. Raises ValueError where the body is not of its form."""
    if form == CSV:
        return xgboost.DMatrix(_body_rows(body))
    if form == LIBSVM:
        return xgboost.DMatrix(rows_of(body.strip()))
    if form == RECORDIO:
        return xgboost.DMatrix(_matrix_of(records_of(io.BytesIO(body)))[0])
    raise ValueError(f"{form} is not supported")


def _body_rows(body):
    import pandas

    text = io.BytesIO(body.strip())
    first = body.strip().split(b"\n", 1)[0]
    delimiter = next((sign for sign in (b",", b";", b"\t", b"|") if sign in first), b",").decode()
    return pandas.read_csv(text, header=None, dtype=np.float32, sep=delimiter, skipinitialspace=True).to_numpy()
