"""What this job has of its machine: cores, GPUs, NeuronCores. As sagemaker-training-toolkit counts them, but no more than the job may use."""
import json
import math
import os
import re
import shutil
import subprocess


def cpus(root="/"):
    """Cores that this process may run on, and no more than its control groups (version 2) give it time for."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for quota in _quotas(root):
        allowed = min(allowed, max(1, math.ceil(quota)))
    return allowed


def _quotas(root):
    try:
        with open(os.path.join(root, "proc/self/cgroup"), encoding="utf8") as file:
            own = next((line[3:].strip() for line in file if line.startswith("0::")), "/")
    except OSError:
        return
    group = os.path.normpath(own).lstrip("/")
    while True:
        try:
            with open(os.path.join(root, "sys/fs/cgroup", group, "cpu.max"), encoding="utf8") as file:
                limit, period = file.read().split()
            if limit != "max":
                yield int(limit) / int(period)
        except OSError:
            pass  # The root group has no such file, and a group of another namespace is not seen.
        if group in ("", "."):
            return
        group = os.path.dirname(group)


def gpus(devices="/dev", environment=os.environ):
    """NVIDIA GPUs that the script can use."""
    names = os.listdir(devices) if os.path.isdir(devices) else []
    found = sum(1 for name in names if re.fullmatch(r"nvidia\d+", name))
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    return found if visible is None else min(found, len([each for each in visible.split(",") if each.strip() not in ("", "-1")]))


def neurons(command="neuron-ls"):
    """NeuronCores, as AWS's own tool lists them; none where it is not installed."""
    program = shutil.which(command)
    if program is None:
        return 0
    try:
        listed = subprocess.run([program, "-j"], capture_output=True, timeout=30, check=True).stdout
        return sum(int(device["nc_count"]) for device in json.loads(listed))
    except (OSError, subprocess.SubprocessError, ValueError, TypeError, KeyError) as error:
        print(f"[salvia] {command} does not say how many NeuronCores there are: {error}", flush=True)
        return 0
