"""PyTorch on two instances with torchrun and Gloo, then behind an endpoint. With the system's PyTorch (Debian's python3-torch): others
are large downloads, which a test does not make."""
import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

import boto3

from harness import Skipped, end_of, run, test

region = os.environ["AWS_DEFAULT_REGION"]
bucket = "acceptance-pytorch"
account = boto3.client("sts").get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
registry = f"763104351884.dkr.ecr.{region}.amazonaws.com"
s3, api, runtime = boto3.client("s3"), boto3.client("sagemaker"), boto3.client("sagemaker-runtime")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
state = {}


def version_on_system():
    """E.g. "1.13"; None where /usr/bin/python3 has no PyTorch."""
    found = subprocess.run(["/usr/bin/python3", "-c", "import torch; print(torch.__version__)"], capture_output=True, text=True, env={})
    return ".".join(found.stdout.split(".")[:2]) if found.returncode == 0 else None


def needs_torch():
    version = version_on_system()
    if version not in ("1.13", "2.1", "2.3", "2.6"):
        raise Skipped(f"the system's python3 has {'no PyTorch' if version is None else f'PyTorch {version}'}: python3-torch is not installed")
    return version


def trained(name, files=None, **settings):
    """(the job's description, its log) of a script on two instances under torchrun."""
    version = needs_torch()
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w:gz") as archive:
        for path, text in (files or {"train.py": (pathlib.Path(__file__).parent / "torch" / "train.py").read_text()}).items():
            entry = tarfile.TarInfo(path)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    s3.put_object(Bucket=bucket, Key=f"{name}/sourcedir.tar.gz", Body=body.getvalue())
    api.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": f"{registry}/pytorch-training:{version}.1-cpu-py39", "TrainingInputMode": "File"},
        RoleArn=role,
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/out"},
        ResourceConfig={"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5},
        HyperParameters={
            "sagemaker_program": '"train.py"',
            "sagemaker_submit_directory": f'"s3://{bucket}/{name}/sourcedir.tar.gz"',
            "sagemaker_torch_distributed_enabled": "true",
            **settings,
        },
        StoppingCondition={"MaxRuntimeInSeconds": 300},
    )
    job = end_of(api.describe_training_job, TrainingJobName=name)
    events = boto3.client("logs").filter_log_events(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{name}/")["events"]
    return job, "\n".join(event["message"] for event in events)


@test
def two_instances_train_one_model():
    job, text = trained("torch-two")
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), text[-3000:])
    # Without GPUs one process on each.
    assert text.count("--nproc_per_node 1 ") == 2, text[-3000:]
    for rank in (0, 1):
        assert f"rank {rank} of 2 on algo-{rank + 1}: the ranks add up to 3" in text, text[-3000:]
    assert "with the system's torch" in text
    state["model"] = job["ModelArtifacts"]["S3ModelArtifacts"]


@test
def as_many_processes_start_on_each_instance_as_are_asked_for():
    job, text = trained("torch-four", sagemaker_mpi_num_of_processes_per_host="2")
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), text[-3000:])
    for rank in range(4):
        assert f"rank {rank} of 4 on algo-{rank // 2 + 1}: the ranks add up to 10" in text, text[-3000:]


@test
def the_launcher_takes_scripts_alone():
    job, text = trained("torch-package", {"train.py": "", "setup.py": "from setuptools import setup\nsetup(name='x', py_modules=['train'])\n"})
    assert job["TrainingJobStatus"] == "Failed", text[-3000:]
    assert "torch_distributed runs a Python script (.py) alone" in job["FailureReason"], job["FailureReason"]


GPUS = """
from salvia.training import torchrun_command
from salvia.environment import Training
training = Training("module")
print(torchrun_command(training)[torchrun_command(training).index("--nproc_per_node") + 1])
training.num_gpus = 4
print(torchrun_command(training)[torchrun_command(training).index("--nproc_per_node") + 1])
"""


@test
def where_a_program_sees_gpus_each_has_a_process():
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "input" / "config"
        config.mkdir(parents=True)
        (config / "hyperparameters.json").write_text('{"sagemaker_program": "\\"train.py\\""}')
        python = str(pathlib.Path(__file__).resolve().parents[2] / "python")
        environment = {**os.environ, "PYTHONPATH": python, "SAGEMAKER_BASE_DIR": folder}
        said = subprocess.run([sys.executable, "-c", GPUS], env=environment, capture_output=True, text=True, timeout=60)
    assert said.stdout.split() == ["1", "4"], (said.stdout, said.stderr)


@test
def the_model_is_served_without_a_script():
    version = needs_torch()
    name = "torch"
    image = f"{registry}/pytorch-inference:{version}.1-cpu-py39"
    api.create_model(ModelName=name, PrimaryContainer={"Image": image, "ModelDataUrl": state["model"]}, ExecutionRoleArn=role)
    variant = {"VariantName": "all", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    api.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    api.create_endpoint(EndpointName=name, EndpointConfigName=name)
    api.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 240})
    answer = runtime.invoke_endpoint(EndpointName=name, Body=json.dumps([[0.0], [1.0]]), ContentType="application/json")
    (low,), (high,) = json.loads(answer["Body"].read())
    assert abs(low - 1) < 0.05 and abs(high - 4) < 0.05, (low, high)
    api.delete_endpoint(EndpointName=name)


run()
