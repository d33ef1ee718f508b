"""Serves a SavedModel as SageMaker's TensorFlow images do: requests of TensorFlow Serving's REST API (tensorflow.org, "RESTful API"),
CSV and JSON lines made into them, and the handlers of an inference.py around them (sagemaker-tensorflow-serving-container)."""
import base64
import collections
import glob
import io
import json
import os
import re

from salvia.content import CSV, JSON, JSON_LINES, UnsupportedType, plain
from salvia.environment import base
from salvia.errors import BadRequest, UserError

Context = collections.namedtuple(
    "Context",
    "model_name model_version method rest_uri grpc_port custom_attributes request_content_type accept_header content_length",
)
DEFAULT_SIGNATURE = "serving_default"
ROUTE = re.compile(r"^/v1/models/(?P<name>[^/:]+)(?:/versions/(?P<version>\d+))?(?::(?P<method>predict))?$")


class Answer:
    """What TensorFlow Serving would have answered, as output_handler reads it (requests.Response)."""

    def __init__(self, status_code, content):
        self.status_code, self.content = status_code, content
        self.headers = {"Content-Type": JSON}

    @property
    def text(self):
        return self.content.decode("utf8")

    def json(self):
        return json.loads(self.content)


def find_models(folder):
    """{name: (version, path)} of the newest version of each model: `<name>/<version>/saved_model.pb`, at any depth."""
    found = {}
    for path in glob.glob(os.path.join(glob.escape(folder), "**", "saved_model.pb"), recursive=True):
        place = os.path.dirname(path)
        version, parent = os.path.basename(place), os.path.dirname(place)
        is_versioned = version.isdigit() and len(os.path.relpath(place, folder)) > 0
        # A model that lies in the archive's root has no name of its own.
        name = "model" if os.path.samefile(parent if is_versioned else place, folder) else os.path.basename(parent if is_versioned else place)
        number = int(version) if is_versioned else 1
        if name not in found or number > found[name][0]:
            found[name] = (number, place)
    return found


def _given(value):
    """Bytes stand in JSON as {"b64": "..."}."""
    if isinstance(value, dict) and list(value) == ["b64"]:
        return base64.b64decode(value["b64"])
    return [_given(each) for each in value] if isinstance(value, list) else value


def _shown(value):
    if isinstance(value, bytes):
        try:
            return value.decode("utf8")
        except UnicodeDecodeError:
            return {"b64": base64.b64encode(value).decode()}
    return [_shown(each) for each in value] if isinstance(value, list) else value


class Model:
    def __init__(self, path):
        import tensorflow

        self._tensorflow = tensorflow
        self._loaded = tensorflow.saved_model.load(path)
        if not self._loaded.signatures:
            raise UserError(f"The SavedModel {os.path.relpath(path, base('model'))} has no signatures: save it with one (Keras: model.export).")

    def _signature(self, name):
        signatures = self._loaded.signatures
        if name in signatures:
            return signatures[name]
        if name == DEFAULT_SIGNATURE and len(signatures) == 1:
            return next(iter(signatures.values()))
        raise BadRequest(f'Serving signature name: "{name}" not found in signature def: it has {", ".join(sorted(signatures))}')

    def predict(self, request):
        """The answer's JSON, of the request's. Raises BadRequest."""
        if not isinstance(request, dict) or ("instances" in request) == ("inputs" in request):
            raise BadRequest('JSON Value: a request is an object with either "instances" or "inputs"')
        signature = self._signature(request.get("signature_name", DEFAULT_SIGNATURE))
        specs = signature.structured_input_signature[1]
        is_rows = "instances" in request
        columns = self._columns(request["instances"], specs) if is_rows else self._named(request["inputs"], specs)
        try:
            tensors = {name: self._tensorflow.constant(_given(columns[name]), dtype=specs[name].dtype) for name in specs}
            outputs = {name: _shown(tensor.numpy().tolist()) for name, tensor in signature(**tensors).items()}
        except (TypeError, ValueError, self._tensorflow.errors.OpError) as error:
            raise BadRequest(str(error)) from error
        single = next(iter(outputs.values())) if len(outputs) == 1 else None
        if not is_rows:
            return {"outputs": outputs if single is None else single}
        if single is not None:
            return {"predictions": single}
        return {"predictions": [dict(zip(outputs, row)) for row in zip(*outputs.values())]}

    @staticmethod
    def _named(inputs, specs):
        if isinstance(inputs, dict) and not (list(inputs) == ["b64"]):
            columns = inputs
        elif len(specs) == 1:
            columns = {next(iter(specs)): inputs}
        else:
            raise BadRequest(f"The model has several inputs: name each of {', '.join(sorted(specs))}")
        if set(columns) != set(specs):
            raise BadRequest(f"The inputs are {', '.join(sorted(columns))}, those of the model are {', '.join(sorted(specs))}")
        return columns

    @classmethod
    def _columns(cls, instances, specs):
        """Rows as columns: each is a value of the only input, or an object by the inputs' names."""
        if not isinstance(instances, list) or len(instances) == 0:
            raise BadRequest('"instances" is a list with at least one row')
        if not all(isinstance(row, dict) and list(row) != ["b64"] for row in instances):
            return cls._named(instances, specs) if len(specs) == 1 else cls._named({}, specs)
        names = set(instances[0])
        if any(set(row) != names for row in instances):
            raise BadRequest("The rows of a request have the same inputs")
        return cls._named({name: [row[name] for row in instances] for name in names}, specs)


