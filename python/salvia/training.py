"""Runs the user's script: code, requirements, SM_* variables, the command, and how it ended (sagemaker-training-toolkit's behaviour)."""
import collections
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time

from salvia.code import bring, install_package, install_requirements
from salvia.environment import Training, base
from salvia.errors import UserError

HOSTS_WITHIN_SECONDS = 900
TORCH_PORT = 7777
KEPT_LINES = 200
MOST_FAILURE = 1024

REFUSED = {
    "sagemaker_mpi_enabled": "MPI (smdistributed, Horovod)",
    "sagemaker_distributed_dataparallel_enabled": "SageMaker's distributed data parallel library",
    "sagemaker_parameter_server_enabled": "TensorFlow's parameter servers",
    "sagemaker_multi_worker_mirrored_strategy_enabled": "TensorFlow's multi worker mirrored strategy",
}


def wait_for_hosts(hosts):
    """Until every instance's name resolves."""
    until = time.monotonic() + HOSTS_WITHIN_SECONDS
    for host in hosts:
        while True:
            try:
                socket.gethostbyname(host)
                break
            except OSError as error:
                if time.monotonic() > until:
                    raise UserError(f"InternalServerError: the name of the instance {host} does not resolve") from error
                time.sleep(1)


def is_torch_distributed(training):
    names = ("sagemaker_torch_distributed_enabled", "sagemaker_pytorch_ddp_enabled")
    return any(training.settings.get(name) is True for name in names)


def _redirects():
    """PyTorch 1's launcher does not find its default ("redirect nothing") on Python 3.11 and newer: a rank that there is not says the same."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        is_old = version("torch").startswith("1.") and sys.version_info >= (3, 11)
    except PackageNotFoundError:
        return []
    return ["--redirects", "9:1", "--tee", "9:1"] if is_old else []


def torchrun_command(training):
    """One launcher per instance, meeting at the first. It starts as many processes as are asked for, else one per GPU, else one."""
    processes = training.settings.get("sagemaker_mpi_num_of_processes_per_host") or training.num_gpus or 1
    return [
        sys.executable, "-m", "torch.distributed.run",
        "--nnodes", str(len(training.hosts)),
        "--nproc_per_node", str(processes),
        "--node_rank", str(training.hosts.index(training.host)),
        "--master_addr", training.hosts[0],
        "--master_port", str(TORCH_PORT),
        *_redirects(),
        training.program, *training.arguments,
    ]


def torch_variables(training):
    """Where processes meet and talk, as sagemaker-pytorch-training-toolkit sets it; Gloo would else take the machine's own name."""
    if os.environ.get("SALVIA_FRAMEWORK") not in ("pytorch", "huggingface-pytorch"):
        return {}
    return {
        "MASTER_ADDR": training.hosts[0],
        "MASTER_PORT": str(TORCH_PORT),
        "NCCL_SOCKET_IFNAME": training.interface,
        "GLOO_SOCKET_IFNAME": training.interface,
        "NCCL_IB_DISABLE": "1",
    }


def command_of(training, folder):
    """A package (setup.py) as a module, a .py as a program, anything else by the shell."""
    program = training.program
    if is_torch_distributed(training):
        # As on AWS.
        if os.path.exists(os.path.join(folder, "setup.py")) or not program.endswith(".py"):
            raise UserError(f"ClientError: torch_distributed runs a Python script (.py) alone, no package and no shell script: {program}")
        return torchrun_command(training)
    if os.path.exists(os.path.join(folder, "setup.py")):
        return [sys.executable, "-m", training.module_name.replace("/", "."), *training.arguments]
    if program.endswith(".py"):
        return [sys.executable, program, *training.arguments]
    words = " ".join(shlex.quote(word) for word in [f"./{program}", *training.arguments])
    return ["/bin/sh", "-c", words]


def is_algorithm(training):
    """XGBoost's image without a script is the built-in algorithm."""
    return training.program is None and os.environ.get("SALVIA_FRAMEWORK") == "xgboost"


