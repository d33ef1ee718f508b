"""Scenarios on real data (../shared/data beside the checkout): iris with scikit-learn, breast cancer with XGBoost and association."""
import csv
import os
import pathlib
import random

import boto3
import numpy as np
import sagemaker
from botocore.exceptions import ClientError
from sagemaker.sklearn import SKLearn
from sagemaker.transformer import Transformer

from harness import Skipped, end_of, run, test
from sdk2_waits import deployed, fitted

region = os.environ["AWS_DEFAULT_REGION"]
bucket = "acceptance-real-data"
account = boto3.client("sts").get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
here = pathlib.Path(__file__).resolve().parent
tables = here.parent.parent.parent / "shared" / "data" / "tabular"
s3, api = boto3.client("s3"), boto3.client("sagemaker")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
session = sagemaker.Session(default_bucket=bucket)
state = {}


def table(name):
    if not (tables / name).exists():
        raise Skipped(f"../shared/data/tabular/{name} is not there")
    with open(tables / name, newline="") as file:
        return list(csv.reader(file))


def put(key, rows):
    s3.put_object(Bucket=bucket, Key=key, Body="".join(",".join(map(str, row)) + "\n" for row in rows))
    return f"s3://{bucket}/{key}"


@test
def iris_is_fitted_deployed_and_transformed():
    rows = table("iris.csv")
    kinds = sorted({row[0] for row in rows})
    assert len(rows) == 150 and len(kinds) == 3
    train = put("iris/train/iris.csv", [[kinds.index(kind), *values] for kind, *values in rows])
    batch = put("iris/batch/iris.csv", [values for _, *values in rows])
    estimator = SKLearn(
        entry_point="train.py",
        source_dir=str(here / "iris"),
        framework_version="1.2-1",
        instance_type="ml.m5.large",
        role=role,
        sagemaker_session=session,
        hyperparameters={"max_leaf_nodes": 30},
        output_path=f"s3://{bucket}/out",
        code_location=f"s3://{bucket}/code",
    )
    job, log = fitted(estimator, {"train": f"s3://{bucket}/iris/train"})
    assert job["TrainingJobStatus"] == "Completed", (job, log[-2000:])
    predictor = deployed(estimator)
    wanted = [kinds.index(kind) for kind, *_ in rows]
    values = np.array([[float(value) for value in row[1:]] for row in rows])
    assert (np.asarray(predictor.predict(values)) == wanted).mean() >= 0.95
    name = predictor.endpoint_name
    predictor.delete_endpoint()
    try:
        api.delete_endpoint(EndpointName=name)
        # Its instances may still be on their way out: AWS answers a second request then, too.
        end = api.get_waiter("endpoint_deleted")
        end.wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        api.delete_endpoint(EndpointName=name)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ValidationException", error
    else:
        raise AssertionError("a second deletion was answered")
    transformer = estimator.transformer(
        instance_count=1, instance_type="ml.m5.large", strategy="MultiRecord", assemble_with="Line", accept="text/csv",
        output_path=f"s3://{bucket}/iris/out",
    )
    transformer.transform(batch, content_type="text/csv", split_type="Line", wait=False, logs=False)
    job = end_of(api.describe_transform_job, TransformJobName=transformer.latest_transform_job.name)
    assert job["TransformJobStatus"] == "Completed", job
    lines = s3.get_object(Bucket=bucket, Key="iris/out/iris.csv.out")["Body"].read().decode().splitlines()
    assert len(lines) == 150, len(lines)
    assert np.mean([float(line) == kind for line, kind in zip(lines, wanted)]) >= 0.95


def area_under_curve(scores, labels):
    """Of the ROC: the share of pairs in which the case has the higher score, ties half (Mann and Whitney)."""
    cases = np.array([score for score, label in zip(scores, labels) if label == 1])
    others = np.array([score for score, label in zip(scores, labels) if label == 0])
    return np.mean((cases[:, None] > others) + 0.5 * (cases[:, None] == others))


@test
def breast_cancer_is_scored_beside_its_ids():
    _, *rows = table("breast_cancer_wdbc.csv")
    random.Random(1).shuffle(rows)
    known, new = rows[:400], rows[400:]
    train = put("wdbc/train/train.csv", [[int(row[1] == "M"), *row[2:]] for row in known])
    batch = put("wdbc/batch/batch.csv", [[row[0], *row[2:]] for row in new])
    image = f"246618743249.dkr.ecr.{region}.amazonaws.com/sagemaker-xgboost:1.7-1"
    source = {"S3DataType": "S3Prefix", "S3Uri": train, "S3DataDistributionType": "FullyReplicated"}
    api.create_training_job(
        TrainingJobName="wdbc",
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        RoleArn=role,
        InputDataConfig=[{"ChannelName": "train", "DataSource": {"S3DataSource": source}, "ContentType": "text/csv"}],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/out"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5},
        HyperParameters={"objective": "binary:logistic", "num_round": "60", "max_depth": "4", "eta": "0.2"},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    job = end_of(api.describe_training_job, 600, TrainingJobName="wdbc")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    container = {"Image": image, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
    api.create_model(ModelName="wdbc", ExecutionRoleArn=role, PrimaryContainer=container)
    transformer = Transformer(
        model_name="wdbc", instance_count=1, instance_type="ml.m5.large", strategy="MultiRecord", assemble_with="Line",
        accept="text/csv", output_path=f"s3://{bucket}/wdbc/out", sagemaker_session=session,
    )
    transformer.transform(
        batch, content_type="text/csv", split_type="Line", input_filter="$[1:]", join_source="Input", output_filter="$[0,-1]",
        wait=False, logs=False,
    )
    job = end_of(api.describe_transform_job, TransformJobName=transformer.latest_transform_job.name)
    assert job["TransformJobStatus"] == "Completed", job
    out = s3.get_object(Bucket=bucket, Key="wdbc/out/batch.csv.out")["Body"].read().decode().splitlines()
    assert [line.split(",")[0] for line in out] == [row[0] for row in new], out[:3]
    assert all(line.count(",") == 1 for line in out)
    scores = [float(line.split(",")[1]) for line in out]
    area = area_under_curve(scores, [int(row[1] == "M") for row in new])
    assert area >= 0.95, area


run()
