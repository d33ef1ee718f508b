"""Learns the mean of a column on any number of instances, and serves the distance from it: the container contract, by hand."""
import glob
import http.server
import json
import os
import signal
import socket
import sys
import time
import traceback
import urllib.parse
import urllib.request

root = "/opt/ml"


def config(name):
    with open(f"{root}/input/config/{name}.json") as file:
        return json.load(file)


def credentials_arrive():
    uri = os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if uri is None:
        return False
    # AWS's SDKs refuse any other host than these: loopback, and the two addresses of ECS and EKS.
    if not urllib.parse.urlparse(uri).hostname.startswith(("localhost", "127.", "169.254.170.")):
        raise RuntimeError(f"no SDK takes credentials from {uri}")
    token = os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
    with urllib.request.urlopen(urllib.request.Request(uri, headers={"Authorization": token})) as answer:
        return "AccessKeyId" in json.load(answer)


def reaches(address):
    try:
        socket.create_connection((address, 53), timeout=2).close()
        return True
    except OSError:
        return False


def joined(own, hosts, host):
    """The sums of all instances on the first one; elsewhere None."""
    port = 7000
    if host != hosts[0]:
        for _ in range(200):
            try:
                with socket.create_connection((hosts[0], port), timeout=5) as peer:
                    peer.sendall(json.dumps(own).encode())
                return None
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"{hosts[0]} does not answer")
    total, count = own
    with socket.create_server(("", port)) as server:
        for _ in hosts[1:]:
            with server.accept()[0] as peer:
                more = json.loads(peer.makefile().read())
                total, count = total + more[0], count + more[1]
    return total, count


def save_and_leave(*_):
    with open(f"{root}/model/partial.txt", "w") as file:
        file.write("as far as it came")
    sys.exit(0)


def train():
    parameters, resources, channels = config("hyperparameters"), config("resourceconfig"), config("inputdataconfig")
    host, hosts = resources["current_host"], resources["hosts"]
    address = socket.gethostbyname(host)
    print(f"{host} of {len(hosts)} at {address} on {resources['network_interface_name']}, channels {sorted(channels)}")
    print(f"credentials: {credentials_arrive()}, job {os.environ['TRAINING_JOB_NAME']}")
    if "reach" in parameters:
        print(f"reached: {reaches(parameters['reach'])}")
    if "fail" in parameters:
        raise ValueError(parameters["fail"])
    signal.signal(signal.SIGTERM, save_and_leave)
    for second in range(int(parameters.get("seconds", "0"))):
        print(f"second {second}")
        time.sleep(1)
    values = []
    for path in sorted(glob.glob(f"{root}/input/data/train/**", recursive=True)):
        if os.path.isfile(path):
            values += [float(line) for line in open(path)]
    print(f"{host} has {len(values)} rows")
    whole = joined([sum(values), len(values)], hosts, host)
    if whole is not None:
        with open(f"{root}/model/mean.json", "w") as file:
            json.dump({"mean": whole[0] / whole[1], "rows": whole[1]}, file)
    with open(f"{root}/output/data/{host}.txt", "w") as file:
        file.write(str(len(values)))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "text/csv")
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200 if self.path == "/ping" else 404)

    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.answer(200, "\n".join(str(float(line) - self.server.mean) for line in text.split()).encode())


def serve():
    server = http.server.ThreadingHTTPServer(("", 8080), Handler)
    with open(f"{root}/model/mean.json") as file:
        server.mean = json.load(file)["mean"]
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    print("serving", os.environ.get("FLAVOUR"))
    server.serve_forever()


try:
    {"train": train, "serve": serve}[sys.argv[1]]()
except Exception as error:
    with open(f"{root}/output/failure", "w") as file:
        file.write(f"{type(error).__name__}: {error}")
    traceback.print_exc()
    sys.exit(3)
