"""Batch transform with k-means: lines and filters, order, several instances, gzip, failures, stop."""
import gzip
import json
import os

import boto3
import numpy as np
from botocore.exceptions import ClientError

from harness import digits, end_of, run, test
from records import dense_tensor

region = os.environ["AWS_DEFAULT_REGION"]
account = boto3.client("sts").get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
image = "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1"
bucket = "acceptance-transform"
s3, sagemaker, logs = boto3.client("s3"), boto3.client("sagemaker"), boto3.client("logs")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
train_x, _, held_x, _ = digits()
state = {}


def wait(name):
    return end_of(sagemaker.describe_transform_job, seconds=60, TransformJobName=name)


def transform(name, prefix, **changes):
    request = dict(
        TransformJobName=name,
        ModelName=changes.pop("model", "transform-model"),
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{prefix}"}},
            "ContentType": "text/csv",
            "SplitType": "Line",
            **changes.pop("input", {}),
        },
        TransformOutput={"S3OutputPath": f"s3://{bucket}/out/{name}", "Accept": "application/jsonlines", **changes.pop("output", {})},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": changes.pop("instances", 1)},
        **changes,
    )
    sagemaker.create_transform_job(**request)
    return wait(name)


def output(name, key):
    return s3.get_object(Bucket=bucket, Key=f"out/{name}/{key}")["Body"].read().decode()


def csv(rows, first=None):
    return "".join(
        ",".join(([f"id-{at}"] if first else []) + [f"{value:g}" for value in row]) + "\n" for at, row in enumerate(rows)
    )


