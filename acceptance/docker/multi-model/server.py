"""A multi-model container with memory for one model: each is a file with a factor."""
import json
import os
import pathlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

models = {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def say(self, status, text=""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_GET(self):
        if self.path.startswith("/models"):
            return self.say(200, json.dumps({"models": [{"modelName": name, "modelUrl": ""} for name in models]}))
        return self.say(200)

    def do_DELETE(self):
        name = self.path.split("/")[2]
        print("unloaded", flush=True)
        return self.say(200 if models.pop(name, None) is not None else 404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/models":
            return self.load(json.loads(body))
        name = self.path.split("/")[2]
        if name not in models:
            return self.say(404)
        target = self.headers["X-Amzn-SageMaker-Target-Model"]
        return self.say(200, f"{target}: {models[name] * float(body)} {os.environ['SAGEMAKER_MULTI_MODEL']}")

    def load(self, wish):
        if models:
            return self.say(507, "one at a time")
        models[wish["model_name"]] = float(pathlib.Path(wish["url"], "factor").read_text(encoding="utf8"))
        return self.say(200)


ThreadingHTTPServer(("0.0.0.0", int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))), Handler).serve_forever()
