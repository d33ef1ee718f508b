"""The model server: gunicorn around a small WSGI application (PEP 3333). Each worker loads the model; /ping answers once one has."""
import json
import os
import sys
import threading
import traceback

from salvia.code import bring, install_requirements
from salvia.content import UnsupportedType
from salvia.environment import base
from salvia.errors import BadRequest, UserError
from salvia.handlers import Handlers, user_module
from salvia.tensorflow_serving import SavedModels

DEFAULT_PROGRAM = "inference.py"
# A model is asked by one request at a time; the other threads are for /ping and for connections that wait.
THREADS = 16
DEFAULT_TIMEOUT_SECONDS = 60
# Of a model among several; the platform waits no longer.
LOAD_TIMEOUT_SECONDS = 360
MEGABYTE = 1 << 20
ATTRIBUTES = "HTTP_X_AMZN_SAGEMAKER_CUSTOM_ATTRIBUTES"


def _number(name, default):
    try:
        return max(1, int(os.environ.get(name, "")))
    except ValueError:
        return default


def code_folders():
    """Where the user's code may be: inside of the model, or fetched."""
    return [base("code"), base("model", "code"), base("model")]


def prepare():
    """Fetches the code and installs what it requires, once, before the workers start."""
    directory = os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY")
    if directory:
        directory = directory.strip('"')
        if not os.path.isdir(directory):
            bring(directory, base("code"))
    for folder in (base("code"), base("model", "code")):
        install_requirements(folder)


def asked_program():
    """The SDK sets an empty one for a model without a script."""
    return os.environ.get("SAGEMAKER_PROGRAM", "").strip('"')


def program_name():
    return asked_program() or DEFAULT_PROGRAM


def shared_module():
    """The user's script, where it came with the container and not inside of a model; None where there is none."""
    submitted = os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY", "").strip('"')
    return user_module(program_name(), ([submitted] if os.path.isdir(submitted) else []) + code_folders())


def load():
    """The handlers with their model."""
    handlers = handlers_of(shared_module())
    handlers.load()
    return handlers


def handlers_of(module):
    """What answers with the user's script, or without one."""
    if module is None and asked_program():
        raise UserError(f"The script {asked_program()} (SAGEMAKER_PROGRAM) is not in the model's code folder.")
    framework = os.environ.get("SALVIA_FRAMEWORK", "")
    if framework == "xgboost" and module is None:
        from salvia.xgboost_algorithm.serving import XgboostModel

        handlers = XgboostModel()
    elif framework == "tensorflow" and SavedModels.fits(module):
        handlers = SavedModels(module)
    else:
        handlers = Handlers(module, framework)
    return handlers


def is_multi_model():
    return os.environ.get("SAGEMAKER_MULTI_MODEL", "").lower() == "true"


