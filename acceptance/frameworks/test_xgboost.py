"""XGBoost as a built-in algorithm, low level as SageMaker's own examples use it: train, metrics, endpoint, and what it refuses."""
import json
import os
import pathlib
import tempfile

import boto3
import numpy as np
import sagemaker
from botocore.exceptions import ClientError
from sagemaker.xgboost import XGBoost

from harness import end_of, files_of, run, test
from sdk2_waits import deployed, fitted

region = os.environ["AWS_DEFAULT_REGION"]
bucket = "acceptance-xgboost"
account = boto3.client("sts").get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
image = f"246618743249.dkr.ecr.{region}.amazonaws.com/sagemaker-xgboost:3.0-5"
s3, api, runtime = boto3.client("s3"), boto3.client("sagemaker"), boto3.client("sagemaker-runtime")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
state = {}


def rows(count, seed):
    """(label, six features): class 1 where two of them together are large; some cells of the third are missing."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(count, 6))
    labels = (features[:, 0] + 2 * features[:, 1] + random.normal(0, 0.2, count) > 0).astype(int)
    features[random.random(count) < 0.1, 2] = np.nan
    return labels, features


def csv_of(features, labels=None):
    def cells(row):
        return ["" if np.isnan(value) else f"{value:.5f}" for value in row]

    lines = [",".join(([] if labels is None else [str(labels[at])]) + cells(row)) for at, row in enumerate(features)]
    return "\n".join(lines) + "\n"


def libsvm_of(features, labels):
    lines = []
    for label, row in zip(labels, features):
        words = [f"{at}:{value:.5f}" for at, value in enumerate(row) if not np.isnan(value)]
        lines.append(" ".join([str(label), *words]))
    return "\n".join(lines) + "\n"


def channel(name, prefix, content_type, distribution="FullyReplicated"):
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{prefix}", "S3DataDistributionType": distribution}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, "ContentType": content_type}


def trained(name, hyperparameters, channels, instances=1):
    """The job's description, after its end."""
    api.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        RoleArn=role,
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/out"},
        ResourceConfig={"InstanceCount": instances, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5},
        HyperParameters=hyperparameters,
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        InputDataConfig=channels,
    )
    return end_of(api.describe_training_job, seconds=600, TrainingJobName=name)


usual = {"objective": "binary:logistic", "num_round": "20", "max_depth": "4", "eta": "0.3", "eval_metric": "auc,logloss"}


@test
def csv_is_learned_and_its_metrics_are_the_jobs():
    for part, count, seed in (("train", 800, 1), ("validation", 300, 2)):
        labels, features = rows(count, seed)
        half = count // 2
        for number, piece in enumerate((slice(0, half), slice(half, count))):
            s3.put_object(Bucket=bucket, Key=f"csv/{part}/{number}.csv", Body=csv_of(features[piece], labels[piece]))
            s3.put_object(Bucket=bucket, Key=f"libsvm/{part}/{number}", Body=libsvm_of(features[piece], labels[piece]))
    channels = [channel(part, f"csv/{part}", "text/csv") for part in ("train", "validation")]
    job = trained("xgboost-csv", usual, channels)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert metrics["validation:auc"] > 0.95, metrics
    assert "train:logloss" in metrics, metrics
    state["model"] = job["ModelArtifacts"]["S3ModelArtifacts"]


@test
def libsvm_is_learned_and_stops_early():
    channels = [channel(part, f"libsvm/{part}", "text/libsvm") for part in ("train", "validation")]
    job = trained("xgboost-libsvm", {**usual, "eval_metric": "error,f1", "num_round": "500", "early_stopping_rounds": "5"}, channels)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert metrics["validation:error"] < 0.1 and metrics["validation:f1"] > 0.9, metrics


@test
def two_instances_learn_from_half_of_the_data_each():
    channels = [channel("train", "csv/train", "text/csv", "ShardedByS3Key"), channel("validation", "csv/validation", "text/csv")]
    job = trained("xgboost-two", usual, channels, instances=2)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    events = boto3.client("logs").filter_log_events(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix="xgboost-two/")["events"]
    lines = [event["message"] for event in events]
    assert sum("Train matrix has 400 rows" in line for line in lines) == 2, lines
    last = [line for line in lines if line.startswith("[19]")]
    assert len(last) == 2 and last[0] == last[1], last


@test
def its_endpoint_answers_each_format():
    name = "xgboost"
    model = {"Image": image, "ModelDataUrl": state["model"]}
    api.create_model(ModelName=name, PrimaryContainer=model, ExecutionRoleArn=role)
    variant = {"VariantName": "all", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    api.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    api.create_endpoint(EndpointName=name, EndpointConfigName=name)
    api.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 240})
    labels, features = rows(50, 3)

    def answer(body, content_type, accept):
        given = runtime.invoke_endpoint(EndpointName=name, Body=body, ContentType=content_type, Accept=accept)
        return given["Body"].read().decode()

    lines = answer(csv_of(features), "text/csv", "text/csv").strip().split("\n")
    scores = np.array([float(line) for line in lines])
    assert ((scores > 0.5) == labels).mean() > 0.9, scores
    sparse = answer(libsvm_of(features, labels), "text/x-libsvm", "text/csv")
    assert np.allclose([float(line) for line in sparse.split()], scores, atol=1e-5)
    predictions = json.loads(answer(csv_of(features), "text/csv", "application/json"))["predictions"]
    assert np.allclose([each["score"] for each in predictions], scores)
    last = json.loads(answer(csv_of(features), "text/csv", "application/jsonlines").splitlines()[-1])
    assert abs(last["score"] - scores[-1]) < 1e-6
    for body, content_type, accept, status in (
        ("1,2", "text/csv", "text/csv", 400),
        ("a,b,c", "text/csv", "text/csv", 415),
        ("x", "image/png", "text/csv", 415),
        ("1,2,3,4,5,6", "text/csv", "image/png", 406),
    ):
        try:
            answer(body, content_type, accept)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ModelError", error
            assert error.response["OriginalStatusCode"] == status, error.response
        else:
            raise AssertionError(f"{body} as {content_type} was answered")
    api.delete_endpoint(EndpointName=name)