def _cells(line):
    cells = [cell.strip() for cell in line.split(",")]
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        values = [cell.strip('"') for cell in cells]
    return values if len(values) > 1 else values[0]


def request_of(body, content_type):
    """The request to TensorFlow Serving that a body stands for. Raises BadRequest, UnsupportedType."""
    kind = plain(content_type)
    text = body.decode("utf8")
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        if kind == CSV:
            return {"instances": [_cells(line) for line in lines]}
        if kind == JSON_LINES:
            return {"instances": [json.loads(line) for line in lines]}
        if kind in (JSON, "application/octet-stream", ""):
            given = json.loads(text)
            if isinstance(given, dict) and ("instances" in given or "inputs" in given):
                return given
            is_rows = isinstance(given, list) and len(given) > 0 and isinstance(given[0], list)
            return {"instances": given if is_rows else [given]}
    except json.JSONDecodeError as error:
        raise BadRequest(f"JSON Parse error: {error}") from error
    raise UnsupportedType(f"content type {content_type} is not supported: {CSV}, {JSON} and {JSON_LINES} are")


class SavedModels:
    """What answers a request: the models of the archive, and the script's handlers, if it has some."""

    default_accept = JSON
    execution_parameters = None
    is_nothing_for_nothing = False

    def __init__(self, module):
        self._handler = getattr(module, "handler", None)
        self._before = getattr(module, "input_handler", None)
        self._after = getattr(module, "output_handler", None)
        if self._handler is None and (self._before is None) != (self._after is None):
            raise UserError("An inference.py has either handler, or both input_handler and output_handler.")
        self._models = {}
        self._default = None

    @staticmethod
    def fits(module):
        """Whether the script, if there is one, is one of this container's: the others have a model_fn."""
        return not any(hasattr(module, name) for name in ("model_fn", "transform_fn", "predict_fn"))

    def load(self, folder=None):
        found = find_models(folder or base("model"))
        if not found:
            raise UserError("There is no SavedModel (saved_model.pb) in the model, and the script has no model_fn.")
        wanted = os.environ.get("SAGEMAKER_TFS_DEFAULT_MODEL_NAME", "")
        self._default = wanted if wanted in found else sorted(found)[0]
        self._models = {name: (version, Model(path)) for name, (version, path) in found.items()}

    def rest(self, method, path, body):
        """(status, bytes) of a request to TensorFlow Serving's REST API; None: it is none."""
        match = ROUTE.match(path)
        if match is None:
            return None
        name = match["name"]
        if name not in self._models:
            return "404 Not Found", _error(f"Servable not found for request: Latest({name})")
        if method == "GET" and match["method"] is None:
            status = {"version": str(self._models[name][0]), "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
            return "200 OK", json.dumps({"model_version_status": [status]}).encode()
        if method != "POST" or match["method"] is None:
            return "400 Bad Request", _error(f"Malformed request: {method} {path}")
        answer = self._predict(name, body)
        return ("200 OK" if answer.status_code == 200 else "400 Bad Request"), answer.content

    def _predict(self, name, body):
        try:
            request = json.loads(body)
            return Answer(200, json.dumps(self._models[name][1].predict(request)).encode())
        except json.JSONDecodeError as error:
            return Answer(400, _error(f"JSON Parse error: {error}"))
        except BadRequest as error:
            return Answer(400, _error(str(error)))

    def answer(self, body, content_type, accept, custom_attributes=""):
        attributes = dict(pair.split("=", 1) for pair in custom_attributes.split(",") if "=" in pair)
        name = attributes.get("tfs-model-name", self._default)
        if name not in self._models:
            raise BadRequest(f"There is no model {name}: there are {', '.join(sorted(self._models))}")
        context = self._context(name, content_type, accept, custom_attributes, len(body))
        if self._handler is not None:
            return _pair(self._handler(io.BytesIO(body), context), accept)
        if self._before is not None:
            asked = self._before(io.BytesIO(body), context)
            answer = self._predict(name, asked if isinstance(asked, (str, bytes)) else json.dumps(asked))
            return _pair(self._after(answer, context), accept)
        if plain(accept) not in (JSON, JSON_LINES):
            raise UnsupportedType(f"accept type {accept} is not supported: {JSON} and {JSON_LINES} are")
        return json.dumps(self._models[name][1].predict(request_of(body, content_type))).encode(), accept

    def _context(self, name, content_type, accept, custom_attributes, length):
        host = os.environ.get("SALVIA_BIND_HOST", "127.0.0.1")
        port = os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080")
        uri = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}/v1/models/{name}:predict"
        version = str(self._models[name][0])
        return Context(name, version, "predict", uri, None, custom_attributes, content_type, accept, length)


def _error(message):
    return json.dumps({"error": message}).encode()


def _pair(given, accept):
    body, content_type = given if isinstance(given, tuple) else (given, accept)
    if isinstance(body, str):
        body = body.encode()
    return (body if isinstance(body, (bytes, bytearray)) else json.dumps(body).encode()), content_type
