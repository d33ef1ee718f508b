"""The model server of several models: SageMaker's API for multi-model containers (mms-container-apis in its developer guide)."""
import json
import os
import sys
import threading
import traceback
from urllib.parse import parse_qs, unquote

from salvia.environment import base
from salvia.errors import UserError
from salvia.handlers import own_module
from salvia.serving import Application, handlers_of, program_name, shared_module

PAGE = 100


def _json(status, value):
    return status, json.dumps(value).encode(), "application/json"


def _text(status, text):
    return status, f"{text}\n".encode(), "text/plain"


class MultiModelApplication:
    """WSGI: GET /ping; POST, GET /models; GET, DELETE /models/NAME; POST /models/NAME/invoke. A model whose archive has code of its own
    (code/inference.py, or what SAGEMAKER_PROGRAM names) uses that, the others the container's."""

    def __init__(self):
        self._models = {}
        self._lock = threading.Lock()
        self._shared = shared_module()

    def __call__(self, environ, start_response):
        status, body, content_type = self._route(environ)
        start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(body)))])
        return [body]

    def _route(self, environ):
        method = environ["REQUEST_METHOD"]
        parts = [unquote(part) for part in environ.get("PATH_INFO", "/").split("/") if part]
        if parts == ["ping"] and method == "GET":
            return "200 OK", b"\n", "application/json"
        if parts == ["models"] and method in ("GET", "POST"):
            return self._load(environ) if method == "POST" else self._list(environ)
        if len(parts) == 2 and parts[0] == "models" and method in ("GET", "DELETE"):
            return self._one(parts[1], method)
        if len(parts) == 3 and parts[0] == "models" and parts[2] == "invoke" and method == "POST":
            found = self._models.get(parts[1])
            return found[1].invoke(environ) if found else _text("404 Not Found", f"the model {parts[1]} is not loaded")
        return _text("404 Not Found", "there are GET /ping and the routes of /models")

    def _load(self, environ):
        try:
            request = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
            name, folder = str(request["model_name"]), str(request["url"])
        except (ValueError, KeyError, TypeError):
            return _text("400 Bad Request", "a model is loaded by model_name and url")
        with self._lock:
            if name in self._models:
                return _text("409 Conflict", f"the model {name} is loaded already")
        # Where /opt/ml is not the root of the task.
        local = base(os.path.relpath(folder, "/opt/ml")) if folder.startswith("/opt/ml/") else folder
        if not os.path.isdir(local):
            return _text("404 Not Found", f"there is no model at {folder}")
        try:
            made = Application(self._handlers(name, local))
        except MemoryError:
            return _text("507 Insufficient Storage", f"there is no memory for the model {name}")
        except UserError as error:
            return _text("500 Internal Server Error", error)
        except Exception:
            trace = traceback.format_exc()
            print(trace, file=sys.stderr, flush=True)
            return _text("500 Internal Server Error", trace)
        with self._lock:
            self._models[name] = (folder, made)
        return _json("200 OK", {"status": "loaded"})

    def _handlers(self, name, folder):
        own = own_module(program_name(), [os.path.join(folder, "code"), folder], f"salvia_model_{name}")
        handlers = handlers_of(own or self._shared)
        handlers.load(folder)
        return handlers

    def _list(self, environ):
        try:
            start = max(0, int(parse_qs(environ.get("QUERY_STRING", "")).get("next_page_token", ["0"])[0]))
        except ValueError:
            return _text("400 Bad Request", "this is no next_page_token of mine")
        with self._lock:
            every = [{"modelName": name, "modelUrl": folder} for name, (folder, _) in sorted(self._models.items())]
        page = {"models": every[start : start + PAGE]}
        if start + PAGE < len(every):
            page["nextPageToken"] = str(start + PAGE)
        return _json("200 OK", page)

    def _one(self, name, method):
        with self._lock:
            found = self._models.pop(name, None) if method == "DELETE" else self._models.get(name)
        if found is None:
            return _text("404 Not Found", f"the model {name} is not loaded")
        return _json("200 OK", {"status": "unloaded"} if method == "DELETE" else [{"modelName": name, "modelUrl": found[0]}])
