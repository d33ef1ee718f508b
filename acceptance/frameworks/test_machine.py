"""What a script is told of its machine (python/salvia/machine.py): cores, GPUs and NeuronCores, on machines that are made up."""
import os
import pathlib
import stat
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "python"))
from salvia import machine

from harness import run, test

own = len(os.sched_getaffinity(0))


def folder(files):
    root = pathlib.Path(tempfile.mkdtemp())
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(root)


@test
def cores_are_the_process_s_own_where_nothing_limits_them():
    assert machine.cpus(folder({})) == own
    unlimited = {"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "max 100000\n"}
    assert machine.cpus(folder(unlimited)) == own


@test
def cores_are_no_more_than_any_control_group_above_gives_time_for():
    groups = {"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "max 100000\n"}
    assert machine.cpus(folder({**groups, "sys/fs/cgroup/a/cpu.max": "50000 100000\n"})) == 1
    assert machine.cpus(folder({**groups, "sys/fs/cgroup/cpu.max": "100000 100000\n"})) == 1
    assert machine.cpus(folder({**groups, "sys/fs/cgroup/a/cpu.max": f"{own * 100000 - 1} 100000\n"})) == own


@test
def gpus_are_those_that_the_script_can_see():
    devices = folder({"nvidia0": "", "nvidia1": "", "nvidia12": "", "nvidiactl": "", "nvidia-uvm": ""})
    assert machine.gpus(devices, {}) == 3
    assert machine.gpus(devices, {"CUDA_VISIBLE_DEVICES": "0"}) == 1
    assert machine.gpus(devices, {"CUDA_VISIBLE_DEVICES": ""}) == 0
    assert machine.gpus(folder({}), {"CUDA_VISIBLE_DEVICES": "0,1"}) == 0


@test
def neuron_cores_are_what_neuron_ls_lists():
    assert machine.neurons("no-such-neuron-ls") == 0
    tool = pathlib.Path(folder({"neuron-ls": '#!/bin/sh\n[ "$1" = -j ] && echo \'[{"nc_count": 2}, {"nc_count": 4}]\'\n'})) / "neuron-ls"
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    assert machine.neurons(str(tool)) == 6


run()
