"""A container of one's own, with boto3 and with the SageMaker Python SDK 2: trained on two instances, deployed, invoked, and failing."""
import base64
import json
import os
import pathlib

import boto3
import sagemaker
from sagemaker.estimator import Estimator
from sagemaker.serializers import CSVSerializer

from docker_base import docker_output
from harness import Skipped, files_of, run, test, until

region = os.environ["AWS_DEFAULT_REGION"]
client, s3, logs = boto3.client("sagemaker"), boto3.client("s3"), boto3.client("logs")
account = boto3.client("sts").get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
bucket = "acceptance-docker"
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
for part in range(4):
    s3.put_object(Bucket=bucket, Key=f"rows/{part}.csv", Body="\n".join(str(part * 10 + n) for n in range(10)).encode())
state = {}
image = f"salvia-acceptance/mean:{os.getpid()}"


def described(name):
    return client.describe_training_job(TrainingJobName=name)


def trained(name, statuses=("Completed", "Failed", "Stopped"), **changes):
    request = {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "RoleArn": role,
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"s3://{bucket}/rows/",
                        "S3DataDistributionType": "ShardedByS3Key",
                    }
                },
            }
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/output"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 300},
        **changes,
    }
    client.create_training_job(**request)
    until(lambda: described(name)["TrainingJobStatus"] in statuses, f"the end of {name}", seconds=60)
    return described(name)


