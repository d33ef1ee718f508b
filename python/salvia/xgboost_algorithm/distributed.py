"""Several instances that train one model: XGBoost's own collective (Rabit), with the tracker on the first of them."""
import contextlib
import socket
import threading
import time

import xgboost

from salvia.errors import UserError

MEETING_PORT = 9099
WITHIN_SECONDS = 300
_release = tuple(int(part) for part in xgboost.__version__.split(".")[:2])


def _started_tracker(address, count):
    """(tracker, its port)."""
    from xgboost.tracker import RabitTracker

    if _release >= (2, 1):
        tracker = RabitTracker(n_workers=count, host_ip=address, timeout=WITHIN_SECONDS)
        tracker.start()
        return tracker, int(tracker.worker_args()["dmlc_tracker_port"])
    tracker = RabitTracker(host_ip=address, n_workers=count)
    tracker.start(count)
    return tracker, int(tracker.worker_envs()["DMLC_TRACKER_PORT"])


def _tell(server, count, port):
    """The tracker's port, to every other instance."""
    for _ in range(count - 1):
        connection, _peer = server.accept()
        with connection:
            connection.sendall(str(port).encode())


def _asked_port(host):
    """Once the first instance has its tracker, which would itself take a connection for a worker's."""
    until = time.monotonic() + WITHIN_SECONDS
    while True:
        try:
            with socket.create_connection((host, MEETING_PORT), 5) as connection:
                connection.settimeout(WITHIN_SECONDS)
                return int(connection.makefile().read())
        except OSError as error:
            if time.monotonic() > until:
                raise UserError("InternalServerError: the tracker of the first instance does not start") from error
            time.sleep(0.1)


@contextlib.contextmanager
def together(hosts, host):
    """Within it xgboost.train adds up what all instances see; it ends when all have. With one instance it does nothing."""
    if len(hosts) == 1:
        yield
        return
    if _release < (1, 7):
        raise UserError(f"ClientError: XGBoost {xgboost.__version__} runs on one instance here: set InstanceCount to 1, or take a newer image")
    from xgboost.collective import CommunicatorContext

    print(f"Distributed training on {len(hosts)} instances: {', '.join(hosts)}", flush=True)
    address = socket.gethostbyname(hosts[0])
    if host != hosts[0]:
        with CommunicatorContext(**_worker(address, _asked_port(hosts[0]), hosts.index(host))):
            yield
        return
    with socket.create_server((address, MEETING_PORT), backlog=len(hosts)) as server:
        tracker, port = _started_tracker(address, len(hosts))
        threading.Thread(target=_tell, args=(server, len(hosts), port), daemon=True).start()
        with CommunicatorContext(**_worker(address, port, 0)):
            yield
        (tracker.wait_for if hasattr(tracker, "wait_for") else tracker.join)()


def _worker(address, port, index):
    """What CommunicatorContext is given: before 2.1 its names were those of environment variables."""
    given = {"dmlc_tracker_uri": address, "dmlc_tracker_port": port, "dmlc_task_id": str(index)}
    return given if _release >= (2, 1) else {name.upper(): value for name, value in given.items()}