@test
def a_batch_is_scored_and_joined_with_its_ids():
    """Batch transform with association: the id is not the model's affair, and stands beside its score in the end."""
    api.create_model(
        ModelName="batch-model", ExecutionRoleArn=role, PrimaryContainer={"Image": image, "ModelDataUrl": state["model"]}
    )
    labels, features = rows(300, 9)
    lines = csv_of(features).splitlines()
    with_ids = "".join(f"id-{at},{line}\n" for at, line in enumerate(lines))
    s3.put_object(Bucket=bucket, Key="batch/rows.csv", Body=with_ids)
    api.create_transform_job(
        TransformJobName="association",
        ModelName="batch-model",
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/batch/"}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": f"s3://{bucket}/scored", "Accept": "text/csv", "AssembleWith": "Line"},
        DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    job = end_of(api.describe_transform_job, TransformJobName="association")
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    scored = [line.split(",") for line in s3.get_object(Bucket=bucket, Key="scored/rows.csv.out")["Body"].read().decode().splitlines()]
    assert [row[0] for row in scored] == [f"id-{at}" for at in range(300)] and {len(row) for row in scored} == {2}, scored[:3]
    scores = np.array([float(row[1]) for row in scored])
    above = (scores[labels == 1][:, None] > scores[labels == 0][None, :]).mean()
    assert above >= 0.95, f"AUC {above}"


@test
def what_it_cannot_use_fails_the_job_with_its_name():
    train = channel("train", "csv/train", "text/csv")
    s3.put_object(Bucket=bucket, Key="header/a.csv", Body="label,a\n1,2\n")
    for name, hyperparameters, channels, part in (
        ("without-rounds", {"objective": "binary:logistic"}, [train], "num_round is required"),
        ("unknown", {**usual, "depth": "3"}, [train], "Extraneous hyperparameter found: depth"),
        ("out-of-range", {**usual, "eta": "2"}, [train], "eta: 2 is not in [0, 1]"),
        ("image", usual, [channel("train", "csv/train", "image/png")], "image/png is not an accepted ContentType"),
        ("header", usual, [channel("train", "header", "text/csv")], "a.csv is no CSV of numbers without a header"),
        ("other-channel", usual, [channel("test", "csv/train", "text/csv")], "Missing required channels: train"),
    ):
        job = trained(f"xgboost-{name}", hyperparameters, channels)
        assert job["TrainingJobStatus"] == "Failed", name
        assert job["FailureReason"].startswith("ClientError: ") and part in job["FailureReason"], job["FailureReason"]


SCRIPT = """
import json, os, sys
import xgboost as xgb

def rows_of(folder):
    lines = [line.split(",") for name in os.listdir(folder) for line in open(os.path.join(folder, name)).read().split()]
    cells = [[float(cell) if cell else float("nan") for cell in line] for line in lines]
    return xgb.DMatrix([row[1:] for row in cells], label=[row[0] for row in cells])

def model_fn(folder):
    booster = xgb.Booster()
    booster.load_model(os.path.join(folder, "own.json"))
    return booster

if __name__ == "__main__":
    depth = int(sys.argv[sys.argv.index("--max_depth") + 1])
    rounds = int(os.environ["SM_HP_NUM_ROUND"])
    booster = xgb.train({"objective": "binary:logistic", "max_depth": depth}, rows_of(os.environ["SM_CHANNEL_TRAIN"]), rounds)
    booster.save_model(os.path.join(os.environ["SM_MODEL_DIR"], "own.json"))
    print("trained by a script of its own", xgb.__version__)
"""


@test
def a_script_of_ones_own_trains_and_serves_in_xgboost_s_image():
    labels, features = rows(400, 1)
    s3.put_object(Bucket=bucket, Key="own/train.csv", Body=csv_of(features, labels))
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "own.py").write_text(SCRIPT)
    estimator = XGBoost(
        entry_point="own.py",
        source_dir=str(folder),
        framework_version="3.0-5",
        instance_count=1,
        instance_type="ml.m5.large",
        role=role,
        sagemaker_session=sagemaker.Session(default_bucket=bucket),
        hyperparameters={"max_depth": 3, "num_round": 20},
    )
    job, log = fitted(estimator, {"train": f"s3://{bucket}/own/"})
    assert job["TrainingJobStatus"] == "Completed" and "trained by a script of its own" in log, (job.get("FailureReason"), log[-3000:])
    assert list(files_of(s3, job["ModelArtifacts"]["S3ModelArtifacts"])) == ["own.json"]
    predictor = deployed(estimator)
    try:
        later, others = rows(100, 2)
        for body, content_type in ((csv_of(others), "text/csv"), (libsvm_of(others, later), "text/libsvm")):
            answer = runtime.invoke_endpoint(EndpointName=predictor.endpoint_name, ContentType=content_type, Accept="text/csv", Body=body)
            found = [float(word) for word in answer["Body"].read().decode().replace("\n", ",").split(",") if word]
            assert ((np.array(found) > 0.5) == later).mean() > 0.9, (content_type, found[:5])
    finally:
        predictor.delete_endpoint()


run()