class Application:
    """WSGI: GET /ping, POST /invocations."""

    def __init__(self, handlers):
        self._handlers = handlers
        self._accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", handlers.default_accept)
        self._limit = _number("SAGEMAKER_MAX_PAYLOAD_IN_MB", 100) * MEGABYTE
        self._timeout = _number("SAGEMAKER_MODEL_SERVER_TIMEOUT", DEFAULT_TIMEOUT_SECONDS)
        self._turn = threading.Lock()

    def __call__(self, environ, start_response):
        status, body, content_type = self._route(environ)
        start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(body)))])
        return [body]

    def _route(self, environ):
        path, method = environ.get("PATH_INFO", "/"), environ["REQUEST_METHOD"]
        if path == "/ping" and method == "GET":
            return "200 OK", b"\n", "application/json"
        if path == "/execution-parameters" and method == "GET":
            return self._execution_parameters()
        if path.startswith("/v1/models/") and isinstance(self._handlers, SavedModels):
            # Asked by a script that holds the turn: it does not wait for it.
            found = self._handlers.rest(method, path, _body_of(environ))
            if found is not None:
                return (*found, "application/json")
        if path != "/invocations" or method != "POST":
            return "404 Not Found", b"there are GET /ping and POST /invocations\n", "text/plain"
        return self.invoke(environ)

    def _execution_parameters(self):
        """What batch transform may do, where the model's maker has said it."""
        found = self._handlers.execution_parameters
        if found is None:
            return "404 Not Found", b"", "text/plain"
        return "200 OK", json.dumps(found).encode(), "application/json"

    def invoke(self, environ):
        """(status, body, content type)"""
        content_type = environ.get("CONTENT_TYPE") or "application/octet-stream"
        accept = environ.get("HTTP_ACCEPT") or "*/*"
        accept = self._accept if accept.strip() in ("", "*/*") else accept
        try:
            length = int(environ.get("CONTENT_LENGTH") or -1)
            if length > self._limit:
                return "413 Payload Too Large", f"a request has at most {self._limit} bytes\n".encode(), "text/plain"
            body = _body_of(environ)
            if len(body) == 0 and self._handlers.is_nothing_for_nothing:
                return "204 No Content", b"", "text/csv"
            answer, answered_type = self._in_turn(body, content_type, accept, environ.get(ATTRIBUTES, ""))
            return "200 OK", bytes(answer), answered_type
        except UnsupportedType as error:
            refused = "406 Not Acceptable" if str(error).startswith("accept") else "415 Unsupported Media Type"
            return refused, f"{error}\n".encode(), "text/plain"
        except BadRequest as error:
            return "400 Bad Request", f"{error}\n".encode(), "text/plain"
        except Exception:
            trace = traceback.format_exc()
            print(trace, file=sys.stderr, flush=True)
            return "500 Internal Server Error", trace.encode(), "text/plain"


    def _in_turn(self, *request):
        """A handler that takes too long takes its worker with it: gunicorn starts another."""
        with self._turn:
            killer = threading.Timer(self._timeout, _give_up, [self._timeout])
            killer.daemon = True
            killer.start()
            try:
                return self._handlers.answer(*request)
            finally:
                killer.cancel()


def _body_of(environ):
    length = int(environ.get("CONTENT_LENGTH") or -1)
    return environ["wsgi.input"].read() if length < 0 else environ["wsgi.input"].read(length)


def _give_up(seconds):
    print(f"A request took longer than {seconds} s (SAGEMAKER_MODEL_SERVER_TIMEOUT): its worker ends", file=sys.stderr, flush=True)
    os._exit(1)


def default_workers():
    """TensorFlow itself uses all cores, and takes half a gigabyte per process."""
    return 1 if os.environ.get("SALVIA_FRAMEWORK") == "tensorflow" else min(os.cpu_count() or 1, 4)


def main():
    try:
        prepare()
    except UserError as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    from gunicorn.app.base import BaseApplication

    host, port = os.environ.get("SALVIA_BIND_HOST", "0.0.0.0"), os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080")
    timeout = _number("SAGEMAKER_MODEL_SERVER_TIMEOUT", DEFAULT_TIMEOUT_SECONDS)

    class Server(BaseApplication):
        def load_config(self):
            self.cfg.set("bind", f"{host}:{port}")
            # A model that one worker has loaded is unknown to the others.
            workers = 1 if is_multi_model() else _number("SAGEMAKER_MODEL_SERVER_WORKERS", default_workers())
            self.cfg.set("workers", workers)
            self.cfg.set("worker_class", "gthread")
            self.cfg.set("threads", THREADS)
            self.cfg.set("timeout", max(timeout, LOAD_TIMEOUT_SECONDS) if is_multi_model() else timeout)
            self.cfg.set("graceful_timeout", 25)
            self.cfg.set("keepalive", 75)
            self.cfg.set("worker_tmp_dir", "/dev/shm" if os.path.isdir("/dev/shm") else None)
            self.cfg.set("loglevel", "warning")

        def load(self):
            try:
                if is_multi_model():
                    from salvia.multi_model import MultiModelApplication

                    return MultiModelApplication()
                return Application(load())
            except UserError as error:
                print(error, file=sys.stderr, flush=True)
                sys.exit(3)  # gunicorn's "worker failed to boot": the server ends.

    Server().run()
    return 0