def lines(name):
    try:
        found = logs.filter_log_events(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{name}/")
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [event["message"] for event in found["events"]]


@test
def an_image_is_built_with_plain_docker_build():
    folder = pathlib.Path(__file__).parent / "container"
    try:
        docker_output("image", "inspect", "salvia-test/python:3")
    except RuntimeError:
        raise Skipped("the base image salvia-test/python:3 is missing: tools/docker/base-image makes it") from None
    docker_output("build", "-q", "-t", image, str(folder))


@test
def two_instances_train_together_by_name():
    job = trained("two", ResourceConfig={"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1})
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    said = lines("two")
    assert any(line.startswith("algo-1 of 2 at") and "on eth0, channels ['train']" in line for line in said), said
    assert sum(line.endswith("has 20 rows") for line in said) == 2, said
    assert "credentials: True, job two" in said, said
    model = json.loads(files_of(s3, f"s3://{bucket}/output/two/output/model.tar.gz")["mean.json"])
    assert model == {"mean": 19.5, "rows": 40}, model
    assert sorted(files_of(s3, f"s3://{bucket}/output/two/output/output.tar.gz"))[-2:] == ["algo-1.txt", "algo-2.txt"]


@test
def fast_files_and_file_systems_are_mounts_of_the_container():
    rows = b"\n".join(b"%d" % (at % 7) for at in range(700_000))
    s3.put_object(Bucket=bucket, Key="large/rows.csv", Body=rows)
    large = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/large/"}
    files = {"FileSystemId": "fs-0acce97ed", "FileSystemAccessMode": "ro", "FileSystemType": "EFS", "DirectoryPath": "/data"}
    channels = [
        {"ChannelName": "train", "DataSource": {"S3DataSource": large}, "InputMode": "FastFile"},
        {"ChannelName": "files", "DataSource": {"FileSystemDataSource": files}},
    ]
    script = (
        "cd /opt/ml/input/data && grep ' /opt/ml/input' /proc/self/mountinfo | cut -d' ' -f5,6 && wc -l < train/rows.csv"
        " && cat files/shared.txt && (touch train/new files/new 2>&1 | grep -c Read-only)"
        # A container's root has no more rights over what is stored than anybody else, wherever it moves the folder.
        "; (chmod 777 train/rows.csv; rm train/rows.csv; mount -o remount,rw train; umount train"
        "; mv /opt/ml/input/data /opt/ml/moved; echo x >> /opt/ml/moved/train/rows.csv; echo x >> train/rows.csv) 2>/dev/null; true"
    )
    algorithm = {"TrainingImage": image, "TrainingInputMode": "File", "ContainerEntrypoint": ["/bin/sh"], "ContainerArguments": ["-c", 'eval "$SCRIPT"']}
    job = trained("fast", AlgorithmSpecification=algorithm, InputDataConfig=channels, Environment={"SCRIPT": script})
    said = lines("fast")
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), said)
    mounts = sorted(line.split()[0] for line in said if line.startswith("/opt/ml/input"))
    assert mounts == ["/opt/ml/input/data/files", "/opt/ml/input/data/train"], said
    assert all(" ro," in line for line in said if line.startswith("/opt/ml/input")), said
    assert "699999" in said and "of the machine" in "".join(said) and said[-1].endswith("2"), said
    assert s3.get_object(Bucket=bucket, Key="large/rows.csv")["Body"].read() == rows


@test
def a_model_is_deployed_and_answers():
    artifacts = f"s3://{bucket}/output/two/output/model.tar.gz"
    container = {"Image": image, "ModelDataUrl": artifacts, "Environment": {"FLAVOUR": "mint"}}
    client.create_model(ModelName="mean", ExecutionRoleArn=role, PrimaryContainer=container)
    variant = {"VariantName": "AllTraffic", "ModelName": "mean", "InitialInstanceCount": 2, "InstanceType": "ml.m5.large"}
    client.create_endpoint_config(EndpointConfigName="mean", ProductionVariants=[variant])
    client.create_endpoint(EndpointName="mean", EndpointConfigName="mean")
    client.get_waiter("endpoint_in_service").wait(EndpointName="mean", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    runtime = boto3.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName="mean", ContentType="text/csv", Body="19.5\n20.5")
    assert answer["Body"].read() == b"0.0\n1.0"
    found = logs.filter_log_events(logGroupName="/aws/sagemaker/Endpoints/mean")
    assert [event["message"] for event in found["events"]].count("serving mint") == 2
    client.delete_endpoint(EndpointName="mean")


@test
def the_estimator_of_sdk_2_trains_and_deploys_it():
    session = sagemaker.Session(default_bucket=bucket)
    estimator = Estimator(
        image_uri=image,
        role=role,
        instance_count=2,
        instance_type="ml.m5.large",
        hyperparameters={"anything": 1},
        output_path=f"s3://{bucket}/output",
        sagemaker_session=session,
    )
    estimator.fit({"train": f"s3://{bucket}/rows/"}, logs=False)
    predictor = estimator.deploy(
        initial_instance_count=1, instance_type="ml.m5.large", serializer=CSVSerializer(), endpoint_name="mean-sdk"
    )
    assert float(predictor.predict("29.5")) == 10.0
    predictor.delete_endpoint()


@test
def a_script_that_fails_says_why():
    job = trained("failing", HyperParameters={"fail": "no such rows"})
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: ValueError: no such rows, exit code: 3", job["FailureReason"]
    assert any("Traceback" in line for line in lines("failing"))


@test
def a_missing_image_and_a_program_that_is_none_are_told():
    missing = {"TrainingImage": f"{account}.dkr.ecr.{region}.amazonaws.com/missing:1", "TrainingInputMode": "File"}
    job = trained("missing", AlgorithmSpecification=missing)
    assert job["FailureReason"].startswith("ClientError: Cannot pull algorithm container."), job["FailureReason"]
    broken = {
        "TrainingImage": image,
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["/opt/program/not-executable"],
    }
    job = trained("broken", AlgorithmSpecification=broken)
    assert "CannotStartContainerError" in job["FailureReason"], job["FailureReason"]
    assert "permission denied" in job["FailureReason"], job["FailureReason"]


@test
def a_container_that_fills_its_own_layer_meets_its_volume_s_limit():
    script = "f=open('/layer','wb'); [f.write(bytes(1<<20)) for _ in range(1100)]; f.flush(); import time; time.sleep(60)"
    filling = {"TrainingImage": image, "TrainingInputMode": "File", "ContainerEntrypoint": ["python3", "-c", script]}
    job = trained("filling", AlgorithmSpecification=filling)
    assert job["FailureReason"].startswith("ClientError: "), job["FailureReason"]
    assert "more than its volume of 1 GB" in job["FailureReason"], job["FailureReason"]


@test
def more_gpus_than_the_machine_has_are_refused_in_words():
    if os.path.exists("/dev/nvidia0"):
        raise Skipped("this machine has a GPU")
    job = trained("gpu", ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.p3.2xlarge", "VolumeSizeInGB": 1})
    assert job["FailureReason"].startswith("ClientError: The instance type ml.p3.2xlarge has 1 GPU"), job["FailureReason"]


@test
def a_job_without_a_network_has_no_credentials_and_no_way_out():
    job = trained("alone", EnableNetworkIsolation=True, HyperParameters={"reach": "1.1.1.1"})
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert "credentials: False, job alone" in lines("alone") and "reached: False" in lines("alone"), lines("alone")


@test
def a_stopped_job_keeps_what_it_saves_on_sigterm():
    trained("stopped", statuses=("InProgress",), HyperParameters={"seconds": "200"})
    until(lambda: "second 0" in lines("stopped"), "the first line", seconds=60)
    client.stop_training_job(TrainingJobName="stopped")
    until(lambda: described("stopped")["TrainingJobStatus"] == "Stopped", "the end", seconds=60)
    assert "partial.txt" in files_of(s3, f"s3://{bucket}/output/stopped/output/model.tar.gz")


@test
def nothing_is_left_in_the_engine():
    until(lambda: docker_output("ps", "-aq", "--filter", f"ancestor={image}") == "", "an empty engine", seconds=60)


@test
def an_image_of_the_registry_is_pulled_by_its_ecr_name():
    ecr = boto3.client("ecr")
    uri = ecr.create_repository(repositoryName="own/mean")["repository"]["repositoryUri"]
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, password = base64.b64decode(token).decode().split(":", 1)
    docker_output("login", "--username", user, "--password", password, uri.split("/")[0])
    docker_output("tag", image, f"{uri}:1")
    docker_output("push", "-q", f"{uri}:1")
    # Gone from the engine, under every name.
    docker_output("rmi", "-f", image, f"{uri}:1")
    named = {
        "TrainingImage": f"{account}.dkr.ecr.{region}.amazonaws.com/own/mean:1",
        "TrainingInputMode": "File",
    }
    job = trained("pulled", AlgorithmSpecification=named)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    digest = ecr.describe_images(repositoryName="own/mean")["imageDetails"][0]["imageDigest"]
    state["pulled"] = [name for name in docker_output("images", "--digests", "--format", "{{.ID}} {{.Digest}}").splitlines() if digest in name]
    assert len(state["pulled"]) > 0


@test
def the_image_is_removed():
    docker_output("rmi", "-f", *{line.split()[0] for line in state["pulled"]})


run()
