"""What a training script finds in its environment: the SM_* variables of sagemaker-training-toolkit (ENVIRONMENT_VARIABLES.md)."""
import json
import os
import re

from salvia import machine

BASE = os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")


def base(*names):
    return os.path.join(BASE, *names)


def _read(name):
    try:
        with open(base("input", "config", name), encoding="utf8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def _decoded(value):
    try:
        return json.loads(value)
    except (TypeError, ValueError):
        return value


def as_text(value):
    """Strings as they are, everything else as compact JSON with sorted keys."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _arguments(hyperparameters):
    """`--name value` in the order of the names; names of one letter get one dash."""
    flags = ((f"-{name}" if len(name) == 1 else f"--{name}", hyperparameters[name]) for name in sorted(hyperparameters))
    return [text for flag, value in flags for text in (flag, "" if value is None else value if isinstance(value, str) else str(value))]


class Training:
    """The job as its instance sees it: hyperparameters, hosts, channels, and where the script is."""

    def __init__(self, framework_module=""):
        decoded = {name: _decoded(value) for name, value in _read("hyperparameters.json").items()}
        own = re.compile(r"(sagemaker_|_tuning_objective_metric$)")
        self.hyperparameters = {name: value for name, value in decoded.items() if not own.match(name)}
        self.settings = {name: value for name, value in decoded.items() if own.match(name)}
        self.resources = _read("resourceconfig.json")
        self.channels = _read("inputdataconfig.json")
        self.hosts = self.resources.get("hosts", ["algo-1"])
        self.host = self.resources.get("current_host", "algo-1")
        self.interface = self.resources.get("network_interface_name", "eth0")
        self.framework_module = framework_module
        program = self.settings.get("sagemaker_program") or os.environ.get("SAGEMAKER_PROGRAM")
        self.program = None if program is None else str(program)
        directory = self.settings.get("sagemaker_submit_directory") or os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY")
        self.submit_directory = None if directory is None else str(directory)
        self.arguments = _arguments(self.hyperparameters)
        self.num_gpus = machine.gpus()

    @property
    def module_name(self):
        return re.sub(r"\.py$", "", self.program or "")

    def _groups(self):
        groups = self.resources.get("instance_groups", [])
        return {group.get("instance_group_name", ""): group for group in groups}

    def _training_env(self):
        """SM_TRAINING_ENV: everything in one object."""
        groups = self._groups()
        group = self.resources.get("current_group_name", "")
        return {
            "additional_framework_parameters": {},
            "channel_input_dirs": {name: base("input", "data", name) for name in self.channels},
            "current_host": self.host,
            "current_instance_group": group,
            "current_instance_group_hosts": groups.get(group, {}).get("hosts", self.hosts),
            "current_instance_type": self.resources.get("current_instance_type", ""),
            "distribution_hosts": [],
            "distribution_instance_groups": [],
            "framework_module": self.framework_module,
            "hosts": self.hosts,
            "hyperparameters": self.hyperparameters,
            "input_config_dir": base("input", "config"),
            "input_data_config": self.channels,
            "input_dir": base("input"),
            "instance_groups": sorted(groups),
            "instance_groups_dict": groups,
            "is_hetero": len(groups) > 1,
            "is_master": self.host == self.hosts[0],
            # Of SageMaker's distributed libraries, which are not here.
            "is_modelparallel_enabled": None,
            "is_smddpmprun_installed": False,
            "is_smddprun_installed": False,
            "job_name": os.environ.get("TRAINING_JOB_NAME", ""),
            "log_level": self.settings.get("sagemaker_container_log_level", 20),
            "master_hostname": self.hosts[0],
            "model_dir": base("model"),
            "module_dir": self.submit_directory or base("code"),
            "module_name": self.module_name,
            "network_interface_name": self.interface,
            "num_cpus": machine.cpus(),
            "num_gpus": self.num_gpus,
            "num_neurons": machine.neurons(),
            "output_data_dir": base("output", "data"),
            "output_dir": base("output"),
            "output_intermediate_dir": base("output", "intermediate"),
            "resource_config": self.resources,
            "topology": self.resources.get("topology", []),
            "user_entry_point": self.program or "",
        }

    def variables(self):
        """SM_NAME → text."""
        everything = self._training_env()
        renamed = {"hyperparameters": "hps", "additional_framework_parameters": "framework_params"}
        left_out = {
            *("channel_input_dirs", "is_master", "job_name", "master_hostname"),
            *("distribution_hosts", "topology", "is_modelparallel_enabled", "is_smddpmprun_installed", "is_smddprun_installed"),
        }
        found = {renamed.get(name, name): value for name, value in everything.items() if name not in left_out}
        found["channels"] = sorted(self.channels)
        found["user_args"] = self.arguments
        found["training_env"] = everything
        found.update({f"channel_{name}": base("input", "data", name) for name in self.channels})
        found.update({f"hp_{name}": value for name, value in self.hyperparameters.items()})
        return {f"SM_{name.upper()}": as_text(value) for name, value in found.items()}
