"""The user's functions and the defaults beside them: model_fn → input_fn → predict_fn → output_fn, or transform_fn in place of the last
three (sagemaker-inference-toolkit; the defaults of each framework's own container)."""
import glob
import importlib
import importlib.util
import os
import sys

from salvia import hugging_face
from salvia.content import decode, encode, plain
from salvia.environment import base
from salvia.errors import UserError


def _no_model_fn(_folder):
    raise UserError("Please provide a model_fn implementation: it loads your model from the folder that it is given.")


def _torch_model(folder):
    import torch

    found = sorted(glob.glob(os.path.join(folder, "model.pt")) + glob.glob(os.path.join(folder, "*.pt*")))
    if not found:
        raise UserError("There is no model.pt in the model, and the script has no model_fn.")
    return torch.jit.load(found[0], map_location="cpu").eval()


def _torch_predict(data, model):
    import torch

    with torch.no_grad():
        return model(torch.as_tensor(data, dtype=torch.float32) if not hasattr(data, "detach") else data)


def _xgboost_input(body, content_type):
    import xgboost

    if plain(content_type) in ("text/libsvm", "text/x-libsvm"):
        from salvia.libsvm import rows_of

        return xgboost.DMatrix(rows_of(body))
    return xgboost.DMatrix(decode(body, content_type))


def _predict(data, model):
    return model.predict(data)


class Defaults:
    """Of a framework, by its name in the table of frameworks."""

    def __init__(self, framework):
        models = {"pytorch": _torch_model, "huggingface-pytorch": hugging_face.load}
        self.model_fn = models.get(framework, _no_model_fn)
        self.input_fn = {"xgboost": _xgboost_input, "huggingface-pytorch": hugging_face.decode}.get(framework, decode)
        predictions = {"pytorch": _torch_predict, "huggingface-pytorch": hugging_face.predict}
        self.predict_fn = predictions.get(framework, _predict)
        self.output_fn = encode


class Handlers:
    """What answers one request. `answer` gives (body, content type)."""

    default_accept = "application/json"
    execution_parameters = None
    is_nothing_for_nothing = False

    def __init__(self, module, framework):
        defaults = Defaults(framework)
        self._transform = getattr(module, "transform_fn", None)
        names = ("input_fn", "predict_fn", "output_fn")
        if self._transform is not None and any(hasattr(module, name) for name in names):
            raise UserError("A script has either transform_fn, or input_fn, predict_fn and output_fn: not both.")
        self._model_fn = getattr(module, "model_fn", defaults.model_fn)
        self._input, self._predict, self._output = (getattr(module, name, getattr(defaults, name)) for name in names)
        self.model = None

    def load(self, folder=None):
        self.model = self._model_fn(folder or base("model"))

    def answer(self, body, content_type, accept, _custom_attributes=""):
        if self._transform is not None:
            return _as_response(self._transform(self.model, _text_if_text(body, content_type), content_type, accept), accept)
        user_input = body if self._input in (decode, _xgboost_input, hugging_face.decode) else _text_if_text(body, content_type)
        data = self._input(user_input, content_type)
        return _as_response(self._output(self._predict(data, self.model), accept), accept)


_text_types = ("text/", "application/json", "application/jsonlines")


def _text_if_text(body, content_type):
    """The user's functions are given text as str, as in SageMaker's containers; the defaults take bytes."""
    return body.decode("utf8") if plain(content_type).startswith(_text_types) else body


def _as_response(given, accept):
    """A body, a pair of body and content type, or an object with `response` and `mimetype` (sagemaker_containers' worker.Response)."""
    content_type = accept
    if isinstance(given, tuple):
        given, content_type = given[0], given[1]
    elif hasattr(given, "response") and hasattr(given, "mimetype"):
        given, content_type = given.response, given.mimetype or accept
        given = b"".join(part.encode() if isinstance(part, str) else part for part in ([given] if isinstance(given, (str, bytes)) else given))
    if isinstance(given, str):
        given = given.encode()
    return (given if isinstance(given, (bytes, bytearray)) else encode(given, content_type)), content_type


def own_module(program, folders, name):
    """The script of one model among several: a module of its own under `name`; None where the folders have none."""
    file = program if program.endswith(".py") else f"{program}.py"
    for folder in folders:
        path = os.path.join(folder, file)
        if os.path.exists(path):
            spec = importlib.util.spec_from_file_location(name, path)
            module = importlib.util.module_from_spec(spec)
            sys.path.insert(0, folder)
            try:
                spec.loader.exec_module(module)
            finally:
                sys.path.remove(folder)
            return module
    return None


def user_module(program, folders):
    """The script as a module, from the first of the folders that has it; None where there is none."""
    name = program[:-3] if program.endswith(".py") else program
    for folder in folders:
        if os.path.exists(os.path.join(folder, f"{name}.py")):
            sys.path.insert(0, folder)
            return importlib.import_module(name.replace("/", "."))
    return None
