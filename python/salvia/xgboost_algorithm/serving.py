"""Answers requests with a model that XGBoost's algorithm mode has trained, in SageMaker's formats."""
import glob
import json
import os
import pickle

import numpy as np
import xgboost

from salvia.content import UnsupportedType, plain
from salvia.environment import base
from salvia.errors import BadRequest, UserError
from salvia.recordio import record_of
from salvia.xgboost_algorithm.data import CSV, LIBSVM, RECORDIO, format_of, matrix_of_body

_encodings = ("text/csv", "application/json", "application/jsonlines", "application/x-recordio-protobuf")
_selectable = ("predicted_label", "labels", "probability", "probabilities", "raw_score", "raw_scores", "predicted_score")


class _State:
    """Stands for a pickled Booster whose state XGBoost itself no longer reads."""

    def __setstate__(self, state):
        self.state = state


class _OldPickle(pickle.Unpickler):
    def find_class(self, module, name):
        return _State if (module, name) == ("xgboost.core", "Booster") else super().find_class(module, name)


def _unpickled(path):
    """Before 1.0 a pickle held the model as it stands in a file, without what newer ones have around it."""
    try:
        with open(path, "rb") as file:
            return pickle.load(file)
    except xgboost.core.XGBoostError:
        with open(path, "rb") as file:
            found = _OldPickle(file).load()
        raw = found.state.get("handle") if isinstance(found, _State) else None
        if raw is None:
            raise
        booster = xgboost.Booster()
        booster.load_model(bytearray(raw))
        return booster


def load_booster(folder):
    """The model of a folder: XGBoost's own formats, or a pickled Booster as older images wrote it. Raises UserError."""
    preferred = [os.path.join(folder, "xgboost-model")]
    paths = [path for path in preferred + sorted(glob.glob(os.path.join(folder, "*"))) if os.path.isfile(path)]
    if not paths:
        raise UserError("There is no model file (xgboost-model) in the model.")
    with open(paths[0], "rb") as file:
        is_pickle = file.read(1) == b"\x80"
    try:
        if is_pickle:
            booster = _unpickled(paths[0])
        else:
            booster = xgboost.Booster()
            booster.load_model(paths[0])
    except Exception as error:
        raise UserError(f"Unable to load model: {os.path.basename(paths[0])}: {str(error).splitlines()[0] if str(error) else error!r}") from error
    return booster


def _objective_of(booster):
    return json.loads(booster.save_config())["learner"]["objective"]["name"]


