"""Images that do not exist and programs that do not start, for each kind of job and for endpoints; and what a container's metrics say."""
import datetime
import os
import uuid

import boto3

from docker_base import docker_output
from harness import Skipped, end_of, run, test, until

region = os.environ["AWS_DEFAULT_REGION"]
client, s3, logs, cloudwatch = (boto3.client(name) for name in ("sagemaker", "s3", "logs", "cloudwatch"))
account = boto3.client("sts").get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
bucket = "acceptance-bad-images"
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
s3.put_object(Bucket=bucket, Key="rows/0.csv", Body=b"1\n2\n")
missing = f"{account}.dkr.ecr.{region}.amazonaws.com/missing:1"
# There, and with Python: but without a program "train" or "serve".
there = "salvia-test/python:3"


def processed(name, image, entrypoint, instance="ml.m5.large", **changes):
    client.create_processing_job(
        ProcessingJobName=name,
        RoleArn=role,
        AppSpecification={"ImageUri": image, **({"ContainerEntrypoint": entrypoint} if entrypoint else {})},
        ProcessingResources={"ClusterConfig": {"InstanceCount": 1, "InstanceType": instance, "VolumeSizeInGB": 1}},
        **changes,
    )
    return end_of(client.describe_processing_job, seconds=120, ProcessingJobName=name)


def reason_of(job):
    assert [job[name] for name in job if name.endswith("JobStatus")] == ["Failed"], job
    return job["FailureReason"]


