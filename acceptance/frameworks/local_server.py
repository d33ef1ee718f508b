"""A server of one's own for a test, with a package index that the test fills: tiny wheels at PEP 503's addresses."""
import contextlib
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import time
import zipfile

import boto3

root = pathlib.Path(__file__).resolve().parents[2]
launcher = str(root / "bin" / "salvia.js")
SYSTEM_FOLDERS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
ANY, NEVER = "py3-none-any", "cp27-cp27m-manylinux1_x86_64"


class Index:
    """`put` wheels; `broken` names packages whose pages are answered with 503; `asked` are the names that were asked for."""

    def __init__(self):
        self.wheels, self.broken, self.asked = {}, set(), []
        index = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                index.answer(self)

            def do_HEAD(self):
                index.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/simple"

    def put(self, name, version, module=None, tag=ANY):
        module = module or name.replace("-", "_")
        stem = f"{name.replace('-', '_')}-{version}"
        path = pathlib.Path(tempfile.mkdtemp()) / f"{stem}-{tag}.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(f"{module}/__init__.py", f"__version__ = '{version}'\n")
            wheel.writestr(f"{stem}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
            wheel.writestr(f"{stem}.dist-info/WHEEL", f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n")
            files = [f"{module}/__init__.py", *(f"{stem}.dist-info/{each}" for each in ("METADATA", "WHEEL", "RECORD"))]
            wheel.writestr(f"{stem}.dist-info/RECORD", "".join(f"{file},,\n" for file in files))
        self.wheels.setdefault(name, {})[path.name] = path.read_bytes()
        shutil.rmtree(path.parent)

    def answer(self, request):
        parts = [part for part in request.path.split("/") if part]
        name = parts[1] if len(parts) > 1 else ""
        wheels = self.wheels.get(name, {})
        if len(parts) == 2:
            self.asked.append(name)
        if name in self.broken:
            status, body = 503, b"away"
        elif len(parts) == 2 and wheels:
            status, body = 200, "".join(f'<a href="/simple/{name}/{file}">{file}</a>\n' for file in wheels).encode()
        elif len(parts) == 3 and parts[2] in wheels:
            status, body = 200, wheels[parts[2]]
        else:
            status, body = 404, b"none"
        request.send_response(status)
        request.send_header("Content-Type", "text/html" if len(parts) < 3 else "application/octet-stream")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(body)


def system_program(name):
    return next((path for folder in SYSTEM_FOLDERS if os.access(path := f"{folder}/{name}", os.X_OK)), None)


def seeing(uv, folder):
    """A command line's beginning under which the system's folders have this uv (a path), or none (None). Empty: they do already."""
    there = system_program("uv")
    if (there is None) == (uv is None):
        return []
    if os.getuid() != 0:
        return None
    if uv is None:
        script = f"mount --bind /dev/null {there}"
    else:
        shown = folder / "sbin"
        shown.mkdir()
        shutil.copy(uv, shown / "uv")
        script = f"mount --bind {shown} /usr/local/sbin"
    return ["unshare", "--mount", "sh", "-c", f'{script} && exec "$@"', "sh"]


@contextlib.contextmanager
def salvia(index, *flags, begin=(), **variables):
    """A server that takes packages from the index; what it yields makes boto3's clients for it (`client`) and knows its `data`."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="salvia-environments-"))
    kept = {name: value for name, value in os.environ.items() if not re.match("PIP_|UV_|AWS_|SALVIA_", name)}
    environment = {
        **kept,
        "PIP_INDEX_URL": index.url,
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_RETRIES": "0",
        "PIP_CACHE_DIR": str(folder / "pip"),
        "UV_CACHE_DIR": str(folder / "uv"),
        "UV_NO_CONFIG": "1",
        **variables,
    }
    node, data = os.environ["SALVIA_TEST_NODE"], folder / "data"
    command = [*begin, node, launcher, "serve", "--data", str(data), "--port", "0", "--compute", "process", "--stop-tasks", *flags]
    said = folder / "said.txt"
    with open(said, "w") as output:
        server = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        until = time.monotonic() + 60
        while not (found := re.search(r"Salvia is ready at (\S+)", said.read_text())):
            assert server.poll() is None and time.monotonic() < until, said.read_text()
            time.sleep(0.05)
        shown = subprocess.run([node, launcher, "env", "--json", "--data", str(data)], capture_output=True, text=True, check=True)
        yield Salvia(found.group(1), json.loads(shown.stdout), data)
    finally:
        server.terminate()
        server.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


class Salvia:
    def __init__(self, url, variables, data):
        self.data = data
        self._given = {
            "endpoint_url": url,
            "region_name": "us-west-2",
            "aws_access_key_id": variables["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": variables["AWS_SECRET_ACCESS_KEY"],
            "aws_session_token": variables["AWS_SESSION_TOKEN"],
        }

    def client(self, service):
        return boto3.client(service, **self._given)