@test
def a_model_is_made():
    s3.put_object(Bucket=bucket, Key="train/data", Body=dense_tensor(train_x[:1000], None))
    sagemaker.create_training_job(
        TrainingJobName="transform-train",
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        RoleArn=role,
        InputDataConfig=[
            {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/train/"}}}
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/models"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
        HyperParameters={"k": "10", "feature_dim": "784"},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName="transform-train", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    job = sagemaker.describe_training_job(TrainingJobName="transform-train")
    data = job["ModelArtifacts"]["S3ModelArtifacts"]
    sagemaker.create_model(
        ModelName="transform-model", ExecutionRoleArn=role, PrimaryContainer={"Image": image, "ModelDataUrl": data}
    )


@test
def every_line_is_answered_in_order():
    s3.put_object(Bucket=bucket, Key="lines/deep/held.csv", Body=csv(held_x[:500]))
    job = transform("lines", "lines/", MaxPayloadInMB=1, MaxConcurrentTransforms=4, BatchStrategy="MultiRecord")
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert job["TransformStartTime"] <= job["TransformEndTime"]
    answers = [json.loads(line) for line in output("lines", "deep/held.csv.out").splitlines()]
    assert len(answers) == 500 and {*answers[0]} == {"closest_cluster", "distance_to_cluster"}, answers[:2]
    state["clusters"] = [answer["closest_cluster"] for answer in answers]
    single = transform("single", "lines/", BatchStrategy="SingleRecord", MaxConcurrentTransforms=8)
    assert single["TransformJobStatus"] == "Completed", single.get("FailureReason")
    again = [json.loads(line)["closest_cluster"] for line in output("single", "deep/held.csv.out").splitlines()]
    assert again == state["clusters"]
    streams = logs.describe_log_streams(logGroupName="/aws/sagemaker/TransformJobs", logStreamNamePrefix="lines/")
    assert streams["logStreams"], streams


@test
def results_are_joined_with_their_input_and_filtered():
    s3.put_object(Bucket=bucket, Key="ids/rows.csv", Body=csv(held_x[:200], first=True))
    job = transform(
        "joined",
        "ids/",
        output={"Accept": "text/csv", "AssembleWith": "Line"},
        DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"},
    )
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    rows = [line.split(",") for line in output("joined", "rows.csv.out").splitlines()]
    assert [row[0] for row in rows] == [f"id-{at}" for at in range(200)], rows[:3]
    assert all(len(row) == 2 and float(row[1]) > 0 for row in rows), rows[:3]
    assert job["DataProcessing"]["OutputFilter"] == "$[0,-1]"


@test
def json_lines_get_the_answer_beside_them():
    lines = "".join(json.dumps({"id": at, "features": row.tolist()}) + "\n" for at, row in enumerate(held_x[:20]))
    s3.put_object(Bucket=bucket, Key="json/rows.jsonl", Body=lines)
    job = transform(
        "json",
        "json/",
        input={"ContentType": "application/jsonlines"},
        DataProcessing={"InputFilter": "$['features']", "JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"},
    )
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    answers = [json.loads(line) for line in output("json", "rows.jsonl.out").splitlines()]
    assert [answer["id"] for answer in answers] == list(range(20))
    assert [answer["SageMakerOutput"]["closest_cluster"] for answer in answers] == state["clusters"][:20]


@test
def objects_are_shared_out_over_the_instances_and_gzip_is_unpacked():
    for at in range(5):
        s3.put_object(Bucket=bucket, Key=f"many/part-{at}", Body=gzip.compress(csv(held_x[at * 10 : at * 10 + 10]).encode()))
    s3.put_object(Bucket=bucket, Key="many/empty", Body=gzip.compress(b""))
    job = transform("many", "many/", instances=2, input={"CompressionType": "Gzip"})
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    clusters = []
    for at in range(5):
        clusters += [json.loads(line)["closest_cluster"] for line in output("many", f"part-{at}.out").splitlines()]
    assert clusters == state["clusters"][:50]
    assert output("many", "empty.out") == ""


@test
def a_record_that_fails_fails_the_job_and_names_its_object():
    s3.put_object(Bucket=bucket, Key="bad/good.csv", Body=csv(held_x[:3]))
    s3.put_object(Bucket=bucket, Key="bad/wrong.csv", Body="1,2,3\n")
    job = transform("bad", "bad/")
    assert job["TransformJobStatus"] == "Failed", job
    assert "wrong.csv" in job["FailureReason"] and job["FailureReason"].startswith("ClientError"), job["FailureReason"]
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix="out/bad/").get("Contents", [])]
    assert "out/bad/wrong.csv.out" not in keys, keys
    s3.put_object(Bucket=bucket, Key="long/one.csv", Body=b"1," * 1_000_000 + b"1\n")
    job = transform("long", "long/", MaxPayloadInMB=1)
    assert job["TransformJobStatus"] == "Failed" and "one.csv: a record is larger than MaxPayloadInMB" in job["FailureReason"], job
    job = transform("none", "nothing-there/")
    assert job["TransformJobStatus"] == "Failed" and "No S3 objects found" in job["FailureReason"], job


@test
def a_job_is_listed_tagged_and_can_be_stopped():
    s3.put_object(Bucket=bucket, Key="slow/rows.csv", Body=csv(np.tile(held_x[:1000], (4, 1))))
    sagemaker.create_transform_job(
        TransformJobName="stopped",
        ModelName="transform-model",
        BatchStrategy="SingleRecord",
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/slow/"}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": f"s3://{bucket}/out/stopped"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        Tags=[{"Key": "team", "Value": "digits"}],
    )
    sagemaker.stop_transform_job(TransformJobName="stopped")
    job = wait("stopped")
    assert job["TransformJobStatus"] == "Stopped", job
    tags = sagemaker.list_tags(ResourceArn=job["TransformJobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "digits"}], tags
    listed = sagemaker.list_transform_jobs(StatusEquals="Stopped")["TransformJobSummaries"]
    assert [each["TransformJobName"] for each in listed] == ["stopped"], listed
    try:
        sagemaker.stop_transform_job(TransformJobName="stopped")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ValidationException", error
    else:
        raise AssertionError("a job that has ended was stopped")


@test
def wrong_requests_are_refused():
    for changes, part in (
        ({"DataProcessing": {"InputFilter": "$..x"}}, "InputFilter"),
        ({"MaxConcurrentTransforms": 50, "MaxPayloadInMB": 3}, "must not exceed 100"),
        ({"model": "no-such-model"}, "Could not find model"),
    ):
        try:
            transform("refused", "lines/", **changes)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ValidationException" and part in str(error), error
        else:
            raise AssertionError(f"{changes} was accepted")


run()
