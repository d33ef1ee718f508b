"""boto3's clients, and what the suites ask of them again and again."""
import os
import re

import boto3
import numpy as np
from botocore.config import Config
from botocore.exceptions import ClientError

from harness import after_failure, end_of, files_of, until
from records import read_ndarray

REGION = os.environ["AWS_DEFAULT_REGION"]
IMAGE = "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1"
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
RECORDIO = "application/x-recordio-protobuf"

# One attempt: what a client's retries would hide is what these tests look for.
config = Config(retries={"total_max_attempts": 1}, max_pool_connections=50)
s3 = boto3.client("s3", config=config)
sagemaker = boto3.client("sagemaker", config=config)
runtime = boto3.client("runtime.sagemaker", config=config)
logs = boto3.client("logs", config=config)
cloudwatch = boto3.client("cloudwatch", config=config)

account = boto3.client("sts", config=config).get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
bucket = "acceptance"


def make_bucket():
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})


def put(key, body):
    s3.put_object(Bucket=bucket, Key=key, Body=body)
    return f"s3://{bucket}/{key}"


TRUE_CENTRES = np.array([[0, 0, 0, 1], [10, 0, 0, 0], [0, 20, 0, 0], [0, 0, 30, 0]], dtype="float32")


def blobs(count, seed=1):
    """`count` rows around four centres that nobody can mistake: (rows, number of the centre)."""
    random = np.random.default_rng(seed)
    clusters = np.arange(count) % 4
    rows = TRUE_CENTRES[clusters] + random.normal(0, 0.1, (count, 4))
    return rows.astype("float32"), clusters


def channel(uri, name="train", **changes):
    """An input channel. Members of S3DataSource may be given beside those of the channel."""
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    for member in [member for member in changes if member.startswith("S3")]:
        source[member] = changes.pop(member)
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **changes}


def training_request(name, *channels, instances=1, hyperparameters=None, **changes):
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": role,
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/output"},
        "ResourceConfig": {"InstanceCount": instances, "InstanceType": "ml.c4.xlarge", "VolumeSizeInGB": 10},
        "HyperParameters": {"k": "4", "feature_dim": "4", **(hyperparameters or {})},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "InputDataConfig": list(channels),
        **changes,
    }


def start(name, *channels, **changes):
    sagemaker.create_training_job(**training_request(name, *channels, **changes))
    return name


def describe(job):
    return sagemaker.describe_training_job(TrainingJobName=job)


def ended(job, status="Completed"):
    """The description of a job once it has ended, which must be as `status`."""
    described = end_of(sagemaker.describe_training_job, seconds=30, TrainingJobName=job)
    assert described["TrainingJobStatus"] == status, described
    return described


@after_failure
def stop_everything():
    """What a failed test left running would make the next ones wait in line."""
    for job in sagemaker.list_training_jobs(StatusEquals="InProgress", MaxResults=100)["TrainingJobSummaries"]:
        sagemaker.stop_training_job(TrainingJobName=job["TrainingJobName"])


def train(name, *channels, **changes):
    return ended(start(name, *channels, **changes))


def metrics_of(described):
    return {metric["MetricName"]: metric["Value"] for metric in described.get("FinalMetricDataList", [])}


def messages(job, host=None):
    """The lines that a job, or one of its hosts, logged."""
    prefix = f"{job}/{host}-" if host else f"{job}/"
    if not logs.describe_log_groups(logGroupNamePrefix=LOG_GROUP)["logGroups"]:
        return []
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=LOG_GROUP, logStreamNamePrefix=prefix)
    return [event["message"] for page in pages for event in page["events"]]


def records_read(job, host):
    found = [re.search(r"this host read (\d+) records", message) for message in messages(job, host)]
    numbers = [int(match.group(1)) for match in found if match]
    assert len(numbers) == 1, messages(job, host)
    return numbers[0]


def centres_of(described):
    """The centres in a job's model, sorted as TRUE_CENTRES are not: by their first feature that differs."""
    (centres,) = read_ndarray(files_of(s3, described["ModelArtifacts"]["S3ModelArtifacts"])["model_algo-1"])
    return centres


def assert_true_centres(described):
    centres = centres_of(described)
    assert centres.shape == (4, 4), centres
    nearest = [np.abs(TRUE_CENTRES - centre).max(axis=1).argmin() for centre in centres]
    assert sorted(nearest) == [0, 1, 2, 3], centres
    assert np.abs(TRUE_CENTRES[nearest] - centres).max() < 0.1, centres


def make_model(name, uri):
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"Image": IMAGE, "ModelDataUrl": uri})


def variant(model, name="AllTraffic", instances=1, **changes):
    """A production variant, without InitialVariantWeight unless given."""
    shared = {"VariantName": name, "ModelName": model, "InitialInstanceCount": instances, "InstanceType": "ml.m5.xlarge"}
    return {**shared, **changes}


def endpoint_settled(name, status="InService"):
    """The description of an endpoint once it neither comes nor changes, which must be as `status`."""

    def settled():
        described = sagemaker.describe_endpoint(EndpointName=name)
        return described["EndpointStatus"] not in ("Creating", "Updating") and described

    described = until(settled, f"{name} settled")
    assert described["EndpointStatus"] == status, described
    return described


def make_endpoint(name, *variants, config=None, status="InService"):
    config = config or name
    sagemaker.create_endpoint_config(EndpointConfigName=config, ProductionVariants=list(variants))
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
    return endpoint_settled(name, status)


def serve(name, uri):
    """Model, configuration and endpoint of one instance, all under one name."""
    make_model(name, uri)
    return make_endpoint(name, variant(name))


def expect_error(code, part, call, **arguments):
    """Makes a call that must fail with this code and with this part in its message."""
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        assert part in error.response["Error"]["Message"], error.response
        return error.response
    raise AssertionError(f"{code} was expected and nothing was raised")
