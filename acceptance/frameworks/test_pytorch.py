"""PyTorch on two instances with torchrun and Gloo, then behind an endpoint. With the system's PyTorch (Debian's python3-torch): others
are large downloads, which a test does not make."""
import io
import json
import os
import pathlib
import subprocess
import tarfile

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


@test
def two_instances_train_one_model():
    version = needs_torch()
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w:gz") as archive:
        archive.add(pathlib.Path(__file__).parent / "torch" / "train.py", "train.py")
    s3.put_object(Bucket=bucket, Key="code/sourcedir.tar.gz", Body=body.getvalue())
    api.create_training_job(
        TrainingJobName="torch-two",
        AlgorithmSpecification={"TrainingImage": f"{registry}/pytorch-training:{version}.1-cpu-py39", "TrainingInputMode": "File"},
        RoleArn=role,
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/out"},
        ResourceConfig={"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5},
        HyperParameters={
            "sagemaker_program": '"train.py"',
            "sagemaker_submit_directory": f'"s3://{bucket}/code/sourcedir.tar.gz"',
            "sagemaker_torch_distributed_enabled": "true",
        },
        StoppingCondition={"MaxRuntimeInSeconds": 300},
    )
    job = end_of(api.describe_training_job, TrainingJobName="torch-two")
    events = boto3.client("logs").filter_log_events(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix="torch-two/")["events"]
    text = "\n".join(event["message"] for event in events)
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), text[-3000:])
    for rank in (0, 1):
        assert f"rank {rank} of 2 on algo-{rank + 1}: the ranks add up to 3" in text, text[-3000:]
    assert "with the system's torch" in text
    state["model"] = job["ModelArtifacts"]["S3ModelArtifacts"]


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
