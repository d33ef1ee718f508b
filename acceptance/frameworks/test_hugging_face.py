"""Hugging Face's images through the SageMaker SDK 2, unpatched: a script trains, and the model answers without one. With the system's
PyTorch (Debian's python3-torch): others are large downloads, which a test does not make."""
import json
import os
import pathlib
import subprocess

import boto3
import sagemaker
from botocore.exceptions import ClientError
from sagemaker.estimator import Estimator
from sagemaker.huggingface import HuggingFaceModel

from harness import Skipped, run, test
from sdk2_waits import deployed, fitted

region = os.environ["AWS_DEFAULT_REGION"]
bucket = "acceptance-hugging-face"
account = boto3.client("sts").get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
registry = f"763104351884.dkr.ecr.{region}.amazonaws.com"
s3, runtime = boto3.client("s3"), boto3.client("sagemaker-runtime")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
session = sagemaker.Session(default_bucket=bucket)
state = {}


def needs_torch():
    found = subprocess.run(["/usr/bin/python3", "-c", "import torch; print(torch.__version__)"], capture_output=True, text=True, env={})
    if not found.stdout.startswith("1.13"):
        raise Skipped(f"the system's python3 has {'PyTorch ' + found.stdout.strip() if found.stdout else 'no PyTorch'}, not 1.13")


@test
def a_script_trains_a_transformer():
    needs_torch()
    estimator = Estimator(
        image_uri=f"{registry}/huggingface-pytorch-training:1.13.1-transformers4.26.0-gpu-py39-cu117-ubuntu20.04",
        entry_point="train.py",
        source_dir=str(pathlib.Path(__file__).parent / "hugging_face"),
        instance_count=1,
        instance_type="ml.m5.large",
        role=role,
        sagemaker_session=session,
        hyperparameters={"epochs": 60},
        output_path=f"s3://{bucket}/out",
        code_location=f"s3://{bucket}/code",
        metric_definitions=[{"Name": "loss", "Regex": "loss: ([0-9.]+)"}],
    )
    job, text = fitted(estimator)
    assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), text[-3000:])
    assert "with the system's torch" in text and "transformers 4.26" in text, text[:2000]
    assert job["FinalMetricDataList"][0]["Value"] < 0.1, job["FinalMetricDataList"]
    state["model"] = job["ModelArtifacts"]["S3ModelArtifacts"]


@test
def the_model_answers_without_a_script():
    needs_torch()
    model = HuggingFaceModel(
        model_data=state["model"],
        role=role,
        transformers_version="4.26.0",
        pytorch_version="1.13.1",
        py_version="py39",
        env={"HF_TASK": "text-classification"},
        sagemaker_session=session,
    )
    predictor = deployed(model)
    state["predictor"] = predictor
    assert predictor.predict({"inputs": "the film was great"})[0]["label"] == "PRAISE"
    answers = predictor.predict({"inputs": ["good", "a bad film"], "parameters": {"top_k": None}})
    assert [max(each, key=lambda one: one["score"])["label"] for each in answers] == ["PRAISE", "COMPLAINT"], answers


def invoke(body, content_type):
    name = state["predictor"].endpoint_name
    return json.loads(runtime.invoke_endpoint(EndpointName=name, Body=body, ContentType=content_type)["Body"].read())


@test
def csv_comes_with_a_header():
    needs_torch()
    assert [answer["label"] for answer in invoke("inputs\nthe film was awful\ngood\n", "text/csv")] == ["COMPLAINT", "PRAISE"]


@test
def what_cannot_be_asked_is_a_model_error_that_says_so():
    needs_torch()
    for body, content_type, status, part in (
        ("{", "application/json", 400, "not JSON"),
        (json.dumps({"text": "good"}), "application/json", 400, "Body needs to provide a inputs key"),
        ("good", "text/csv", 400, "a header"),
        ("x", "image/png", 415, "content type image/png is not supported"),
    ):
        try:
            raise AssertionError(invoke(body, content_type))
        except ClientError as error:
            assert error.response["OriginalStatusCode"] == status, (body, error.response)
            assert part in error.response["OriginalMessage"], (body, error.response)
    state["predictor"].delete_endpoint()


run()