def transformed(name, image):
    client.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"Image": image})
    client.create_transform_job(
        TransformJobName=name,
        ModelName=name,
        TransformInput={"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/rows/"}}},
        TransformOutput={"S3OutputPath": f"s3://{bucket}/out"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    return end_of(client.describe_transform_job, seconds=120, TransformJobName=name)


def deployed(name, image):
    client.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"Image": image})
    variant = {"VariantName": "Blue", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    client.create_endpoint(EndpointName=name, EndpointConfigName=name)
    described = lambda: client.describe_endpoint(EndpointName=name)
    until(lambda: described()["EndpointStatus"] != "Creating", "the end of the creation", seconds=120)
    found = described()
    client.delete_endpoint(EndpointName=name)
    assert found["EndpointStatus"] == "Failed", found
    return found["FailureReason"]


@test
def the_base_image_is_there():
    try:
        docker_output("image", "inspect", there)
    except RuntimeError:
        raise Skipped(f"the base image {there} is missing: tools/docker/base-image makes it") from None


@test
def a_missing_image_of_a_processing_job_is_told_in_its_own_words():
    reason = reason_of(processed("missing", missing, ["python3"]))
    assert reason.startswith(f"ClientError: API error (404): manifest for {missing} not found"), reason
    assert "Requested image not found" in reason and "model" not in reason, reason


@test
def a_missing_image_of_an_endpoint_names_the_variant():
    reason = deployed("missing", missing)
    wanted = "Please make sure all images included in the model for the production variant Blue exist, and that the execution role used to create the model has permissions to access them."
    assert reason.startswith(wanted) and missing in reason, reason


@test
def a_missing_image_of_a_transform_job_is_told():
    reason = reason_of(transformed("missing-transform", missing))
    assert reason.startswith("ClientError: Please make sure all images included in the model exist, and that"), reason
    assert missing in reason, reason


@test
def a_program_that_cannot_be_executed_is_told_by_each_kind():
    for entrypoint, words in ((["/no/such/program", "-v"], "no such file or directory"), (["/etc/passwd"], "permission denied")):
        reason = reason_of(processed(f"no-program-{len(entrypoint)}", there, entrypoint))
        assert reason.startswith("ClientError: CannotStartContainerError. Please make sure the container can be run with"), reason
        assert f"'docker run --entrypoint {entrypoint[0]} {there}" in reason and words in reason, reason
    reason = deployed("no-serve", there)
    wanted = f"CannotStartContainerError. Please ensure the model container for variant Blue starts correctly when invoked with 'docker run {there} serve'."
    assert reason.startswith(wanted), reason
    reason = reason_of(transformed("no-serve-transform", there))
    assert reason.startswith("ClientError: CannotStartContainerError. Please ensure the model container starts"), reason


@test
def the_other_jobs_have_noticed_nothing():
    job = processed("good", there, ["python3", "-c", "print('still here')"])
    assert job["ProcessingJobStatus"] == "Completed", job


@test
def devices_that_the_machine_lacks_are_refused_with_both_numbers():
    found = sum(1 for name in os.listdir("/dev") if name.startswith("nvidia") and name[6:].isdigit())
    if found >= 8:
        raise Skipped("this machine has as many GPUs as the largest type")
    reason = reason_of(processed("gpus", there, ["python3", "-c", ""], instance="ml.p3.16xlarge"))
    assert f"ClientError: The instance type ml.p3.16xlarge has 8 GPUs; the machine that Salvia runs on has {found or 'none'} " in reason, reason


@test
def a_container_s_metrics_are_of_its_own_cores_and_its_own_memory():
    # 200 MB of its own, 300 MB of a file that it wrote (the kernel may drop its pages again), one core.
    busy = """
import os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
own = bytearray(os.urandom(1 << 20) * 200)
with open("/tmp/file", "wb") as file:
    for _ in range(300): file.write(os.urandom(1 << 20))
    os.fsync(file.fileno())
while True: pass
"""
    s3.put_object(Bucket=bucket, Key="code/busy.py", Body=busy.encode())
    folder = "/opt/ml/processing/code"
    code = {"S3Uri": f"s3://{bucket}/code/", "LocalPath": folder, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    name = f"busy-{uuid.uuid4().hex[:8]}"
    client.create_processing_job(
        ProcessingJobName=name,
        RoleArn=role,
        AppSpecification={"ImageUri": there, "ContainerEntrypoint": ["python3", f"{folder}/busy.py"]},
        ProcessingInputs=[{"InputName": "code", "S3Input": code}],
        # 2 cores and 4 GiB.
        ProcessingResources={"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.t3.medium", "VolumeSizeInGB": 1}},
    )
    host = {"Name": "Host", "Value": f"{name}/algo-1"}

    def values(metric):
        metrics = cloudwatch.list_metrics(Namespace="/aws/sagemaker/ProcessingJobs", MetricName=metric, Dimensions=[host])["Metrics"]
        if not metrics:
            return []
        now = datetime.datetime.now(datetime.timezone.utc)
        found = cloudwatch.get_metric_statistics(
            Namespace="/aws/sagemaker/ProcessingJobs",
            MetricName=metric,
            Dimensions=[host],
            StartTime=now - datetime.timedelta(minutes=30),
            EndTime=now + datetime.timedelta(minutes=5),
            Period=60,
            Statistics=["Maximum", "SampleCount"],
        )["Datapoints"]
        return [(point["Maximum"], point["SampleCount"]) for point in found]

    def measured():
        points = values("CPUUtilization")
        return sum(count for _, count in points) >= 3

    until(measured, "three samples", seconds=120)
    cpu = max(maximum for maximum, _ in values("CPUUtilization"))
    # A percent is one of a core's: never more than its own cores, and far more than idle on a machine with much else to do.
    assert 20 < cpu <= 230, cpu
    memory = max(maximum for maximum, _ in values("MemoryUtilization"))
    with open("/proc/meminfo") as file:
        machine = int(file.readline().split()[1]) * 1024
    limit = min(4 << 30, machine)
    own = memory / 100 * limit / (1 << 20)
    # 200 MB and Python itself; the file that it wrote would make it 500.
    assert 190 < own < 400, (memory, own)
    assert values("DiskUtilization"), "no DiskUtilization"
    client.stop_processing_job(ProcessingJobName=name)
    end_of(client.describe_processing_job, seconds=60, ProcessingJobName=name)


run()
