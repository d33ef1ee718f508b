"""TensorFlow through the SageMaker SDK 2, unpatched: fit, deploy and predict, TensorFlow Serving's requests, and an inference.py's handlers."""
import json
import os
import pathlib
import shutil
import tempfile

import boto3
import numpy as np
import sagemaker
from botocore.exceptions import ClientError
from sagemaker.tensorflow import TensorFlow, TensorFlowModel

from harness import run, test
from sdk2_waits import deployed, fitted

region = os.environ["AWS_DEFAULT_REGION"]
bucket = "acceptance-tensorflow"
account = boto3.client("sts").get_caller_identity()["Account"]
role = f"arn:aws:iam::{account}:role/SalviaExecutionRole"
here = pathlib.Path(__file__).parent / "tensorflow"
s3, runtime = boto3.client("s3"), boto3.client("sagemaker-runtime")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
session = sagemaker.Session(default_bucket=bucket)
state = {}


def invoke(body, content_type="application/json", accept="application/json", **more):
    name = state["predictor"].endpoint_name
    answer = runtime.invoke_endpoint(EndpointName=name, Body=body, ContentType=content_type, Accept=accept, **more)
    return answer["Body"].read()


def is_near(given, wanted):
    return np.allclose(np.asarray(given).ravel(), wanted, rtol=0.02, atol=0.02)


@test
def keras_is_fitted_by_a_script():
    random = np.random.default_rng(3)
    features = random.normal(size=(400, 3))
    rows = np.column_stack([features @ [2.0, -1.0, 0.5] + 1, features])
    folder = pathlib.Path(tempfile.mkdtemp())
    np.savetxt(folder / "line.csv", rows, delimiter=",")
    train = session.upload_data(str(folder / "line.csv"), bucket=bucket, key_prefix="line")
    estimator = TensorFlow(
        entry_point="train.py",
        source_dir=str(here),
        framework_version="2.18.0",
        py_version="py310",
        instance_count=1,
        instance_type="ml.m5.large",
        role=role,
        sagemaker_session=session,
        hyperparameters={"epochs": 30},
        output_path=f"s3://{bucket}/out",
        code_location=f"s3://{bucket}/code",
        metric_definitions=[{"Name": "loss", "Regex": "loss: ([0-9.]+)"}],
    )
    job, text = fitted(estimator, {"train": train})
    assert "Framework asked for: tensorflow 2.18.0-cpu-py310; used: tensorflow 2.1" in text, text[:3000]
    assert f"model_dir is s3://{bucket}/out" in text, text[-3000:]
    assert job["FinalMetricDataList"][0]["Value"] < 0.001, job["FinalMetricDataList"]
    state["estimator"] = estimator


@test
def the_model_is_deployed_and_answers_as_tensorflow_serving_does():
    state["predictor"] = deployed(state["estimator"])
    # The SDK's predictor speaks JSON.
    answer = state["predictor"].predict({"instances": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]})
    assert is_near(answer["predictions"], [3, 0]), answer
    assert is_near(state["predictor"].predict([[0.0, 0.0, 2.0]])["predictions"], [2])
    assert is_near(state["predictor"].predict([0.0, 0.0, 2.0])["predictions"], [2])
    named = {"instances": [{"features": [1.0, 1.0, 0.0]}], "signature_name": "serving_default"}
    assert is_near(state["predictor"].predict(named)["predictions"], [2])
    columns = json.loads(invoke(json.dumps({"inputs": {"features": [[1.0, 0.0, 0.0]]}})))
    assert is_near(columns["outputs"], [3]), columns


@test
def csv_and_json_lines_become_rows():
    assert is_near(json.loads(invoke("1,0,0\n0,1,0\n", "text/csv"))["predictions"], [3, 0])
    lines = "[1, 0, 0]\n[0, 0, 2]\n"
    assert is_near(json.loads(invoke(lines, "application/jsonlines", "application/jsonlines"))["predictions"], [3, 2])


@test
def what_cannot_be_asked_is_a_model_error_that_says_so():
    for body, content_type, status, part in (
        ("{", "application/json", 400, "JSON Parse error"),
        (json.dumps({"instances": []}), "application/json", 400, "at least one row"),
        (json.dumps({"instances": [[1.0]]}), "application/json", 400, "incompatible"),
        (json.dumps({"instances": [{"nothing": [1.0]}]}), "application/json", 400, "those of the model are features"),
        (json.dumps({"instances": [[1, 2, 3]], "signature_name": "no"}), "application/json", 400, "not found in signature def"),
        ("x", "image/png", 415, "content type image/png is not supported"),
    ):
        try:
            raise AssertionError(invoke(body, content_type))
        except ClientError as error:
            assert error.response["OriginalStatusCode"] == status, (body, error.response)
            assert part in error.response["OriginalMessage"], (body, error.response)


def with_script(script):
    """A model of the same job with this inference.py."""
    folder = pathlib.Path(tempfile.mkdtemp())
    shutil.copy(here / "code" / script, folder / "inference.py")
    model = TensorFlowModel(
        model_data=state["estimator"].model_data,
        role=role,
        framework_version="2.18",
        entry_point="inference.py",
        source_dir=str(folder),
        sagemaker_session=session,
    )
    state["predictor"].delete_endpoint()
    state["predictor"] = deployed(model)


@test
def the_handlers_of_a_script_stand_before_and_after_the_model():
    with_script("inference.py")
    said = invoke("1 2", "text/plain", CustomAttributes="tfs-model-name=model").decode()
    name, values = said.split(": ")
    assert name == "model v1", said
    assert is_near([float(value) for value in values.split()], [2001, 4001]), said
    try:
        raise AssertionError(invoke("1", "text/csv"))
    except ClientError as error:
        assert error.response["OriginalStatusCode"] == 500
        assert "unsupported content type text/csv" in error.response["OriginalMessage"], error.response


@test
def a_handler_may_ask_the_model_over_its_address():
    with_script("handler.py")
    answer = json.loads(invoke(json.dumps({"rows": [[1.0, 0.0, 0.0]]})))
    assert answer["asked"] == 1 and is_near(answer["answer"]["outputs"], [3]), answer
    state["predictor"].delete_endpoint()


run()