def check(training):
    for name, what in REFUSED.items():
        if training.settings.get(name) is True:
            raise UserError(f"ClientError: {what} is not implemented ({name})")
    if training.program is None:
        raise UserError(
            "ClientError: a framework image runs a training script: set its name in the hyperparameter sagemaker_program "
            "(entry_point of the SageMaker SDK) and its archive in sagemaker_submit_directory (source_dir)"
        )


def prepare(training, folder):
    if training.submit_directory is not None:
        bring(training.submit_directory, folder)
    path = os.path.join(folder, training.program)
    is_package = os.path.exists(os.path.join(folder, "setup.py"))
    if not (os.path.exists(path) or is_package):
        raise UserError(f"ClientError: the code has no {training.program}: there are {', '.join(sorted(os.listdir(folder))) or 'no files'}")
    if is_package:
        install_package(folder)
    elif not training.program.endswith(".py"):
        os.chmod(path, 0o755)
    install_requirements(folder)


def show(training, variables, command):
    print("Training Env:\n\n" + json.dumps(training._training_env(), indent=4, sort_keys=True) + "\n")
    print("Environment variables:\n\n" + "\n".join(f"{name}={value}" for name, value in sorted(variables.items())) + "\n")
    print("Invoking script with the following command:\n\n" + " ".join(shlex.quote(word) for word in command) + "\n", flush=True)


def run(command, folder, variables):
    """Runs the script; its errors pass through and their end is kept. Answers (exit code, the last lines of stderr)."""
    paths = [folder, os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, **variables, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}
    child = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: child.send_signal(received))
    kept = collections.deque(maxlen=KEPT_LINES)

    def follow():
        for line in child.stderr:
            sys.stderr.buffer.write(line)
            sys.stderr.buffer.flush()
            kept.append(line.decode("utf8", "replace").rstrip("\n"))

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    code = child.wait()
    # A grandchild may hold the pipe open: what the script itself wrote is there at once.
    follower.join(2)
    return code, list(kept)


def message_of(lines):
    """The exception of the last traceback, or the last line that says anything."""
    said = [line for line in lines if line.strip()]
    starts = [at for at, line in enumerate(said) if line.startswith("Traceback (most recent call last)")]
    if starts:
        after = [line for line in said[starts[-1]:] if not line.startswith((" ", "Traceback"))]
        if after:
            return "\n".join(after)
    return said[-1] if said else ""


def write_failure(text):
    os.makedirs(base("output"), exist_ok=True)
    with open(base("output", "failure"), "w", encoding="utf8") as file:
        file.write(text[:MOST_FAILURE])


def main():
    """Exit code of the script: 128 + n after signal n."""
    try:
        training = Training(os.environ.get("SALVIA_FRAMEWORK_MODULE", ""))
        if is_algorithm(training):
            from salvia.xgboost_algorithm.training import run as run_algorithm

            run_algorithm(training)
            print("Reporting training SUCCESS", flush=True)
            return 0
        check(training)
        folder = base("code")
        prepare(training, folder)
        wait_for_hosts(training.hosts)
        variables = training.variables()
        command = command_of(training, folder)
    except UserError as error:
        print(error, file=sys.stderr, flush=True)
        write_failure(str(error))
        return 1
    except Exception as error:
        write_failure(f"{type(error).__name__}: {error}")
        raise
    variables.update(torch_variables(training))
    show(training, variables, command)
    code, lines = run(command, folder, variables)
    if code == 0:
        print("Reporting training SUCCESS", flush=True)
        return 0
    code = code if code > 0 else 128 - code
    shown = " ".join(shlex.quote(word) for word in command)
    if not os.path.exists(base("output", "failure")):
        write_failure(f'ExecuteUserScriptError:\nExitCode {code}\nErrorMessage "{message_of(lines)}"\nCommand "{shown}"')
    print("Reporting training FAILURE", flush=True)
    return code