class XgboostModel:
    """`answer(body, content type, accept)` gives (body, content type)."""

    default_accept = "text/csv"
    execution_parameters = {"MaxConcurrentTransforms": os.cpu_count() or 1, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}
    is_nothing_for_nothing = True

    def __init__(self):
        self._booster, self._objective = None, ""
        wanted = os.environ.get("SAGEMAKER_INFERENCE_OUTPUT", "")
        self._selected = [name.strip().lower() for name in wanted.split(",") if name.strip()]
        # Images before 1.2 separated the answers by commas; since then each has a line.
        asked = os.environ.get("SALVIA_FRAMEWORK_ASKED", "")
        self._is_old = asked.startswith(("0.", "1.0"))
        self._is_batch = os.environ.get("SAGEMAKER_BATCH") == "true"

    def load(self, folder=None):
        for name in self._selected:
            if name not in _selectable:
                raise UserError(f"SAGEMAKER_INFERENCE_OUTPUT: {name} is none of {', '.join(_selectable)}")
        self._booster = load_booster(folder or base("model"))
        self._objective = _objective_of(self._booster)

    def answer(self, body, content_type, accept, _custom_attributes=""):
        accepted = plain(accept.split(",")[0])
        if accepted not in _encodings:
            raise UnsupportedType(f"accept type {accept} is not supported: {', '.join(_encodings)} are")
        matrix = self._matrix(body, content_type)
        try:
            predicted = self._predict(matrix)
            return self._encoded(predicted, matrix, accepted), accepted
        except (xgboost.core.XGBoostError, ValueError) as error:
            raise BadRequest(f"Unable to evaluate payload provided: {str(error).splitlines()[0]}") from error

    def _matrix(self, body, content_type):
        try:
            form = format_of("" if plain(content_type) == "application/octet-stream" else content_type, CSV)
        except UserError as error:
            raise UnsupportedType(f"content type {content_type} is not supported: text/csv, text/libsvm, application/x-recordio-protobuf are") from error
        try:
            matrix = matrix_of_body(body, form)
        except Exception as error:
            raise UnsupportedType(f"Loading {form} data failed, please ensure data is in {form} format: {error}") from error
        self._check_width(matrix, form)
        return matrix

    def _check_width(self, matrix, form):
        given, trained = matrix.num_col(), self._booster.num_features()
        if form == LIBSVM and given > trained + 1:
            raise BadRequest(f"Feature size of libsvm inference data {given} is larger than feature size of trained model {trained}.")
        if form in (CSV, RECORDIO) and given not in (trained, trained - 1):
            raise BadRequest(f"Feature size of {form} inference data {given} is not consistent with feature size of trained model {trained}.")

    def _predict(self, matrix, **more):
        best = getattr(self._booster, "best_iteration", None) if "best_iteration" in self._booster.attributes() else None
        last = {} if best is None else {"iteration_range": (0, int(best) + 1)}
        return self._booster.predict(matrix, validate_features=False, **last, **more)

    def _encoded(self, predicted, matrix, accepted):
        if self._selected:
            return _selected_as(self._selections(predicted, matrix), self._selected, accepted)
        values = predicted.tolist()
        if accepted == "text/csv":
            if self._is_old and not self._is_batch:
                return ",".join(map(str, values)).encode()
            return "".join(f"{value}\n" for value in values).encode()
        if accepted == "application/json":
            return json.dumps({"predictions": [{"score": value} for value in values]}).encode()
        if accepted == "application/jsonlines":
            return "".join(json.dumps({"score": value}) + "\n" for value in values).encode()
        return b"".join(record_of({"score": np.atleast_1d(value)}) for value in values)

    def _selections(self, predicted, matrix):
        """A dict per row."""
        raw = self._predict(matrix, output_margin=True)
        return [{name: self._selection(name, value, margin) for name in self._selected} for value, margin in zip(predicted, raw)]

    def _selection(self, name, predicted, margin):
        is_binary, is_many = self._objective.startswith("binary:"), self._objective.startswith("multi:")
        probabilities = _softmax(margin) if is_many else np.array([1 - predicted, predicted]) if self._objective == "binary:logistic" else None
        if name == "predicted_score":
            return np.nan if is_binary or is_many else float(predicted)
        if name == "raw_score":
            return float(np.max(margin)) if is_many else float(margin)
        if name == "raw_scores":
            return [float(value) for value in margin] if is_many else [-float(margin), float(margin)] if is_binary else np.nan
        if name == "labels":
            return list(range(len(margin))) if is_many else [0, 1] if is_binary else np.nan
        if name == "predicted_label":
            return int(np.argmax(margin)) if is_many else int(margin > 0) if is_binary else np.nan
        if probabilities is None:
            return np.nan
        return [float(value) for value in probabilities] if name == "probabilities" else float(probabilities.max() if is_many else probabilities[1])


def _softmax(margin):
    powers = np.exp(margin - np.max(margin))
    return powers / powers.sum()


def _selected_as(rows, names, accepted):
    if accepted == "text/csv":
        return "".join(",".join(_cell(row[name]) for name in names) + "\n" for row in rows).encode()
    plain_rows = [{name: None if isinstance(row[name], float) and np.isnan(row[name]) else row[name] for name in names} for row in rows]
    if accepted == "application/json":
        return json.dumps({"predictions": plain_rows}).encode()
    if accepted == "application/jsonlines":
        return "".join(json.dumps(row) + "\n" for row in plain_rows).encode()
    return b"".join(record_of({name: np.atleast_1d(row[name]) for name in names}) for row in rows)


def _cell(value):
    return f'"{value}"' if isinstance(value, list) else str(value)
